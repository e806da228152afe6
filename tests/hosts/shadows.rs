//! Copies of requests to a candidate in a container.

use serde_json::{Value, json};

use super::Hosted;
use crate::shadow::{COPIES, SHADOW, lines, sorted};
use crate::support::engine::docker;
use crate::support::eventually;

fn copies(host: &Hosted) -> Value {
    host.status()["rollout"]["copies"].clone()
}

/// What is in the file, fetched as a person would.
fn fetched(host: &Hosted, file: &Value) -> String {
    let here = host.place.path("fetched.jsonl").display().to_string();
    docker(&["cp", file.as_str().unwrap(), &here]).unwrap();
    host.place.read("fetched.jsonl")
}

#[test]
fn nobody_hears_its_answers_and_pairs_can_be_fetched() {
    let Some(host) = Hosted::deployed("shadow", "run.env.SAYS_SHADOW = \"\"\n") else {
        return;
    };
    let more = r#"
run.env = { SAYS_SHADOW = "", ANSWER = "two" }
rollout.shadow.capture = "pairs.jsonl"
rollout.shadow.redact = ["json:pid", "query:key"]
"#;
    let deploy = host.deploy_until(&format!("{SHADOW}{more}"), COPIES);
    for _ in 0..5 {
        assert_eq!(host.place.ask("release"), "r1");
    }
    let secret = "X-Agentctl-Shadow: 1\r\nAuthorization: Bearer hush\r\nConnection: close\r\n";
    host.place.open("/?key=hush", secret).after("{");
    eventually("they are copied", || copies(&host)["copied"] == 6);
    let told = copies(&host);
    let file = &told["file"];
    assert_eq!(
        *file,
        json!(format!("{}:/state/pairs/pairs.jsonl", host.edge()))
    );
    host.run(&["status"])
        .ends(0)
        .says("6 requests copied to r2: 6 with the same status, 0 the same")
        .says(&format!("pairs: {}", file.as_str().unwrap()));
    let text = fetched(&host, file);
    assert!(!text.contains("hush"), "{text}");
    let pairs = lines(&text);
    assert_eq!(pairs.len(), 6);
    for pair in &pairs {
        let [stable, candidate] = ["stable", "candidate"].map(|side| &pair[side]["body"]);
        assert_eq!(stable["shadow"], Value::Null);
        assert_eq!(candidate["shadow"], "1");
        assert_eq!([&stable["pid"], &candidate["pid"]], ["[redacted]"; 2]);
        let differs = json!(["$.release", "$.reply", "$.shadow"]);
        assert_eq!(sorted(&pair["differs"]), differs);
    }
    host.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    host.whole("r1", &["edge", "r1-1"]);
    assert_eq!(fetched(&host, file), text, "they outlive the rollout");
}

#[test]
fn copying_ends_at_its_limits() {
    let Some(host) = Hosted::deployed("limits", "") else {
        return;
    };
    let limits = [
        (
            "rollout.shadow.max_cost = 0.1\nrun.env.COST = \"0.05\"\n",
            "the copies' cost reached 0.1",
        ),
        (
            "rollout.shadow.at_most = \"50ms\"\nrun.env.ANSWER = \"two\"\n",
            "its time is over",
        ),
    ];
    for (limit, why) in limits {
        let deploy = host.deploy_until(&format!("{SHADOW}{limit}"), COPIES);
        eventually(why, || {
            assert_eq!(host.place.ask("release"), "r1");
            copies(&host)["ended"] == why
        });
        let told = format!("copying has ended: {why}");
        host.run(&["status"]).ends(0).says(&told);
        host.run(&["abort"]).ends(0);
        deploy.wait().ends(1);
    }
}

#[test]
fn a_candidate_that_fails_on_copies_is_undone_and_a_good_one_takes_over() {
    let Some(host) = Hosted::deployed("copied", "") else {
        return;
    };
    let gate = "[[gate]]\nmetric = \"error_rate\"\nagainst = \"stable\"\nworse_by = 0.1\n";
    let bad = format!("{SHADOW}run.env.FAIL_EVERY = \"3\"\n{gate}");
    let ran = host.deploy_until(&bad, COPIES).under_load(&host.place);
    ran.ends(1).says("undoing   error_rate ");
    host.whole("r1", &["edge", "r1-1"]);
    host.spec(
        "run.env.ANSWER = \"two\"\nrollout.strategy = \"shadow\"\nrollout.shadow.hold = \"50ms\"\n",
    );
    let ran = host.run(&["deploy"]).ends(0);
    ran.says("copies    100 % of requests to r3")
        .says("r3 is live");
    host.whole("r3", &["edge", "r3-1"]);
}

#[test]
fn values_of_secrets_are_in_no_pair() {
    let own = "secrets.KEY = { file = \"key\" }\nrun.env.SAYS = \"${secret:KEY}\"\n";
    let Some(host) = Hosted::new("unsaid", own) else {
        return;
    };
    host.place.write("key", "a-hidden-word");
    host.place.write(".dockerignore", "key\n");
    host.run(&["deploy"]).ends(0);
    let capture = "rollout.shadow.capture = \"pairs.jsonl\"\nrun.env.ANSWER = \"two\"\n";
    let deploy = host.deploy_until(&format!("{SHADOW}{own}{capture}"), COPIES);
    let told = host.place.get("/env").1;
    assert!(told.contains("a-hidden-word"), "{told}");
    eventually("it is copied", || copies(&host)["copied"] == 1);
    let text = fetched(&host, &copies(&host)["file"]);
    assert!(!text.contains("hidden"), "{text}");
    for side in ["stable", "candidate"] {
        let pair = &lines(&text)[0];
        assert_eq!(pair[side]["body"]["SAYS"], "[KEY redacted]");
    }
    host.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
}
