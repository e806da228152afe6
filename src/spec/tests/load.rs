use super::full::FULL;
use super::{SMALL, bad, good, load};
use crate::spec::{Part, RolloutStep, SecretSource, TargetSpec};

#[test]
fn a_small_file_has_the_documented_defaults() {
    let loaded = good(SMALL);
    assert_eq!(loaded.spec.run.port, 8000);
    assert_eq!(loaded.spec.run.files, ["."]);
    assert_eq!(loaded.target, TargetSpec::default());
    assert!(!loaded.approve && loaded.warnings.is_empty());
}

#[test]
fn without_an_environment_the_base_applies() {
    let loaded = good(FULL);
    assert_eq!(loaded.environment, None);
    assert_eq!(loaded.spec.run.replicas, 3);
}

#[test]
fn an_environment_merges_tables_and_replaces_the_rest() {
    let staging = load(FULL, Some("staging")).unwrap();
    assert_eq!(staging.spec.run.replicas, 2);
    assert_eq!(staging.spec.run.port, 8080);
    let secret = &staging.spec.secrets["DB_PASSWORD"];
    assert_eq!(*secret, SecretSource::Env("STAGING_DB".to_owned()));
    assert_eq!(staging.spec.secrets.len(), 2);
    let listen = std::net::Ipv4Addr::UNSPECIFIED.into();
    assert_eq!(staging.target, TargetSpec::Process { listen });

    let production = load(FULL, Some("production")).unwrap();
    assert!(production.approve);
    assert_eq!(production.spec.config.settings["temperature"], 0.5);
    assert_eq!(production.spec.config.settings["max_tokens"], 8192);
    assert_eq!(production.spec.rollout.steps.len(), 2);
    assert_eq!(production.spec.run.env["LOG"].to_string(), "warn");
    assert_eq!(production.spec.run.env.len(), 3);
}

#[test]
fn an_environment_may_complete_the_base() {
    let text = "[build]\nversion = \"3\"\n[agent]\nname = \"a\"\n[environments.x]\nbuild.runtime = \"python\"\n";
    assert!(load(text, Some("x")).is_ok());
    assert_eq!(bad(text)[0].message, "\"runtime\" is missing in [build]");
}

#[test]
fn an_environment_that_is_not_there_is_answered_with_those_that_are() {
    let problems = load(FULL, Some("prod")).unwrap_err();
    let problem = &problems.list()[0];
    assert_eq!(problem.message, "agent.toml has no environment \"prod\"");
    let hint = problem.hint.as_deref();
    assert_eq!(hint, Some("it has development, production, staging"));
    let problems = load(SMALL, Some("prod")).unwrap_err();
    let hint = problems.list()[0].hint.clone().unwrap();
    assert_eq!(hint, "it has none; add [environments.prod]");
}

#[test]
fn variables_are_put_in_and_port_and_secrets_stay() {
    let spec = good(FULL).spec;
    assert_eq!(spec.run.command[3].to_string(), "--port=${PORT}");
    assert_eq!(spec.run.command[5].to_string(), "eu-1");
    let text = |text: &str| Part::Text(text.to_owned());
    let secret = Part::Secret("DB_PASSWORD".to_owned());
    let parts = [text("postgres://u:"), secret, text("@db/eu-1")];
    assert_eq!(spec.run.env["DB"].0, parts);
    assert_eq!(spec.run.env["PLAIN"].0, [text("${X}")]);
}

#[test]
fn a_canary_without_steps_walks_the_usual_ones() {
    let text = format!("{SMALL}[rollout]\nstrategy = \"canary\"\n");
    let steps = good(&text).spec.rollout.steps;
    let weight = |step: &RolloutStep| match step {
        RolloutStep::Weight { weight, hold } => (weight.hundredths(), hold.as_millis()),
        RolloutStep::Approve { .. } => (0, 0),
    };
    let walked: Vec<_> = steps.iter().map(weight).collect();
    assert_eq!(walked, [(1000, 300_000), (5000, 300_000), (10_000, 0)]);
}

#[test]
fn what_never_applies_is_a_warning() {
    let text = format!("{SMALL}[drain]\nconversations = \"1m\"\nidle = \"5m\"\n");
    let warnings = good(&text).warnings;
    assert_eq!((warnings.len(), warnings[0].line), (1, 7));
}
