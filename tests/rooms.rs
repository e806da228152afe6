//! Imports go one way only, and each room keeps to what belongs into it.

use std::collections::BTreeSet;

use crate::source::{self, Source};

/// What each room may know; those that know none may be used by all.
const MAY_USE: [(&str, &[&str]); 19] = [
    ("advice", &[]),
    ("durable", &[]),
    ("hex", &[]),
    ("otel", &[]),
    ("redact", &[]),
    ("spec", &[]),
    ("journal", &[]),
    ("docker", &[]),
    ("edge", &["docker"]),
    ("release", &["spec"]),
    ("analysis", &["spec", "release"]),
    ("rollout", &["spec", "release", "analysis"]),
    ("notify", &["spec", "release", "analysis", "rollout"]),
    ("render", &["spec", "release"]),
    (
        "image",
        &["spec", "release", "render", "analysis", "docker"],
    ),
    (
        "target",
        &[
            "spec", "release", "render", "analysis", "image", "journal", "edge", "docker",
        ],
    ),
    (
        "engine",
        &[
            "spec", "release", "rollout", "render", "analysis", "image", "target", "journal",
        ],
    ),
    (
        "ui",
        &[
            "spec", "release", "rollout", "render", "analysis", "image", "target",
        ],
    ),
    (
        "cli",
        &[
            "spec", "release", "rollout", "render", "analysis", "image", "target", "engine", "ui",
            "journal", "notify", "edge", "docker",
        ],
    ),
];
const FOR_ALL: [&str; 5] = ["advice", "durable", "hex", "otel", "redact"];
/// Lists the rooms, so it knows them all; as do the fuzz targets' doors.
const ABOVE_ALL: [&str; 3] = ["lib", "main", "fuzzing"];

/// The rooms that a line names: `use crate::spec::…`, `crate::journal::Store`, `use crate::{a, b}`.
fn named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap();
    let after = code.split("crate::").skip(1);
    let word = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    after
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split(',').map(word).collect(),
            None => vec![word(rest)],
        })
        .filter(|name| MAY_USE.iter().any(|(room, _)| room == name))
        .collect()
}

fn allowed(room: &str) -> BTreeSet<&str> {
    let (_, may) = MAY_USE
        .iter()
        .find(|(name, _)| *name == room)
        .unwrap_or_else(|| panic!("{room} is not in the list of rooms"));
    let own = std::iter::once(room);
    may.iter().copied().chain(FOR_ALL).chain(own).collect()
}

/// `path:line text`, for each line that breaks a rule.
fn breaches(breaks: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let all = source::all();
    let found = all.iter().flat_map(|source| {
        let broken = source.lines().filter(|(_, line)| breaks(source, line));
        broken.map(|(number, line)| format!("src/{}:{number}:{line}", source.path))
    });
    found.collect()
}

#[test]
fn know_only_those_below() {
    let wrong = breaches(|source, line| {
        !ABOVE_ALL.contains(&source.room())
            && named(line)
                .iter()
                .any(|name| !allowed(source.room()).contains(name.as_str()))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_breach_would_be_seen() {
    let cases = [
        ("use crate::engine::Engine;", vec!["engine"]),
        ("    let x = crate::ui::Console::new();", vec!["ui"]),
        ("use crate::{spec::Spec, ui};", vec!["spec", "ui"]),
        ("use std::fmt; // crate::ui", vec![]),
    ];
    for (line, names) in cases {
        assert_eq!(named(line), names, "{line}");
    }
}

#[test]
fn the_rollout_is_pure() {
    const OUTSIDE: [&str; 8] = [
        "std::time",
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "tokio",
        "async ",
        ".await",
    ];
    let wrong = breaches(|source, line| {
        let code = line.split("//").next().unwrap();
        source.room() == "rollout" && OUTSIDE.iter().any(|word| code.contains(word))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_ui_prints() {
    const PRINTS: [&str; 6] = [
        "println!",
        "print!",
        "eprintln!",
        "eprint!",
        "stdout()",
        "stderr()",
    ];
    // Where the process's own streams are handed to the ui, clap's usage, and a link that is spoken
    // over standard input and output.
    const HANDS_OVER: [&str; 3] = ["cli/show.rs", "cli/mod.rs", "target/docker/attend.rs"];
    let wrong = breaches(|source, line| {
        let code = line.split("//").next().unwrap();
        source.room() != "ui"
            && !source.is_test()
            && !HANDS_OVER.contains(&source.path.as_str())
            && PRINTS.iter().any(|word| code.contains(word))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
