//! What undoes a rollout by itself, and the evidence that is left.

use std::fs;

use crate::support::{Background, CANARY, Place, Ran, eventually, kill, reply};

/// A second release behind a canary that stands at half the traffic; `more` makes it bad.
fn canary(more: &str) -> (Place, Background) {
    let place = Place::deployed("");
    let deploy = place.deploy_until(&format!("{}{more}", CANARY), "holding at 50 %");
    (place, deploy)
}

/// Everything is as before, and the evidence is there.
#[track_caller]
fn undone(place: &Place, ran: Ran, why: &str) -> Evidence {
    let ran = ran.ends(1).says(why);
    let path = place.state().join("evidence/0002");
    let ran = ran.says(&format!("evidence: {}", path.display()));
    assert_eq!(place.ask("release"), "r1");
    eventually("one replica is left", || place.replicas().len() == 1);
    let read = |name| fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(ran.stdout, "");
    Evidence {
        reason: read("reason.txt"),
        verdicts: read("verdicts.json"),
        seen: read("seen.json"),
        log: read("r2-1.log"),
    }
}

struct Evidence {
    reason: String,
    verdicts: String,
    seen: String,
    log: String,
}

#[test]
fn answers_with_errors() {
    let gate = r#"
run.env.FAIL_EVERY = "3"
[[gate]]
metric = "error_rate"
max = 0.1
min_requests = 6
"#;
    let (place, deploy) = canary(gate);
    let evidence = undone(&place, deploy.under_load(&place), "undoing   error_rate ");
    let reason = evidence.reason.trim_end();
    assert!(reason.ends_with("is above 10.0 %"), "{reason}");
    assert!(evidence.verdicts.contains(reason), "{}", evidence.verdicts);
    assert!(evidence.seen.contains("\"errors\": "), "{}", evidence.seen);
    assert_eq!(evidence.log, "agent r2 starts\n");
}

/// Its answers would never tell, for there are none.
#[test]
fn never_answers() {
    let gate = r#"
run.env.DELAY = "3600"
drain.grace = "100ms"
[[gate]]
metric = "latency_p95"
max = "1s"
min_requests = 3
unclear = "pass"
"#;
    let (place, deploy) = canary(gate);
    let _waiting: Vec<_> = (0..8).map(|_| place.open("/chat", "")).collect();
    let evidence = undone(&place, deploy.wait(), "undoing   latency_p95 ");
    assert!(evidence.seen.contains("\"waiting\""), "{}", evidence.seen);
}

#[test]
fn fails_more_often_than_the_release_beside_it() {
    let gate = r#"
run.env.FAIL_EVERY = "3"
[[gate]]
metric = "error_rate"
against = "stable"
worse_by = 0.1
"#;
    let (place, deploy) = canary(gate);
    let evidence = undone(&place, deploy.under_load(&place), "undoing   error_rate ");
    let reason = evidence.reason.trim_end();
    let why = " beside 0.0 % (10 % more is no harm), more than chance explains";
    assert!(reason.ends_with(why), "{reason}");
    assert!(evidence.verdicts.contains(reason), "{}", evidence.verdicts);
}

#[test]
fn answers_slower_than_the_release_beside_it() {
    let place = Place::deployed("");
    (0..110).for_each(|_| _ = place.get("/"));
    let deploy = place.deploy_until(
        &format!(
            r#"{CANARY}
run.env.DELAY = "0.1"
[[gate]]
metric = "latency_p50"
against = "stable"
"#
        ),
        "holding at 50 %",
    );
    let ran = deploy.under_load(&place);
    let reason = undone(&place, ran, "undoing   latency_p50 ").reason;
    assert!(
        reason.ends_with(" ms, more than chance explains\n"),
        "{reason}"
    );
}

#[test]
fn uses_more_than_the_release_beside_it() {
    let place = Place::deployed("run.env.TOKENS = \"100\"");
    let deploy = place.deploy_until(
        &format!(
            r#"{CANARY}
rollout.settle = "50ms"
run.env.TOKENS = "700"
[[gate]]
metric = "tokens_per_conversation"
against = "stable"
cap = 1000
"#
        ),
        "holding at 50 %",
    );
    let ran = deploy.under_load(&place);
    let evidence = undone(&place, ran, "undoing   tokens_per_conversation ");
    let why = "tokens_per_conversation 700 beside 100, more than chance explains\n";
    assert_eq!(evidence.reason, why);
}

