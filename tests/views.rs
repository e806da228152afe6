//! `status`, `history`, `logs` and `plan`: as text, and as JSON.

use serde_json::{Value, json};

use crate::support::{CANARY, Place, Ran};

/// Without what no two runs share.
fn plain(ran: &Ran) -> Value {
    let mut lines = ran.json();
    lines.iter_mut().for_each(strip);
    match lines.len() {
        1 => lines.remove(0),
        _ => Value::Array(lines),
    }
}

fn strip(value: &mut Value) {
    const CHANGING: [&str; 6] = ["started", "finished", "since", "by", "url", "at"];
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !(CHANGING.contains(&name.as_str()) && value.is_string()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => (),
    }
}

#[test]
fn before_anything_was_deployed() {
    let place = Place::new("");
    for verb in [
        "status", "history", "logs", "stop", "approve", "abort", "resume", "rollback",
    ] {
        place.run(&[verb]).exactly(
            2,
            "",
            "\
error: no agent named bot was deployed from here
hint: deploy one first: agentctl deploy -f agent.toml
",
        );
    }
    assert!(!place.path("state").exists());
}

#[test]
fn as_text() {
    let place = Place::deployed("run.replicas = 2");
    place.ask("release");
    place.run(&["status"]).says("2/2 ready");
    place.run(&["history"]).exactly(
        0,
        "\
rollout   started   kind   change   took   by   outcome
   1   DATE   first deploy   r1   T   tester@host   completed
",
        "",
    );
    place
        .run(&["logs"])
        .exactly(0, "r1-1 │ agent r1 starts\nr1-2 │ agent r1 starts\n", "");
    place.run(&["logs", "--release", "r7"]).ends(2);
}

#[test]
fn as_json() {
    let place = Place::deployed("");
    assert_eq!(
        plain(&place.run(&["status", "--output", "json"]).ends(0)),
        json!({
            "v": 1, "agent": "bot", "environment": null, "closed": null,
            "releases": [{
                "release": "r1", "role": "stable", "weight": 100,
                "ready": 1, "wanted": 1, "coming": 0, "leaving": 0,
                "requests": 0, "errors": 0, "error_rate": null,
                "latency_p50": null, "latency_p95": null,
                "open_requests": 0, "open_conversations": 0,
                "tokens": null, "cost": null, "failing": []
            }],
            "rollout": null,
            "last": {
                "rollout": 1, "strategy": "rolling", "from": null, "to": "r1",
                "outcome": "completed"
            },
            "next": null
        })
    );
    assert_eq!(
        plain(&place.run(&["history", "--output", "json"]).ends(0)),
        json!({
            "v": 1, "agent": "bot", "environment": null,
            "rollouts": [{
                "rollout": 1, "strategy": "rolling", "from": null, "to": "r1",
                "outcome": "completed"
            }]
        })
    );
    assert_eq!(
        plain(&place.run(&["logs", "--output", "json"]).ends(0)),
        json!({ "v": 1, "release": "r1", "replica": 1, "line": "agent r1 starts" })
    );
}

#[test]
fn a_plan_as_json() {
    let place = Place::new("");
    assert_eq!(
        plain(&place.run(&["plan", "--output", "json"]).ends(0)),
        json!({
            "v": 1, "agent": "bot", "environment": null, "changes": [],
            "plan": {
                "strategy": "rolling", "to": "r1", "from": null,
                "steps": [
                    { "stable": 0, "candidate": 1, "weight": 100 },
                    { "stable": 0, "candidate": 1, "weight": 100 }
                ],
                "undo": [{ "stable": 0, "candidate": 0, "weight": 0 }],
                "sticky": true, "auto_undo": true, "patience": "1h", "startup": "5m"
            }
        })
    );
}

#[test]
fn a_running_rollout() {
    let place = Place::deployed("");
    let deploy = place.deploy_until(
        &format!("run.env.ANSWER = \"two\"\n{}", CANARY),
        "holding at 50 %",
    );
    let status = place.status();
    let rollout = &status["rollout"];
    assert_eq!(
        [&rollout["rollout"], &rollout["weight"], &rollout["step"]],
        [&json!(2), &json!(50), &json!(1)]
    );
    let holder = rollout["holder"].as_str().unwrap();
    assert!(
        holder.contains(&format!("(pid {})", deploy.id())),
        "{holder}"
    );
    let roles: Vec<_> = status["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|release| (release["release"].as_str(), release["role"].as_str()))
        .collect();
    assert_eq!(
        roles,
        [
            (Some("r1"), Some("stable")),
            (Some("r2"), Some("candidate"))
        ]
    );
    deploy.kill();
    place.run(&["status"]).ends(0).says("run by nobody");
}

#[test]
fn told_by_name_where_there_is_no_file() {
    let place = Place::deployed("");
    std::fs::remove_file(place.path("agent.toml")).unwrap();
    place.run(&["status"]).ends(0).says("r1  stable");
    place
        .run(&["status", "-a", "bot"])
        .ends(0)
        .says("r1  stable");
    place.run(&["status", "-a", "bit"]).exactly(
        2,
        "",
        "\
error: no agent named bit was deployed from here
hint: -f names its agent.toml; or say which: --agent bot
",
    );
}

/// Whether they run or were stopped.
#[test]
fn of_several_agents_one_is_named_where_there_is_no_file() {
    let place = Place::empty();
    for name in ["bit", "bot"] {
        std::fs::create_dir_all(place.path(&format!("state/agentctl/{name}"))).unwrap();
    }
    place.run(&["status"]).exactly(
        2,
        "",
        "\
error: there is no agent.toml here, and more than one agent was deployed on this machine
hint: -f names its agent.toml; or say which: --agent bit, or --agent bot
",
    );
}
