//! What a rollout is told as afterwards, and recorded traffic that is judged.

use serde_json::Value;

use crate::support::{CANARY, Place};

fn figures(place: &Place, rollout: &str) -> Value {
    let ran = place.run(&["report", rollout, "--output", "json"]).ends(0);
    ran.json().remove(0)["report"].take()
}

/// A release that fails every third request.
fn undone() -> Place {
    let place = Place::deployed("");
    let gate = r#"
run.env.FAIL_EVERY = "3"
[[gate]]
metric = "error_rate"
max = 0.1
min_requests = 6
"#;
    let deploy = place.deploy_until(&format!("{CANARY}{gate}"), "holding at 50 %");
    deploy.under_load(&place).ends(1);
    place
}

#[test]
fn a_page_and_the_same_figures_as_json() {
    let place = undone();
    place
        .run(&["report"])
        .exactly(0, "", "rollout 2 of bot is told in bot-2.html\n");
    let page = place.read("bot-2.html");
    assert!(page.starts_with("<!doctype html>"), "{}", &page[..200]);
    assert!(
        page.contains("agent r2 starts"),
        "the failed release's own lines"
    );
    let report = figures(&place, "2");
    let gate = &report["gates"][0];
    let last = gate["points"].as_array().unwrap().last().unwrap();
    assert_eq!(last["finding"], "fail");
    assert!(page.contains(gate["says"].as_str().unwrap()));
    assert!(page.contains(report["reason"]["says"].as_str().unwrap()));
    place.run(&["report", "1", "-o", "first.html"]).ends(0);
    assert!(place.read("first.html").contains("first deploy r1"));
}

#[test]
fn of_a_rollout_that_is_not_there() {
    let place = Place::deployed("");
    place.run(&["report", "7"]).exactly(
        2,
        "",
        "\
error: there is no rollout 7 of bot
hint: the last one is 1; agentctl history lists them
",
    );
    place.run(&["report", "last"]).ends(2);
    Place::new("")
        .run(&["report"])
        .ends(2)
        .says("no agent named bot was deployed from here");
}

#[test]
fn a_page_of_ones_own() {
    let place = Place::deployed("");
    place.write("templates/report/page.html", "{{ agent }}: {{ outcome }}");
    place.run(&["report", "-o", "own.html"]).ends(0);
    assert_eq!(place.read("own.html"), "bot: completed");
    place.write("templates/report/page.html", "{{ agnt }}");
    place
        .run(&["report"])
        .ends(2)
        .says("mend templates/report/page.html");
}

/// A thousand conversations, every second one on the candidate.
fn recorded(fails: impl Fn(usize) -> bool) -> String {
    let row = |index: usize| {
        let arm = ["stable", "candidate"][index % 2];
        format!("{},{arm},{},0.2,c{index}\n", index, u8::from(fails(index)))
    };
    let rows: String = (0..1000).map(row).collect();
    format!("time,arm,error,latency,conversation\n{rows}")
}

#[test]
fn recorded_traffic_is_judged() {
    let place = Place::empty();
    place.write("bad.csv", recorded(|index| index % 10 == 1));
    place.run(&["analyze", "bad.csv"]).exactly(
        1,
        "\
judged   stable   candidate   finding   after   evidence
error_rate   0.0 %   20.0 %   worse   92 conversations, 1m 31s   61.6 of 5.2
latency   p95 T   p95 T   unclear   0.0 of 5.5
latency needs conversations of both releases, to exclude twice as many slow conversations
",
        "",
    );
    place.write("good.csv", recorded(|index| index % 20 < 2));
    place.run(&["analyze", "good.csv"]).ends(0).says("unclear");
    let aa = ["analyze", "good.csv", "--aa", "--runs", "50"];
    let [one, other] = [(); 2].map(|()| place.run(&aa).ends(0).stdout);
    assert!(one.contains("of 50 runs"), "{one}");
    assert_eq!(one, other);
}

#[test]
fn what_cannot_be_judged() {
    let place = Place::empty();
    place.write("one.jsonl", "{\"time\": 1, \"arm\": \"stable\"}\n");
    place.run(&["analyze", "one.jsonl"]).exactly(
        2,
        "",
        "\
error: one.jsonl has no traffic of both releases
hint: say of each reply whose it is (arm), or look at one release alone with --aa
",
    );
    place.write("odd.jsonl", "{\"time\": 1}\nnonsense\n");
    place
        .run(&["analyze", "odd.jsonl"])
        .ends(2)
        .says("line 2: it is no JSON");
    place
        .run(&["analyze", "gone.csv"])
        .ends(2)
        .says("could not read gone.csv");
    place
        .run(&["analyze", "one.jsonl", "--confidence", "1"])
        .ends(2);
    place.run(&["analyze", "one.jsonl", "--runs", "9"]).ends(2);
    for weight in ["0", "100"] {
        place
            .run(&["analyze", "one.jsonl", "--aa", "--weight", weight])
            .ends(2)
            .says(&format!("{weight} leaves one release without traffic"));
    }
}