#[test]
fn half_of_the_answers_are_errors() {
    let (place, deploy) = canary("run.env.FAIL_EVERY = \"1\"\n");
    let ran = deploy.under_load(&place);
    let reason = undone(&place, ran, "undoing   ").reason;
    assert!(reason.ends_with(" requests to r2 failed\n"), "{reason}");
}

#[test]
fn what_both_releases_fail_at_once_pauses() {
    let place = Place::deployed("run.env.FAIL_EVERY = \"2\"");
    let deploy = place.deploy_until(
        &format!(
            r#"{CANARY}
run.env = {{ FAIL_EVERY = "2", ANSWER = "two" }}
[[gate]]
metric = "error_rate"
max = 0.1
min_requests = 10
"#
        ),
        "holding at 50 %",
    );
    eventually("it pauses", || {
        place.get("/");
        fs::read_to_string(&deploy.err)
            .unwrap()
            .contains("  paused  ")
    });
    // Whoever looks from elsewhere sees why it stands still, and that a yes is not what it waits for.
    eventually("status says so", || {
        let ran = place.run(&["status"]).ends(0);
        ran.stdout
            .contains("  paused at 50 % until the releases no longer fail both\n  ○ error_rate ")
    });
    place
        .run(&["approve"])
        .ends(2)
        .says("error: no rollout of bot waits for approval\n");
    place.run(&["abort"]).ends(0);
    deploy
        .wait()
        .ends(1)
        .says("paused    error_rate ")
        .says(" is above 10.0 %, and so is r1's, ");
}

#[test]
fn answers_slowly() {
    let gate = r#"
run.env.DELAY = "0.05"
[[gate]]
name = "quick"
metric = "latency_p50"
max = "40ms"
min_requests = 3
"#;
    let (place, deploy) = canary(gate);
    let ran = deploy.under_load(&place);
    let reason = undone(&place, ran, "quick: latency_p50 ").reason;
    assert!(reason.ends_with(" ms is above 40 ms\n"), "{reason}");
}

#[test]
fn loses_its_readiness() {
    let (place, mut deploy) = canary("run.env.SICKENS = \"1\"\nhealth.failures = 1\n");
    while deploy.is_running() {
        place.get("/sicken");
    }
    undone(&place, deploy.wait(), "r2 has 0 of 1 replicas ready");
}

#[test]
fn dies_with_all_its_replicas() {
    let (place, deploy) = canary("health.failures = 1\n");
    let mut replies = std::iter::repeat_with(|| reply(&place));
    let (_, candidate) = replies.find(|(release, _)| release == "r2").unwrap();
    kill(candidate);
    undone(&place, deploy.wait(), "r2 has 0 of 1 replicas ready");
}

#[test]
fn a_first_release_that_fails_is_taken_down() {
    let place = Place::new("run.env.LAST_WORDS = \"ValueError: no key\"");
    place.run(&["deploy"]).exactly(
        1,
        "",
        "\
TIME  plan   first deploy r1, 1 step
TIME  r1   1 replica started
TIME  failing   r1-1 restarted 1 time: exited with status 3
TIME  undoing   r1-1 exited with status 3, 3 times in a row
TIME    │ agent r1 starts
TIME    │ ValueError: no key
TIME    │ agent r1 starts
TIME    │ ValueError: no key
TIME    │ agent r1 starts
TIME    │ ValueError: no key
TIME  evidence  DIR/state/agentctl/bot/evidence/0001
TIME  r1   1 replica leaving
r1 was taken down again: r1-1 exited with status 3, 3 times in a row (T)
evidence: DIR/state/agentctl/bot/evidence/0001
",
    );
    eventually("nothing runs", || place.processes().is_empty());
}

