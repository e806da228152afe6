//! What is not asked for is not there.

use super::*;

#[test]
fn a_small_service_is_five_objects() {
    let small = list(&input(""));
    let kinds: Vec<&str> = small
        .iter()
        .filter_map(|one| one.split(' ').next())
        .collect();
    let wanted = [
        "ServiceAccount",
        "NetworkPolicy",
        "ConfigMap",
        "Deployment",
        "Service",
    ];
    assert_eq!(kinds, wanted, "{small:#?}");
}

#[test]
fn a_small_pod_asks_nothing_of_nodes() {
    let pod = pod(&input(""));
    let spec = pod["spec"].as_object().unwrap();
    let keys: Vec<&str> = spec.keys().map(String::as_str).collect();
    let wanted = [
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "restartPolicy",
        "terminationGracePeriodSeconds",
        "securityContext",
        "containers",
        "volumes",
    ];
    assert_eq!(keys, wanted);
    assert!(pod["metadata"].get("annotations").is_none());
    assert!(agent(&input("")).get("resources").is_none());
}

/// What each section adds to the objects of the small service.
#[test]
fn each_section_adds_its_objects_and_no_others() {
    let cases: [(&str, &[&str]); 10] = [
        ("[run]\nreplicas = 2", &["PodDisruptionBudget bot"]),
        ("[run]\nspot = true\ngpu = { memory = \"8Gi\" }", &[]),
        (
            "[scale]\ncpu = 70\nmax = 4\n[run]\nresources.cpu = \"1\"",
            &["PodDisruptionBudget bot"],
        ),
        ("[scale]\nrecommend = true", &[]),
        ("[image]\nprepull = true", &["DaemonSet bot-prepull"]),
        (
            "[secrets]\nA = { env = \"A\" }\nB = { kubernetes = \"s/b\" }",
            &[],
        ),
        (
            "[secrets]\nA = { external = \"shop/a\" }",
            &["ExternalSecret bot-external"],
        ),
        (
            "[stores.shop]\ngcp = { project = \"p\" }\n[stores.unused]\ngcp = { project = \"p\" }\n[secrets]\nA = { external = \"shop/a\" }",
            &["SecretStore bot-shop", "ExternalSecret bot-external"],
        ),
        (
            "[environments.x.target.kubernetes]\nnamespace = \"agents\"\ncreate_namespace = true",
            &["Namespace agents"],
        ),
        (
            "[environments.x.target.kubernetes]\nnamespace = \"agents\"",
            &[],
        ),
    ];
    let small = list(&input(""));
    for (more, added) in cases {
        let of_scaling = [
            "HorizontalPodAutoscaler",
            "ScaledObject",
            "VerticalPodAutoscaler",
        ];
        let all = list(&input(more));
        let new: Vec<&String> = all
            .iter()
            .filter(|one| !small.contains(one))
            .filter(|one| !of_scaling.iter().any(|kind| one.starts_with(kind)))
            .collect();
        assert_eq!(new, added, "{more}");
    }
}
