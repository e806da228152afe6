//! What an image is built on stays what it was when it was pinned.

use super::Agent;
use crate::support::engine::{self, docker};

/// Puts `TINY` with this text in it into the registry.
fn publish(image: &str, text: &str) -> String {
    let container = docker(&["create", engine::TINY, "/bin/true"]).unwrap();
    let change = format!("ENV TEXT={text}");
    docker(&["commit", "--change", &change, &container, image]).unwrap();
    docker(&["rm", &container]).unwrap();
    docker(&["push", image]).unwrap();
    let format = "--format={{index .RepoDigests 0}}";
    let named = docker(&["image", "inspect", format, image]).unwrap();
    docker(&["rmi", image]).unwrap();
    named.split_once('@').unwrap().1.to_owned()
}

#[test]
fn a_pinned_build_stands_on_the_digests() {
    let Some((agent, registry)) = Agent::kept("pinned", "", "") else {
        return;
    };
    let [base, tools] = ["base", "tools"].map(|name| format!("{}/{name}:1", registry.host()));
    let digests = [publish(&base, "one"), publish(&tools, "tools")];
    let dockerfile = format!(
        "FROM {base}\nCOPY text /\nCOPY --from={tools} /bin/busybox /tools\nRUN echo $TEXT > /said\n"
    );
    agent.place.write("Dockerfile", &dockerfile);
    agent.place.write("text", "one");
    let built = agent.run(&["build", "--pin"], &[]).ends(0);
    built.says("agent.lock names 2 base images by digest");
    let lock = agent.place.read("agent.lock");
    for (image, digest) in [&base, &tools].into_iter().zip(&digests) {
        let line = format!("\"{image}\" = \"{digest}\"\n");
        assert!(lock.contains(&line), "{line}{lock}");
    }
    assert_eq!(agent.says(&["cat", "/said"]), "one");

    agent.forget();
    publish(&base, "two");
    agent.place.write("text", "two");
    agent.run(&["build"], &[]).ends(0).says("built");
    assert_eq!(agent.says(&["cat", "/said", "/text"]), "one\ntwo");
    agent.forget();
    agent.run(&["build", "--pin"], &[]).ends(0).says("built");
    assert_eq!(agent.says(&["cat", "/said"]), "two");
    assert!(agent.place.read("agent.lock").contains(&digests[1]));
}

#[test]
fn the_classic_builder_stands_on_them_too() {
    let Some((agent, registry)) = Agent::kept("pinned-classic", "", "") else {
        return;
    };
    let base = format!("{}/base:1", registry.host());
    publish(&base, "one");
    let dockerfile = format!("FROM {base}\nCOPY --from={base} /bin/busybox /tools\nCOPY text /\n");
    agent.place.write("Dockerfile", &dockerfile);
    agent.place.write("text", "one");
    let classic = ("DOCKER_BUILDKIT", "0");
    agent.run(&["build", "--pin"], &[classic]).ends(0);
    publish(&base, "two");
    agent.place.write("text", "two");
    agent.run(&["build"], &[classic]).ends(0).says("built");
    assert_eq!(agent.says(&["sh", "-c", "echo $TEXT"]), "one");
    agent.forget();
}

/// A lock that is behind its Dockerfile pins nothing, and nobody would see it.
#[test]
fn a_base_that_the_lock_does_not_know_is_refused() {
    let Some((agent, registry)) = Agent::kept("unpinned", "", "") else {
        return;
    };
    let base = |tag: &str| format!("{}/base:{tag}", registry.host());
    publish(&base("1"), "one");
    publish(&base("2"), "two");
    agent
        .place
        .write("Dockerfile", format!("FROM {}\n", base("1")));
    agent.run(&["build", "-q", "--pin"], &[]).ends(0);
    agent
        .place
        .write("Dockerfile", format!("FROM {}\n", base("2")));
    agent.forget();
    let says = format!(
        "agent.lock does not name {} (line 1 of the Dockerfile)",
        base("2")
    );
    for verb in ["build", "push"] {
        let ran = agent.run(&[verb], &[]).ends(2);
        ran.says(&says)
            .says("hint: pin it too: agentctl build --pin");
        assert_eq!(agent.images(), Vec::<String>::new());
    }
    agent
        .run(&["build", "-q", "--pin"], &[])
        .ends(0)
        .says("built");
}
