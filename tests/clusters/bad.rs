//! Replicas that never get ready: undone, with what the cluster says about them.

use super::Clustered;
use crate::support::CANARY;

/// What is wrong with the new release, and what is said of it.
const BAD: [(&str, &[&str]); 4] = [
    (
        "run.env.NEVER_READY = \"1\"\nhealth.startup.within = \"5s\"",
        &["503"],
    ),
    (
        "run.env.LAST_WORDS = \"ValueError: no key\"",
        &["ValueError: no key"],
    ),
    (
        "run.resources.memory = \"900Gi\"\nrun.resources.memory_limit = \"900Gi\"\n\
         health.startup.within = \"5s\"",
        &["Insufficient memory"],
    ),
    (
        "run.env.LEAKS = \"1\"\nrun.resources.memory = \"64Mi\"\nrun.resources.memory_limit = \"64Mi\"",
        &["memory"],
    ),
];

#[test]
fn all_are_undone_with_the_reason() {
    let Some(agent) = Clustered::deployed("bad", "") else {
        return;
    };
    for (bad, says) in BAD {
        agent.spec(&format!("rollback.max_per_hour = 100\n{bad}{CANARY}"));
        let ran = agent.run(&["deploy"]).ends(1).says("rolled back to r1");
        let _ = says.iter().fold(ran, |ran, says| ran.says(says));
        agent.whole("r1", 1);
    }
}

#[test]
fn an_image_that_is_not_there() {
    let Some(agent) = Clustered::deployed("no-image", "") else {
        return;
    };
    let (repository, _) = agent.image.split_once('@').unwrap();
    let digest = "0".repeat(64);
    let spec = agent.place.read("agent.toml");
    let image = format!("{repository}@sha256:{digest}");
    agent
        .place
        .write("agent.toml", spec.replace(&agent.image, &image));
    agent
        .run(&["deploy"])
        .ends(1)
        .says("rolled back to r1")
        .says("not found");
    agent.whole("r1", 1);
}
