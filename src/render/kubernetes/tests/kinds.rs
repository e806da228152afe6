use serde_json::json;

use super::*;

#[test]
fn a_kind_makes_its_own_workload_and_services() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "service",
            &["Deployment bot-r7", "Service bot", "Service bot-r7"],
        ),
        ("worker", &["Deployment bot-r7"]),
        (
            "stateful",
            &[
                "StatefulSet bot",
                "Service bot",
                "Service bot-r7",
                "Service bot-replicas",
            ],
        ),
        ("job", &["Job bot-r7"]),
        ("cron", &["CronJob bot"]),
        (
            "daemon",
            &["DaemonSet bot", "Service bot", "Service bot-r7"],
        ),
    ];
    for (kind, wanted) in cases {
        let schedule = if kind == "cron" {
            "schedule = \"0 6 * * *\""
        } else {
            ""
        };
        let input = released(&format!("kind = \"{kind}\"\n[run]\n{schedule}"));
        let beside = ["ServiceAccount", "NetworkPolicy", "ConfigMap"];
        let all = list(&input);
        let own: Vec<&String> = all
            .iter()
            .filter(|one| !beside.iter().any(|kind| one.starts_with(kind)))
            .collect();
        assert_eq!(own, wanted, "{kind}");
    }
}

#[test]
fn a_selector_finds_the_replicas_of_one_release_or_all() {
    let input = released("");
    let deployment = one(&input, "Deployment");
    let own = json!({ "app.kubernetes.io/name": "bot", "agentctl.dev/release": "r7" });
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], own);
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    for (name, value) in own.as_object().unwrap() {
        assert_eq!(&labels[name], value);
    }
    let all = json!({ "app.kubernetes.io/name": "bot" });
    assert_eq!(one(&input, "Service")["spec"]["selector"], all);
    // A selector cannot be changed, and this workload outlives the release.
    let stateful = one(&released("kind = \"stateful\""), "StatefulSet");
    assert_eq!(stateful["spec"]["selector"]["matchLabels"], all);
    assert_eq!(
        stateful["spec"]["template"]["metadata"]["labels"]["agentctl.dev/release"],
        "r7"
    );
}

#[test]
fn a_stateful_agent_has_disks_and_names() {
    let input = input(
        "kind = \"stateful\"\n[run]\nreplicas = 3\nvolumes.data = { path = \"/data\", size = \"10Gi\", class = \"fast\" }",
    );
    let spec = one(&input, "StatefulSet")["spec"].clone();
    assert_eq!(spec["serviceName"], "bot-replicas");
    let claim = &spec["volumeClaimTemplates"][0];
    assert_eq!(claim["metadata"]["name"], "data");
    assert_eq!(claim["spec"]["storageClassName"], "fast");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "10Gi");
    let mounts = agent(&input)["volumeMounts"].clone();
    let data = json!({ "name": "data", "mountPath": "/data" });
    assert!(mounts.as_array().unwrap().contains(&data), "{mounts}");
    let security = &pod(&input)["spec"]["securityContext"];
    assert_eq!(security["fsGroupChangePolicy"], "OnRootMismatch");
    let services = rendered(&input);
    let headless = services
        .iter()
        .find(|object| object.file == "service-headless")
        .unwrap();
    assert_eq!(headless.value["spec"]["clusterIP"], "None");
}

#[test]
fn a_job_ends() {
    let input = input("kind = \"job\"\n[run]\ntime_limit = \"1h\"\nretries = 4");
    let spec = one(&input, "Job")["spec"].clone();
    assert_eq!(spec["activeDeadlineSeconds"], 3600);
    assert_eq!(spec["backoffLimit"], 4);
    assert!(spec["ttlSecondsAfterFinished"].is_u64());
    assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    let agent = &spec["template"]["spec"]["containers"][0];
    for absent in ["ports", "readinessProbe", "startupProbe", "lifecycle"] {
        assert!(agent.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn a_cron_agent_runs_by_its_own_clock() {
    let text = "kind = \"cron\"\ntime_zone = \"Europe/Berlin\"\n[run]\nschedule = \"0 6 * * mon\"";
    let spec = one(&input(text), "CronJob")["spec"].clone();
    assert_eq!(spec["schedule"], "0 6 * * mon");
    assert_eq!(spec["timeZone"], "Europe/Berlin");
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    let job = &spec["jobTemplate"]["spec"];
    assert!(job.get("ttlSecondsAfterFinished").is_none());
    assert_eq!(job["template"]["spec"]["restartPolicy"], "Never");
}

#[test]
fn an_old_cluster_gets_the_forms_that_it_knows() {
    let old = "\n[environments.x.target.kubernetes]\nversion = \"1.20\"";
    let cron = input(&format!(
        "kind = \"cron\"\n[run]\nschedule = \"0 6 * * *\"{old}"
    ));
    let cron = one(&cron, "CronJob");
    assert_eq!(cron["apiVersion"], "batch/v1beta1");
    assert!(cron["spec"].get("timeZone").is_none());
    let budget = one(
        &input(&format!("[run]\nreplicas = 2{old}")),
        "PodDisruptionBudget",
    );
    assert_eq!(budget["apiVersion"], "policy/v1beta1");
    assert!(budget["spec"].get("unhealthyPodEvictionPolicy").is_none());
    let leaving = agent(&input(old))["lifecycle"]["preStop"].clone();
    assert_eq!(leaving, json!({ "exec": { "command": ["sleep", "5"] } }));
}

#[test]
fn a_scaler_decides_the_number() {
    let fixed = one(&input("[run]\nreplicas = 4"), "Deployment");
    assert_eq!(fixed["spec"]["replicas"], 4);
    let scaled = "[scale]\ncpu = 70\n[run]\nresources.cpu = \"1\"";
    let scaled = one(&input(scaled), "Deployment");
    assert!(scaled["spec"].get("replicas").is_none());
    let recommended = one(&input("[scale]\nrecommend = true"), "Deployment");
    assert_eq!(recommended["spec"]["replicas"], 1);
}

#[test]
fn what_is_written_for_people_has_any_form() {
    let text =
        "description = \"a: \\\"b\\\" #c\"\nteam = \"{{ Team }}\\n\"\nlabels = { tier = \"web\" }";
    let metadata = one(&input(text), "Deployment")["metadata"].clone();
    assert_eq!(
        metadata["annotations"]["agentctl.dev/description"],
        "a: \"b\" #c"
    );
    assert_eq!(metadata["annotations"]["agentctl.dev/team"], "{{ Team }}\n");
    assert_eq!(metadata["labels"]["tier"], "web");
}
