//! A candidate that is asked what users ask, and answers nobody.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Background, Place, eventually, kill};

/// Copies for an hour: it stands there until something happens.
pub(crate) const SHADOW: &str = r#"
rollout.strategy = "shadow"
rollout.shadow.hold = "1h"
"#;
pub(crate) const COPIES: &str = "holding with copies of 100 %";

/// A second release that gets copies.
fn shadow(more: &str) -> (Place, Background) {
    let place = Place::deployed("run.env.SAYS_SHADOW = \"\"");
    let deploy = place.deploy_until(&format!("{SHADOW}{more}"), COPIES);
    (place, deploy)
}

fn copies(place: &Place) -> Value {
    place.status()["rollout"]["copies"].clone()
}

/// Waits until so many copies were answered.
#[track_caller]
fn copied(place: &Place, count: u64) {
    eventually("they are copied", || copies(place)["copied"] == count);
}

fn pairs(place: &Place, file: &str) -> Vec<Value> {
    lines(&fs::read_to_string(place.state().join("pairs").join(file)).unwrap())
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn nobody_hears_its_answers_and_they_are_compared() {
    let (place, deploy) = shadow(
        "run.env = { SAYS_SHADOW = \"\", ANSWER = \"two\", DELAY = \"0.01\" }\nrollout.shadow.capture = \"pairs.jsonl\"\nrollout.shadow.redact = [\"json:pid\", \"query:key\"]\n",
    );
    for _ in 0..5 {
        assert_eq!(place.ask("release"), "r1");
    }
    // Whoever asks cannot say that it is a copy, and what is secret is not kept.
    let more = "X-Agentctl-Shadow: 1\r\nAuthorization: Bearer hush\r\nConnection: close\r\n";
    place.open("/?key=hush", more).after("{");
    copied(&place, 6);
    let told = copies(&place);
    let same = json!([
        told["same_status"],
        told["same"],
        told["dropped"],
        told["ended"]
    ]);
    assert_eq!(same, json!([6, 0, 0, null]));
    let pairs = pairs(&place, "pairs.jsonl");
    assert!(!format!("{pairs:?}").contains("hush"), "{pairs:?}");
    for pair in &pairs {
        let bodies = [&pair["stable"]["body"], &pair["candidate"]["body"]];
        assert_eq!(bodies[0]["shadow"], Value::Null);
        assert_eq!(bodies[1]["shadow"], "1");
        assert_eq!(bodies[1]["reply"], "two");
        assert_eq!(bodies[1]["pid"], "[redacted]");
        let differs = json!(["$.pid", "$.release", "$.reply", "$.shadow"]);
        assert_eq!(sorted(&pair["differs"]), differs);
    }
    let told = "6 requests copied to r2: 6 with the same status, 0 the same";
    place.run(&["status"]).ends(0).says(told);
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    assert_eq!(place.ask("release"), "r1");
}

/// An agent says what it was started with, and a new value has come since.
#[test]
fn values_of_secrets_are_in_no_pair() {
    let place = Place::new("secrets.KEY = { file = \"key\" }");
    place.write("key", "an-old-value");
    place.run(&["deploy"]).ends(0);
    place.write("key", "the-new-value");
    let deploy = place.deploy_until(
        &format!(
            "{SHADOW}secrets.KEY = {{ file = \"key\" }}\nrun.env.ANSWER = \"two\"\n\
             rollout.shadow.capture = \"pairs.jsonl\"\n"
        ),
        COPIES,
    );
    let told = place.get("/env").1;
    assert!(told.contains("an-old-value"), "{told}");
    place.get("/?key=the-new-value");
    copied(&place, 2);
    let pairs = pairs(&place, "pairs.jsonl");
    assert!(!format!("{pairs:?}").contains("-value"), "{pairs:?}");
    let of = |path: &str| pairs.iter().find(|pair| pair["request"]["path"] == path);
    assert!(of("/?key=[KEY redacted]").is_some(), "{pairs:?}");
    for side in ["stable", "candidate"] {
        assert_eq!(of("/env").unwrap()[side]["body"]["KEY"], "[KEY redacted]");
    }
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
}

pub(crate) fn sorted(list: &Value) -> Value {
    let mut list: Vec<String> = serde_json::from_value(list.clone()).unwrap();
    list.sort();
    json!(list)
}

#[test]
fn takes_over_when_the_hold_is_over() {
    let place = Place::deployed("");
    place.spec(
        "rollout.strategy = \"shadow\"\nrollout.shadow.hold = \"50ms\"\nrun.env.ANSWER = \"two\"",
    );
    place.run(&["deploy"]).exactly(
        0,
        "",
        "\
TIME  plan   shadow r1 → r2, 3 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  copies   100 % of requests to r2
TIME  gate   holding with copies of 100 % for T
TIME  gate   held T
TIME  traffic   r2 100 %, r1 0 %
TIME  r1   1 replica leaving
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "two");
    assert_eq!(copies(&place), Value::Null);
}

#[test]
fn a_candidate_that_fails_on_copies_is_undone_and_no_user_sees_it() {
    let gate = r#"
run.env.FAIL_EVERY = "3"
[[gate]]
metric = "error_rate"
against = "stable"
worse_by = 0.1
"#;
    let (place, mut deploy) = shadow(gate);
    while deploy.is_running() {
        assert_eq!(place.get("/").0, 200);
    }
    let ran = deploy.wait().ends(1).says("undoing   error_rate ");
    ran.says(" beside 0.0 % (10 % more is no harm), more than chance explains");
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn more_used_for_the_same_requests_is_found() {
    let place = Place::deployed("run.env.TOKENS = \"100\"");
    let deploy = place.deploy_until(
        &format!(
            r#"{SHADOW}
rollout.settle = "50ms"
run.env.TOKENS = "700"
[[gate]]
metric = "tokens_per_conversation"
against = "stable"
cap = 1000
"#
        ),
        COPIES,
    );
    let ran = deploy.under_load(&place).ends(1);
    ran.says("tokens_per_conversation 700 beside 100, more than chance explains");
}

#[test]
fn a_candidate_that_hangs_or_dies_holds_nobody_up() {
    let (place, deploy) = shadow("run.env.DELAY = \"3600\"\n");
    for _ in 0..20 {
        assert_eq!(place.ask("release"), "r1");
    }
    let candidate = |status: &Value| {
        let all = status["releases"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["release"] == "r2").unwrap()
    };
    eventually("copies are open", || {
        candidate(&place.status())["open_requests"] == 20
    });
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    eventually("r2 is gone", || place.replicas().len() == 1);
}

#[test]
fn a_conversation_is_copied_from_its_beginning_and_to_one_replica() {
    let place = Place::deployed("drain.idle = \"1h\"");
    assert_eq!(place.ask_in("old", "release"), "r1");
    let deploy = place.deploy_until(&format!("{SHADOW}drain.idle = \"1h\"\nrun.replicas = 2\nrollout.shadow.capture = \"pairs.jsonl\"\nrun.env.ANSWER = \"two\""), COPIES);
    for _ in 0..3 {
        assert_eq!(place.ask_in("old", "release"), "r1");
        assert_eq!(place.ask_in("new", "release"), "r1");
    }
    copied(&place, 3);
    let pids = pairs(&place, "pairs.jsonl");
    let pids: Vec<_> = pids
        .iter()
        .map(|pair| &pair["candidate"]["body"]["pid"])
        .collect();
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    // The conversation of the copies keeps nothing from ending.
    eventually("r2 is gone", || place.replicas().len() == 1);
}

#[test]
fn copying_ends_at_its_limits() {
    let (place, _deploy) = shadow("rollout.shadow.max_cost = 0.1\nrun.env.COST = \"0.05\"\n");
    eventually("the cost is reached", || {
        place.ask("reply");
        copies(&place)["ended"] == "the copies' cost reached 0.1"
    });
    let before = copies(&place)["copied"].clone();
    place.ask("reply");
    assert_eq!(copies(&place)["copied"], before);
    let told = "copying has ended: the copies' cost reached 0.1";
    place.run(&["status"]).ends(0).says(told);
    place.run(&["abort"]).ends(0);
    let (place, _deploy) = shadow("rollout.shadow.at_most = \"50ms\"\n");
    eventually("its time is over", || {
        copies(&place)["ended"] == "its time is over"
    });
    place.run(&["abort"]).ends(0);
}

#[test]
fn copies_and_what_they_came_to_outlive_the_edge() {
    let (place, deploy) = shadow("run.env.ANSWER = \"two\"\n");
    for _ in 0..4 {
        place.ask("reply");
    }
    copied(&place, 4);
    let kept = place.state().join("counts.json");
    eventually("they are written down", || {
        let text = fs::read_to_string(&kept).unwrap_or_default();
        text.contains("\"copied\":4")
    });
    kill(place.edge());
    eventually("an edge is back", || copies(&place)["copied"] == 4);
    place.ask("reply");
    copied(&place, 5);
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
}

#[test]
fn a_risky_agent_begins_with_a_shadow_and_goes_on_with_steps() {
    let place = Place::deployed("agent.risk = \"high\"");
    place.spec("agent.risk = \"high\"\nrollout.strategy = \"auto\"\nrun.env.ANSWER = \"two\"");
    let plan = place.run(&["plan"]).ends(0);
    plan.says("auto: run.env.ANSWER changed, and agent.risk is high")
        .says("copies of 100 %  hold 30m")
        .says("10 %  hold 5m");
}

#[test]
fn a_plan_tells_how_copying_ends() {
    let place = Place::deployed("");
    place.spec(&format!(
        "{SHADOW}run.env.ANSWER = \"two\"\nrollout.shadow.at_most = \"2h\"\nrollout.shadow.max_cost = 5.5\nrollout.shadow.capture = \"p.jsonl\"\n"
    ));
    let plan = place.run(&["plan"]).ends(0);
    plan.says("copies  end after 2h at the latest")
        .says("end once they cost 5.5")
        .says("are kept in pairs/p.jsonl, with both answers");
}

#[test]
fn where_nothing_can_be_copied_it_is_refused() {
    let place = Place::new("agent.kind = \"worker\"\nrollout.strategy = \"shadow\"");
    place
        .run(&["check"])
        .ends(2)
        .says("nobody sends requests to a worker, so there are none to copy");
    place.spec("rollout.strategy = \"shadow\"\nimage.image = \"a/b:1\"\n[environments.far]\ntarget.kubernetes = {}");
    place
        .run(&["plan", "-e", "far"])
        .ends(2)
        .says("a Service alone sends requests to replicas, and nothing copies requests");
    for (given, why) in [
        (
            "network.router = \"istio\"\nnetwork.host = \"bot.example.com\"\nrollout.shadow.capture = \"p.jsonl\"",
            "a router of a cluster copies requests, and looks at no answers",
        ),
        (
            "network.router = \"nginx\"\nnetwork.host = \"bot.example.com\"\nrollout.mirror = 20",
            "ingress-nginx copies all requests or none",
        ),
    ] {
        place.spec(&format!("rollout.strategy = \"shadow\"\nimage.image = \"a/b:1\"\n{given}\n[environments.far]\ntarget.kubernetes = {{}}"));
        place.run(&["plan", "-e", "far"]).ends(2).says(why);
    }
}
