//! Gates and probes that a model judges, at a small OpenAI-compatible server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::{CANARY, Place, eventually};

const KEY: &str = "sk-nobody-may-read-this";

/// What a call costs, at the prices below, as the server tells it.
const CALL: f64 = 0.000_12;

/// Scores each conversation by what was replied last: hello is good, two is not.
struct Model {
    server: Server,
    calls: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Model {
    fn start() -> Self {
        Self::that_says(|reply| json!({ "score": if reply == "hello" { 0.9 } else { 0.2 } }))
    }

    fn that_says(content: impl Fn(&str) -> Value + Send + 'static) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (count, heard) = (Arc::clone(&calls), Arc::clone(&asked));
        let server = Server::start(move |request| {
            let (head, body) = request.split_once("\r\n\r\n").unwrap_or_default();
            let known = head.contains(&format!("authorization: Bearer {KEY}"));
            if !known || !head.starts_with("POST /v1/chat/completions ") {
                return (401, format!("{{\"error\": \"who is {KEY}?\"}}"));
            }
            count.fetch_add(1, Ordering::Relaxed);
            let body: Value = serde_json::from_str(body).unwrap();
            let said = body["messages"][1]["content"].as_str().unwrap();
            let said: Value = serde_json::from_str(said).unwrap();
            let last = said.as_array().unwrap().last().unwrap()["reply"].clone();
            heard.lock().unwrap().push(body);
            let content = content(last.as_str().unwrap());
            let answer = json!({
                "choices": [{ "message": { "content": format!("```json\n{content}\n```") } }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 10 },
            });
            (200, answer.to_string())
        });
        Self {
            server,
            calls,
            asked,
        }
    }

    /// The judge, and a conversation to be judged; `more` is its own.
    fn spec(&self, more: &str) -> String {
        format!(
            r#"
[secrets]
JUDGE_KEY = {{ file = "key" }}
[judges.manners]
server = "http://127.0.0.1:{}/v1"
bearer = "${{secret:JUDGE_KEY}}"
model = "some-model"
rubric = {{ file = "rubric.md" }}
reply = "$.reply"
samples = 30
price = {{ input = 1.0, output = 2.0 }}
{more}
[[rollout.probe]]
request = {{ method = "POST", path = "/", json = {{ message = "hi" }} }}
"#,
            self.server.port
        )
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

const GATE: &str = r#"
[[gate]]
name = "quality"
every = "100ms"
source = { judge = "manners" }
"#;

/// The first release says hello; what the second says is told.
fn place(model: &Model, answer: &str, limits: &str, gate: &str) -> Place {
    let place = Place::new("run.env.NUMBER = \"1\"");
    place.write("key", KEY);
    place.write("rubric.md", "A good reply greets. The rest is noise.");
    place.run(&["deploy"]).ends(0);
    let model = model.spec(limits);
    place.spec(&format!(
        "run.env.ANSWER = \"{answer}\"\n{CANARY}{model}{gate}"
    ));
    place
}

/// The key is where the agent's secrets are, and nowhere else.
#[track_caller]
fn key_is_kept(place: &Place, said: &str) {
    assert!(!said.contains(KEY), "{said}");
    let key = KEY.as_bytes();
    let with_key = |bytes: &[u8]| bytes.windows(key.len()).any(|part| part == key);
    let told: Vec<_> = place
        .files()
        .into_iter()
        .filter(|(path, bytes)| !path.ends_with("secrets.json") && with_key(bytes))
        .map(|(path, _)| path)
        .collect();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_release_with_low_scores_is_undone() {
    let model = Model::start();
    let place = place(&model, "two", "spend = 1.0", &format!("{GATE}min = 0.8"));
    let ran = place.run(&["deploy"]).ends(1);
    key_is_kept(&place, &ran.stderr);
    let ran = ran.says("undoing   quality 0.2 (0 to 0.");
    ran.says(" replies) is below 0.8");
    assert_eq!(place.ask("release"), "r1");
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked[0]["model"], "some-model");
    let rubric = asked[0]["messages"][0]["content"].as_str().unwrap();
    assert!(rubric.ends_with("Rubric:\nA good reply greets. The rest is noise."));
    let said = asked[0]["messages"][1]["content"].as_str().unwrap();
    assert_eq!(
        said,
        "[{\"request\":{\"message\":\"hi\"},\"reply\":\"two\"}]"
    );
}

#[test]
fn a_release_with_high_scores_goes_on_and_is_not_asked_any_more() {
    let model = Model::start();
    let gate = format!("{GATE}min = 0.5");
    let place = place(&model, "hello", "spend = 1.0", &gate);
    let spec = place
        .read("agent.toml")
        .replace("hold = \"1h\"", "hold = \"1s\"");
    place.write("agent.toml", spec);
    let plan = place.run(&["plan"]).ends(0);
    plan.says("quality: judge manners at least 0.5");
    place.run(&["deploy"]).ends(0).says("quality 0.9 (0.");
    let written = place.read("state/agentctl/bot/documents/judged-0002.json");
    let written: Value = serde_json::from_str(&written).unwrap();
    let scores = written["scores"]["0"].as_array().unwrap().len();
    assert_eq!(scores, model.calls(), "each was kept, and none asked twice");
    assert!(scores < 30, "{scores}");
}

#[test]
fn a_release_that_is_worse_than_the_one_beside_it_is_undone() {
    let model = Model::start();
    let gate = format!("{GATE}against = \"stable\"\nworse_by = 0.05");
    let place = place(&model, "two", "spend = 1.0", &gate);
    let ran = place.run(&["deploy"]).ends(1);
    let ran = ran.says("undoing   quality 0.2 beside 0.9 (0 to 0.");
    ran.says(" replies) is below 95 % of the stable release's");
}

/// Also when another process goes on: what was spent stays spent.
#[test]
fn no_more_is_spent_than_the_limit() {
    let model = Model::that_says(|_| json!({ "score": 0.8 }));
    let place = place(&model, "two", "spend = 0.01", &waiting_gate());
    let deploy = place.start(&["deploy"]);
    eventually("it was asked some times", || model.calls() >= 20);
    deploy.kill();
    let resume = place.start(&["resume"]);
    resume.until("holding at 50 %");
    let limit = 0.01;
    let most = (limit / CALL) as usize;
    let few = most - 20;
    eventually("hardly anything is left", || model.calls() >= few);
    place.until_written(2, "the judge's spend limit is reached: 0.0");
    assert!(model.calls() <= most, "{} of {most}", model.calls());
    place.run(&["abort"]).ends(0);
    resume.wait().ends(1);
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn what_is_no_score_is_unclear() {
    type Content = fn(&str) -> Value;
    let cases: [(Content, &str); 2] = [
        (|_| json!("It was fine."), "its reply has no score in JSON"),
        (|_| json!({ "score": 7 }), "its score 7 is not from 0 to 1"),
    ];
    for (content, says) in cases {
        let model = Model::that_says(content);
        unclear(&model, says);
    }
}

#[test]
fn a_judge_that_is_down_or_refuses_is_unclear() {
    let model = Model::start();
    let port = model.server.port;
    let refused = Model {
        server: Server::start(|_| (429, String::new())),
        ..Model::start()
    };
    unclear(&refused, "it answered with 429 Too Many Requests");
    drop(model);
    let gone = Model::start();
    let place = place(&gone, "two", "spend = 1.0", &waiting_gate());
    let spec = place.read("agent.toml");
    place.write(
        "agent.toml",
        spec.replace(&gone.server.port.to_string(), &port.to_string()),
    );
    waits_as_unclear(&place, "Connection refused");
}

fn waiting_gate() -> String {
    format!("{GATE}min = 0.8\nunclear = \"wait\"")
}

#[track_caller]
fn unclear(model: &Model, says: &str) {
    let place = place(model, "two", "spend = 1.0", &waiting_gate());
    waits_as_unclear(&place, says);
}

#[track_caller]
fn waits_as_unclear(place: &Place, says: &str) {
    let spec = place
        .read("agent.toml")
        .replace("hold = \"1h\"", "hold = \"10ms\"");
    place.write("agent.toml", spec);
    let deploy = place.start(&["deploy"]);
    place.until_written(2, "quality is not known: ");
    place.until_written(2, says);
    place.run(&["abort"]).ends(0);
    let ran = deploy.wait().ends(1);
    key_is_kept(place, &ran.stderr);
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn a_probe_that_a_judge_reads() {
    let model = Model::start();
    let probe = r#"
[[rollout.probe]]
name = "greets"
request = { method = "POST", path = "/", json = { message = "hi" } }
expect = { judge = { manners = 0.8 } }
"#;
    let place = place(&model, "two", "spend = 1.0", probe);
    let ran = place.run(&["probe"]).ends(0);
    assert!(
        ran.stderr.ends_with("2 probes passed on r1\n"),
        "{}",
        ran.stderr
    );
    let ran = place.run(&["deploy"]).ends(1);
    ran.says("undoing   probe greets: r2-1 has 0.2 of 0.8 from manners");
    assert_eq!(place.ask("release"), "r1");
    // What cannot be judged has not passed.
    let spec = place.read("agent.toml");
    place.write(
        "agent.toml",
        spec.replace("spend = 1.0", "spend = 0.000001"),
    );
    let ran = place.run(&["probe"]).ends(1);
    key_is_kept(&place, &ran.stderr);
    ran.says("could not be judged by manners: the judge's spend limit is reached: 0.0000 of");
}

#[test]
fn a_rubric_that_is_not_there() {
    let model = Model::start();
    let place = place(&model, "two", "spend = 1.0", &format!("{GATE}min = 0.8"));
    std::fs::remove_file(place.path("rubric.md")).unwrap();
    for verb in ["check", "plan", "deploy"] {
        place.run(&[verb]).exactly(
            2,
            "",
            "\
error: could not read rubric.md, the rubric of the judge manners
  caused by: No such file or directory (os error 2)
hint: write into that file, beside agent.toml, what a good reply is
",
        );
    }
    assert_eq!(model.calls(), 0);
}

/// What a shadow kept, as its edge writes it.
fn pairs(place: &Place, replies: &[(&str, &str)]) {
    let pair = |(stable, candidate): &(&str, &str)| {
        let answer = |reply: &str| json!({ "status": 200, "body": { "reply": reply } });
        let request = json!({ "method": "POST", "path": "/", "body": { "message": "hi" } });
        json!({ "at": 1, "request": request, "stable": answer(stable), "candidate": answer(candidate) })
    };
    let lines: Vec<String> = replies.iter().map(|both| pair(both).to_string()).collect();
    place.write("pairs.jsonl", lines.join("\n"));
}

#[test]
fn what_a_shadow_kept_is_scored() {
    let model = Model::start();
    let place = Place::empty();
    place.write("key", KEY);
    place.write("rubric.md", "A good reply greets.");
    place.spec(&model.spec("spend = 1.0"));
    let analyze = ["analyze", "pairs.jsonl", "--judge", "manners"];
    pairs(&place, &[("hello", "two"); 200]);
    let worse = place.run(&analyze).ends(1);
    assert!(!worse.stdout.contains(KEY) && !worse.stderr.contains(KEY));
    worse.says("worse").says(" of 200 ");
    let calls = model.calls();
    assert!(calls < 100, "it stops once it is found: {calls}");
    pairs(&place, &[("hello", "hello"); 3]);
    place.run(&analyze).ends(0).says("unclear");
    assert_eq!(model.calls() - calls, 6);
    let json = place
        .run(&[
            "analyze",
            "pairs.jsonl",
            "--judge",
            "manners",
            "--pairs",
            "2",
            "--output",
            "json",
        ])
        .ends(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["scored"], &json["pairs"]),
        (&json!(2), &json!(3)),
        "{json}"
    );
    assert_eq!(
        (&json["stable"], &json["candidate"]),
        (&json!(0.9), &json!(0.9))
    );
    assert!((json["spent"].as_f64().unwrap() - 4.0 * CALL).abs() < 1e-9);
}

#[test]
fn pairs_that_cannot_be_scored_are_told() {
    let model = Model::start();
    let place = Place::empty();
    place.write("key", KEY);
    place.write("rubric.md", "A good reply greets.");
    place.spec(&model.spec("spend = 0.0001"));
    pairs(&place, &[("hello", "hello"); 3]);
    let limited = ["analyze", "pairs.jsonl", "--judge", "manners"];
    place
        .run(&limited)
        .ends(0)
        .says("the judge's spend limit is reached");
    let unknown = ["analyze", "pairs.jsonl", "--judge", "taste"];
    place
        .run(&unknown)
        .ends(2)
        .says("there is no judge taste")
        .says("agent.toml has manners");
    place.write("pairs.jsonl", "{\"time\": 1}");
    place
        .run(&limited)
        .ends(2)
        .says("pairs.jsonl holds no pairs of a shadow");
    place
        .run(&["analyze", "pairs.jsonl", "--pairs", "3"])
        .ends(2);
}
