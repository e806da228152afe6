//! Two releases at once, for users who are told apart, until a person decides.

use serde_json::{Value, json};

use crate::support::{Background, Place, eventually};

fn test(more: &str) -> (Place, Background) {
    let place = Place::deployed("");
    let deploy = place.deploy_until(
        &format!("rollout.strategy = \"ab\"\nrun.env.ANSWER = \"two\"\n{more}"),
        WAITS,
    );
    (place, deploy)
}

pub(crate) const WAITS: &str = "waiting for: agentctl promote a|b — which arm stays";
const BETA: &str = "rollout.match = [\"header:X-Beta=true\", \"cookie:beta=1\"]\n";
pub(crate) const USER: &str = "rollout.user = \"header:X-User-Id\"\n";

/// The release that answers who says this.
pub(crate) fn asked(place: &Place, header: &str) -> String {
    let mut stream = place.open("/", &format!("{header}\r\nConnection: close\r\n"));
    let body = stream.after("{\"reply\": ");
    let release = body.split("\"release\": \"").nth(1).unwrap();
    release.split('"').next().unwrap().to_owned()
}

fn arms(place: &Place) -> Value {
    place.status()["rollout"]["arms"].clone()
}

#[test]
fn who_says_it_has_the_new_release_and_b_takes_it_for_all() {
    let (place, deploy) = test(BETA);
    for _ in 0..4 {
        assert_eq!(asked(&place, "X-Beta: true"), "r2");
        assert_eq!(asked(&place, "Cookie: a=b; beta=1"), "r2");
        assert_eq!(asked(&place, "X-Beta: false"), "r1");
    }
    eventually("all are counted", || {
        let arms = arms(&place);
        let told = |arm: usize| json!([arms[arm]["arm"], arms[arm]["release"], arms[arm]["begun"]]);
        told(0) == json!(["a", "r1", 4]) && told(1) == json!(["b", "r2", 8])
    });
    let status = place.run(&["status"]).ends(0).stdout;
    assert!(
        status.contains("a  r1: 4 conversations, 0.0 % failed (0.0 to 99.7), p95 "),
        "{status}"
    );
    assert!(
        status.contains("b  r2: 8 conversations, 0.0 % failed (0.0 to 97.5), p95 "),
        "{status}"
    );
    let unsure = "which fails more is not known: b − a is -99.7 to 97.5 points";
    assert!(status.contains(unsure), "{status}");
    place
        .run(&["approve"])
        .ends(2)
        .says("error: rollout 2 is an A/B test, and a yes does not say which arm stays")
        .says("hint: agentctl promote a keeps the release in force");
    place.run(&["promote", "b"]).ends(0);
    deploy.wait().ends(0).says("r2 is live");
    assert_eq!(asked(&place, "X-Beta: false"), "r2");
}

#[test]
fn a_user_keeps_an_arm_and_a_takes_the_old_release_for_all() {
    let (place, deploy) = test(USER);
    let of = |user: u32| asked(&place, &format!("X-User-Id: {user}"));
    let first: Vec<String> = (0..20).map(of).collect();
    let again: Vec<String> = (0..20).map(of).collect();
    assert_eq!(first, again);
    assert!(first.contains(&"r1".to_owned()) && first.contains(&"r2".to_owned()));
    assert_eq!(asked(&place, "X-Nobody: 1"), "r1");
    let promoted = place.run(&["promote", "a"]).ends(0);
    promoted
        .says("asked for r1 to stay")
        .says("rolled back to r1: r1 was promoted by tester@");
    let deploy = deploy.wait().ends(1);
    assert!(!deploy.stderr.contains("abort"), "{}", deploy.stderr);
    deploy.says("undoing   r1 was promoted by tester@");
    place
        .run(&["history"])
        .ends(0)
        .says("r1 was promoted by tester@");
    assert!((0..20).all(|user| of(user) == "r1"));
    place
        .run(&["promote", "b"])
        .ends(2)
        .says("no A/B test of bot waits to be decided");
}

#[test]
fn a_rollback_to_the_old_release_ends_it_too() {
    let (place, deploy) = test(BETA);
    deploy.kill();
    place
        .run(&["rollback", "--to", "r1"])
        .ends(0)
        .says("rolled back to r1");
    assert_eq!(asked(&place, "X-Beta: true"), "r1");
}

#[test]
fn a_plan_tells_the_arms() {
    let place = Place::deployed("");
    place.spec(&format!(
        "run.env.ANSWER = \"two\"\nrollout.strategy = \"ab\"\n{BETA}{USER}"
    ));
    let plan = place.run(&["plan"]).ends(0).stdout;
    for line in [
        "arms  b: header:X-Beta=true",
        "b: 50 % of users by header:X-User-Id",
        "a: all others",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
}

#[test]
fn a_test_needs_to_know_who_gets_what() {
    let place = Place::new("rollout.strategy = \"ab\"");
    place
        .run(&["check"])
        .ends(2)
        .says("an A/B test has to know who gets which release");
    place.spec(&format!(
        "rollout.strategy = \"ab\"\n{BETA}[[gate]]\nmetric = \"error_rate\"\nagainst = \"stable\"\n"
    ));
    place
        .run(&["check"])
        .ends(2)
        .says("the arms of a match cannot be compared");
}

#[test]
fn what_a_router_cannot_tell_is_refused_in_a_cluster() {
    let place = Place::empty();
    let user = "rollout.user = \"header:X-User-Id\"";
    let cookie = "rollout.match = [\"cookie:beta=yes\"]";
    for (given, why) in [
        (
            cookie.to_owned(),
            "a Service alone sends requests to replicas, and nothing tells requests apart",
        ),
        (
            format!("network.router = \"istio\"\nnetwork.host = \"bot.example.com\"\n{user}"),
            "a router of a cluster draws no lots that a user keeps",
        ),
        (
            format!("network.router = \"nginx\"\nnetwork.host = \"a.example.com\"\n{cookie}"),
            "ingress-nginx knows a canary's cookie by the value \"always\" only",
        ),
    ] {
        place.spec(&format!("rollout.strategy = \"ab\"\nimage.image = \"a/b:1\"\n{given}\n[environments.far]\ntarget.kubernetes = {{}}"));
        place.run(&["plan", "-e", "far"]).ends(2).says(why);
    }
}