#[test]
fn a_probe_fails_before_any_traffic() {
    let cases = [
        (
            "run.env.FAIL_EVERY = \"1\"\n",
            "request = { path = \"/\" }\nexpect = { status = 201 }",
            "probe GET /: r2-1 answered 200 instead of 201",
        ),
        (
            "run.env.ANSWER = \"two\"\n",
            "name = \"says it\"\nrequest = { path = \"/\" }\nexpect = { json = \"$.nope\" }",
            "probe says it: r2-1 answered without $.nope: {\"reply\": \"two\", \"release\": \"r2\"",
        ),
        (
            "run.env.DELAY = \"3\"\n",
            "request = { path = \"/\", method = \"POST\", json = { message = \"ping\" } }\nexpect = { within = \"50ms\" }",
            "probe POST /: r2-1",
        ),
    ];
    for (env, probe, says) in cases {
        let place = Place::deployed("");
        place.spec(&format!("{env}[[rollout.probe]]\n{probe}\n"));
        let ran = place.run(&["deploy"]);
        assert!(!ran.stderr.contains("traffic"), "{}", ran.stderr);
        undone(&place, ran, says);
    }
}

#[test]
fn a_gate_that_cannot_say() {
    let gate = |unclear: &str| {
        format!(
            r#"
run.env.ANSWER = "two"
rollout.strategy = "canary"
rollout.steps = [{{ weight = 50, hold = "50ms" }}, {{ weight = 100 }}]
rollout.patience = "100ms"
[[gate]]
metric = "error_rate"
max = 0.1
unclear = "{unclear}"
"#
        )
    };
    let place = Place::deployed("");
    place.spec(&gate("wait"));
    place
        .run(&["deploy"])
        .ends(1)
        .says("error_rate needs 20 more requests at this weight (0 of 20), and patience is over");
    place.spec(&gate("fail"));
    place
        .run(&["deploy", "--again"])
        .ends(1)
        .says("error_rate needs 20 more requests at this weight (0 of 20), and the hold is over");
    place.spec(&gate("pass"));
    place.run(&["deploy", "--again"]).ends(0);
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn a_person_is_asked_where_a_gate_cannot_say() {
    let place = Place::deployed("");
    place.spec(
        r#"
run.env.ANSWER = "two"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "50ms" }, { weight = 100 }]
[[gate]]
metric = "error_rate"
max = 0.1
unclear = "approve"
"#,
    );
    let deploy = place.start(&["deploy"]);
    deploy.until(
        "waiting for: agentctl approve — the gates cannot say; error_rate needs 20 more requests",
    );
    let approve = || place.run(&["approve"]);
    approve().exactly(0, "", "approved rollout 2: the gates cannot say\n");
    // At 100 % it is asked once more; before that, the first yes is still on its way.
    deploy.until("traffic   r2 100 %");
    eventually("it is asked again", || place.run(&["approve"]).code == 0);
    deploy.wait().ends(0);
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn a_gate_that_waits_goes_on_when_it_can_say() {
    let place = Place::deployed("");
    let deploy = place.deploy_until(
        r#"
run.env.ANSWER = "two"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "10ms" }, { weight = 100 }]
[[gate]]
metric = "error_rate"
max = 0.1
min_requests = 3
"#,
        "holding at 50 %",
    );
    deploy
        .under_load(&place)
        .ends(0)
        .says("held 10 ms, error_rate 0.0 %");
}

#[test]
fn what_was_undone_is_not_tried_again_at_once() {
    let place = Place::deployed("");
    place.spec("run.env.LAST_WORDS = \"no\"");
    place.run(&["deploy"]).ends(1);
    place.run(&["deploy"]).exactly(
        2,
        "",
        "\
error: r2 was undone less than 5m ago (rollback.cooldown), and nothing has changed since
hint: change something, or deploy it all the same: agentctl deploy --again
",
    );
    place.run(&["deploy", "--again"]).ends(1);
}

#[test]
fn where_nothing_is_undone_by_itself_a_person_is_waited_for() {
    let place = Place::deployed("");
    place.spec(
        "run.env.ANSWER = \"two\"\nrollback.auto = false\n[[rollout.probe]]\nrequest = { path = \"/\" }\nexpect = { status = 201 }",
    );
    place
        .run(&["deploy"])
        .ends(3)
        .says("stalled: probe GET /: r2-1 answered 200");
    assert_eq!(place.ask("release"), "r1");
    place.run(&["abort"]).ends(0);
    eventually("one replica is left", || place.replicas().len() == 1);
    assert_eq!(place.outcomes()[0], "rolled_back");
}
