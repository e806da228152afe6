use super::*;
use crate::render::fixtures::{input_in, templates};

fn of(more: &str) -> Vec<String> {
    let text = format!("agent.name = \"bot\"\nimage.image = \"bot:1\"\n{more}");
    let rights = rights(&input_in(&text, Some("x")), &templates()).unwrap();
    let each = rights.into_iter().map(|right| {
        format!(
            "{}/{} {}",
            right.group,
            right.resource,
            right.verbs.join(" ")
        )
    });
    each.collect()
}

const TARGET: &str =
    "[environments.x.target.kubernetes]\nnamespace = \"agents\"\ncreate_namespace = true\n";

#[test]
fn only_what_the_agent_needs() {
    let plain = of(TARGET);
    let has = |all: &[String], start: &str| all.iter().any(|right| right.starts_with(start));
    assert!(
        has(&plain, "apps/deployments create delete get"),
        "{plain:#?}"
    );
    assert!(
        has(&plain, "/pods deletecollection get list watch"),
        "{plain:#?}"
    );
    for absent in [
        "keda.sh/",
        "gateway.networking.k8s.io/",
        "/namespaces",
        "apps/statefulsets",
    ] {
        assert!(!has(&plain, absent), "{absent}: {plain:#?}");
    }
    let more = of(&format!(
        "agent.kind = \"stateful\"\nnetwork.gateway = \"front\"\nscale.max = 3\nscale.cpu = 60\nrun.resources.cpu = \"100m\"\n{TARGET}"
    ));
    for there in [
        "keda.sh/scaledobjects ",
        "gateway.networking.k8s.io/httproutes ",
        "networking.k8s.io/networkpolicies ",
        "apps/statefulsets ",
    ] {
        assert!(has(&more, there), "{there}: {more:#?}");
    }
}

#[test]
fn plurals_are_those_of_the_cluster() {
    let cases = [
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("HTTPRoute", "httproutes"),
    ];
    for (kind, wanted) in cases {
        assert_eq!(plural(kind), wanted);
    }
}
