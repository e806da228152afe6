//! What is killed at a bad moment is gone on with.

use super::{Clustered, QUICK};
use crate::support::CANARY;

/// Kills the deploy of another release once it has said this.
#[track_caller]
fn killed_at(agent: &Clustered, answer: &str, rollout: &str, said: &str) {
    agent.spec(&format!("run.env.ANSWER = \"{answer}\"{rollout}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until(said);
    deploy.kill();
}

#[test]
fn the_command_at_any_event() {
    let Some(agent) = Clustered::deployed("killed", "") else {
        return;
    };
    killed_at(&agent, "two", QUICK, "plan ");
    agent.run(&["resume"]).ends(0).says("r2 is live");
    agent.whole("r2", 1);
    killed_at(&agent, "three", CANARY, "replica started");
    agent.run(&["abort"]).ends(0).says("rolled back to r2");
    agent.whole("r2", 1);
    killed_at(&agent, "four", CANARY, "holding at 50 %");
    agent.run(&["rollback"]).ends(0).says("rolled back to r2");
    agent.whole("r2", 1);
    killed_at(&agent, "five", CANARY, "holding at 50 %");
    agent.spec("run.env.ANSWER = \"six\"");
    agent.run(&["deploy"]).ends(0).says("r6 is live");
    agent.whole("r6", 1);
}

/// Requests are split anew while what was left has some.
#[test]
fn another_release_is_split_beside_what_was_left() {
    let Some(agent) = Clustered::deployed("left-split", "") else {
        return;
    };
    killed_at(&agent, "two", CANARY, "holding at 50 %");
    agent.spec(&format!("run.env.ANSWER = \"three\"{QUICK}"));
    agent.run(&["deploy"]).ends(0).says("r3 is live");
    agent.whole("r3", 1);
}
