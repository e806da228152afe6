//! One moment of a rollout, another layout, another controller: the flags, as a user types them.

use crate::support::Place;

const AGENT: &str = r#"
[agent]
name = "bot"
[image]
image = "bot:1"
[network]
gateway = "infra/public"
[environments.production]
target = { kubernetes = { namespace = "agents" } }
approve = true
[environments.here]
"#;

fn place() -> Place {
    let place = Place::empty();
    place.write("agent.toml", AGENT);
    place
}

#[test]
fn a_candidate_gets_its_share() {
    let place = place();
    let moment = [
        "--release",
        "r13",
        "--candidate",
        "r14",
        "--weight",
        "5.5",
        "--mirror",
        "100",
    ];
    let matches = ["--match", "header:X-Beta=true"];
    let all: Vec<&str> = ["render", "kubernetes", "-o", "k8s"]
        .into_iter()
        .chain(moment)
        .chain(matches)
        .collect();
    place.run(&all).ends(0);
    let route = place.read("k8s/http-route.yaml");
    for wanted in [
        "name: bot-r14",
        "weight: 550",
        "weight: 9450",
        "percent: 100",
        "name: X-Beta",
    ] {
        assert!(route.contains(wanted), "{wanted} in\n{route}");
    }
}

#[test]
fn a_moment_that_cannot_be_is_refused() {
    let cases: [(&[&str], &str); 5] = [
        (&["--candidate", "r14"], "--release <RELEASE>"),
        (
            &["--release", "r13", "--weight", "5"],
            "--candidate <RELEASE>",
        ),
        (
            &["--release", "r13", "--candidate", "r13"],
            "r13 cannot be the candidate for itself",
        ),
        (
            &["--release", "r13", "--candidate", "r14", "--weight", "101"],
            "101 is not a percentage from 0 to 100",
        ),
        (
            &["--as", "flagger", "--release", "r13"],
            "cannot be used with",
        ),
    ];
    let place = place();
    for (flags, why) in cases {
        let all: Vec<&str> = ["render", "kubernetes"]
            .iter()
            .chain(flags)
            .copied()
            .collect();
        let ran = place.run(&all).ends(2);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[test]
fn only_clusters_are_overlays() {
    let place = place();
    place
        .run(&["render", "kubernetes", "--layout", "kustomize", "-o", "k8s"])
        .ends(0);
    assert!(place.path("k8s/base/kustomization.yaml").exists());
    assert!(
        place
            .path("k8s/overlays/production/kustomization.yaml")
            .exists()
    );
    assert!(!place.path("k8s/overlays/here").exists());
    place
        .run(&["render", "kubernetes", "--layout", "kustomize"])
        .exactly(
            2,
            "",
            "error: Kustomize reads folders\nhint: name one with -o\n",
        );
}

#[test]
fn a_controller_is_told_of_the_approval() {
    let place = place();
    place.write(
        "agent.toml",
        format!("{AGENT}[rollout]\nstrategy = \"canary\"\n"),
    );
    let ran = place.run(&[
        "render",
        "kubernetes",
        "-e",
        "production",
        "--as",
        "argo-rollouts",
    ]);
    let out = ran.ends(0).stdout;
    let (_, steps) = out.split_once("steps:\n").unwrap();
    assert!(steps.trim_start().starts_with("- pause: {}"), "{steps}");
    let ran = place.run(&[
        "render",
        "kubernetes",
        "-e",
        "production",
        "--as",
        "flagger",
    ]);
    let said = ran.ends(2).stderr;
    assert!(said.contains("Flagger asks nobody"), "{said}");
}
