//! What one engine built, another takes from the registry.

use std::fs;

use super::Agent;
use super::second::Second;
use crate::support::engine::{self, docker};
use crate::support::registry::{PASSWORD, RealRegistry, Wanted};

/// The first step makes something else each time that it runs.
fn dockerfile() -> String {
    format!(
        "FROM {}\nRUN cat /proc/sys/kernel/random/uuid > /once\nCOPY text /\n",
        engine::TINY
    )
}

#[test]
fn an_engine_without_it_takes_the_cache_from_the_registry() {
    let tags = "image.tags = [\"main\"]";
    let Some((agent, _registry)) = Agent::kept("cached", &dockerfile(), tags) else {
        return;
    };
    agent.place.write("text", "one");
    agent.run(&["push"], &[]).ends(0).says("pushed");
    let once = agent.says(&["cat", "/once"]);
    agent.forget();
    let Some(second) = Second::start() else {
        return;
    };
    agent.place.write("text", "two");
    let there = [("DOCKER_HOST", second.host.as_str())];
    agent.run(&["push"], &there).ends(0).says("pushed");
    docker(&["pull", &format!("{}:main", agent.repository)]).unwrap();
    assert_eq!(
        agent.says(&["cat", "/once", "/text"]),
        format!("{once}\ntwo")
    );
}

/// A registry that has the tag, and no cache with it.
#[test]
fn a_tag_without_a_cache_is_no_hindrance() {
    let tags = "image.tags = [\"main\"]";
    let Some((agent, _registry)) = Agent::kept("uncached", &dockerfile(), tags) else {
        return;
    };
    let main = format!("{}:main", agent.repository);
    docker(&["tag", engine::TINY, &main]).unwrap();
    docker(&["push", &main]).unwrap();
    agent.place.write("text", "one");
    agent.run(&["push"], &[]).ends(0).says("pushed");
    let failing = dockerfile() + "RUN false\n";
    fs::write(agent.place.path("Dockerfile"), failing).unwrap();
    let failed = agent.run(&["build"], &[]).ends(2);
    failed.says("caused by: Dockerfile:4: RUN false");
}

/// A registry that wants a login has the cache, and no base comes from it.
#[test]
fn the_cache_of_a_private_registry_is_logged_in_for() {
    let Some(mut agent) = Agent::new("private-cache", "") else {
        return;
    };
    let registry = RealRegistry::start(Wanted {
        login: true,
        ..Wanted::default()
    });
    agent.repository = format!("{}/team/private-cache", registry.host());
    agent.place.spec(&format!(
        "build.runtime = \"dockerfile\"\nimage.tags = [\"main\"]\nimage.repository = \"{}\"\n",
        agent.repository
    ));
    agent.place.write("Dockerfile", dockerfile());
    agent.place.write("text", "one");
    let config = registry.docker_config(PASSWORD).display().to_string();
    let login = ("DOCKER_CONFIG", config.as_str());
    agent.run(&["push"], &[login]).ends(0).says("pushed");
    let once = agent.says(&["cat", "/once"]);
    agent.forget();
    let Some(second) = Second::start() else {
        return;
    };
    agent.place.write("text", "two");
    let there = ("DOCKER_HOST", second.host.as_str());
    agent.run(&["push"], &[there, login]).ends(0).says("pushed");
    let main = format!("{}:main", agent.repository);
    docker(&["--config", &config, "pull", &main]).unwrap();
    assert_eq!(
        agent.says(&["cat", "/once", "/text"]),
        format!("{once}\ntwo")
    );
}
