//! `agentctl render dockerfile` beside what a folder has already.

use std::fs;

use crate::support::Place;

fn place(build: &str) -> Place {
    let place = Place::empty();
    place.write("agent.toml", format!("agent.name = \"bot\"\n{build}"));
    place
}

const PYTHON: &str = "build.runtime = \"python\"\nbuild.entry = [\"python\", \"x.py\"]\n";

#[test]
fn rendered_twice_into_the_folder_that_is_built_from() {
    let place = place(PYTHON);
    for _ in 0..2 {
        place.run(&["render", "dockerfile", "-o", "."]).exactly(
            0,
            "",
            "wrote .dockerignore, Dockerfile into .\n",
        );
    }
    assert!(place.path(".dockerignore").exists());
}

#[test]
fn ones_own_dockerignore_stays() {
    let place = place(PYTHON);
    place.write(".dockerignore", "own");
    let ran = place.run(&["render", "dockerfile", "-o", "."]);
    ran.exactly(0, "", "wrote Dockerfile into .\n");
    assert_eq!(fs::read(place.path(".dockerignore")).unwrap(), b"own");
}

#[test]
fn ones_own_dockerfile_is_used() {
    let place = place("build.runtime = \"dockerfile\"\n");
    place.write("Dockerfile", "FROM scratch\n");
    place.run(&["render", "dockerfile", "-o", "."]).exactly(
        0,
        "",
        "wrote .dockerignore into .\n\
         Dockerfile is the agent's own, and is used as it is (build.runtime = \"dockerfile\")\n",
    );
    assert_eq!(
        fs::read(place.path("Dockerfile")).unwrap(),
        b"FROM scratch\n"
    );
}

#[test]
fn a_dockerfile_alone_is_printed() {
    let place = place(PYTHON);
    let ran = place.run(&["render", "dockerfile"]).ends(0);
    assert!(
        ran.stdout.starts_with("ARG BUILD_BASE=python:"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains(".git\n"));
}

#[test]
fn without_buildkit_there_is_no_place_for_secrets() {
    let place = place(&format!("{PYTHON}build.secrets = [\"NPM_TOKEN\"]\n"));
    place.run(&["render", "dockerfile", "--plain"]).exactly(
        2,
        "",
        "error: could not render bot\n  \
         caused by: build.secrets are mounted by BuildKit, and the classic builder has no safe place for them\n\
         hint: build it with BuildKit: leave --plain or DOCKER_BUILDKIT=0 out\n",
    );
}
