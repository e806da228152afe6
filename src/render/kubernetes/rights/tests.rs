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
fn what_a_deploy_needs_is_granted() {
    let texts = [
        "",
        "secrets.K = { env = \"K\" }\nrollout.probe = [{ request = { path = \"/\" } }]\n",
        "run.replicas = 2\nscale.max = 3\nscale.by = \"hpa\"\nscale.cpu = 60\n\
         run.resources.cpu = \"1\"\nnetwork.router = \"nginx\"\nnetwork.host = \"a.example.com\"\n",
    ];
    for more in texts {
        let text = format!("agent.name = \"bot\"\nimage.image = \"bot:1\"\n{more}{TARGET}");
        let input = input_in(&text, Some("x"));
        let granted = rights(&input, &templates()).unwrap();
        for need in needed(&input, &templates()).unwrap() {
            let is_it = |one: &&Right| (&one.group, &one.resource) == (&need.group, &need.resource);
            let verbs = granted.iter().find(is_it).map(|right| &right.verbs[..]);
            let verbs = verbs.unwrap_or_default();
            assert!(
                need.verbs.iter().all(|verb| verbs.contains(verb)),
                "{need:?}"
            );
        }
    }
}

#[test]
fn a_deploy_needs_the_kinds_of_its_objects() {
    let text = format!(
        "agent.name = \"bot\"\nimage.image = \"bot:1\"\nrun.replicas = 2\nscale.max = 3\n\
         scale.by = \"hpa\"\nscale.cpu = 60\nrun.resources.cpu = \"1\"\n{TARGET}"
    );
    let all = needed(&input_in(&text, Some("x")), &templates()).unwrap();
    let has = |name: &str| all.iter().any(|right| right.resource == name);
    assert!(has("poddisruptionbudgets") && has("horizontalpodautoscalers"));
    assert!(!has("secrets") && !has("jobs"), "{all:#?}");
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
