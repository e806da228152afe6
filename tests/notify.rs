//! Who is told how a rollout goes, and that nothing waits for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use ring::hmac::{HMAC_SHA256, Key, verify};
use serde_json::Value;

use crate::support::{Place, Ran, eventually, free_port};

/// What one request brought.
#[derive(Clone, Debug)]
struct Told {
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
    text: String,
}

impl Told {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// A place that is told things; answers with the first of these, then the next, the last for good. 0
/// is no answer at all.
struct Ear {
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Ear {
    fn that_answers(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        thread::spawn(move || {
            let mut left = Vec::new();
            for (count, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                heard.lock().unwrap().extend(request(&stream));
                match statuses[count.min(statuses.len() - 1)] {
                    0 => left.push(stream),
                    status => {
                        let answer = format!(
                            "HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        );
                        let _ = stream.write_all(answer.as_bytes());
                    }
                }
            }
        });
        Self { port, told }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn events(&self) -> Vec<String> {
        let name = |told: &Told| told.body["event"].as_str().unwrap_or_default().to_owned();
        self.told().iter().map(name).collect()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/T0P-s3cret", self.port)
    }
}

fn request(stream: &TcpStream) -> Option<Told> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    while let Some(line) = line() {
        let (name, value) = line.split_once(": ")?;
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).ok()?;
    let body = serde_json::from_str(&text).ok()?;
    Some(Told {
        path,
        headers,
        body,
        text,
    })
}

const SECRETS: &str = "\nsecrets.HOOK = { env = \"HOOK\" }\nsecrets.KEY = { env = \"KEY\" }\n";
const WEBHOOK: &str = "notify.webhook = \"${secret:HOOK}\"\nnotify.key = \"${secret:KEY}\"\n";

fn command(place: &Place, url: &str, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("HOOK", url).env("KEY", "sign-with-this");
    command
}

fn run(place: &Place, url: &str, args: &[&str]) -> Ran {
    place.finish(&mut command(place, url, args))
}

#[test]
fn a_webhook_is_told_in_order_and_can_tell_who_it_is_from() {
    let ear = Ear::that_answers(&[204]);
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}"));
    run(&place, &ear.url(), &["deploy"]).ends(0);
    assert_eq!(ear.events(), ["started", "promoted"]);
    let approve = "rollout.strategy = \"canary\"\n\
                   rollout.steps = [{ weight = 50 }, { approve = \"all\" }, { weight = 100 }]\n\
                   config.model = \"two\"\n";
    place.spec(&format!("{SECRETS}{WEBHOOK}{approve}"));
    let deploy = place.spawn(&mut command(&place, &ear.url(), &["deploy"]));
    eventually("it asks", || {
        ear.events().contains(&"needs_approval".to_owned())
    });
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    let told = ear.told();
    let events = &ear.events()[2..];
    assert_eq!(events, ["started", "needs_approval", "rolled_back"]);
    let last = &told.last().unwrap();
    assert_eq!(last.body["rollout"], 2);
    assert_eq!(last.body["to"], "r2");
    let says = last.body["says"].as_str().unwrap();
    assert!(
        says.starts_with("r2 was rolled back to r1: aborted by tester@"),
        "{says}"
    );
    for told in &told {
        is_signed(told);
    }
}

#[test]
fn a_person_is_told_where_a_gate_cannot_say() {
    let ear = Ear::that_answers(&[204]);
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}"));
    run(&place, &ear.url(), &["deploy"]).ends(0);
    let asks = r#"rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "50ms" }, { weight = 100 }]
config.model = "two"
[[gate]]
metric = "error_rate"
max = 0.1
unclear = "approve"
"#;
    place.spec(&format!("{SECRETS}{WEBHOOK}{asks}"));
    let deploy = place.spawn(&mut command(&place, &ear.url(), &["deploy"]));
    eventually("it asks", || {
        ear.events().contains(&"needs_approval".to_owned())
    });
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    let events = &ear.events()[2..];
    assert_eq!(events, ["started", "needs_approval", "rolled_back"]);
    let told = ear.told();
    let says = told[3].body["says"].as_str().unwrap();
    assert_eq!(
        says,
        "r1 → r2 waits for agentctl approve at 50 %: error_rate needs 20 more requests at this \
         weight (0 of 20)"
    );
}

/// As docs/notify.md says it is verified.
fn is_signed(told: &Told) {
    let (time, mac) = told
        .header("x-agentctl-signature")
        .split_once(",v1=")
        .unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let bytes = (0..mac.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&mac[at..at + 2], 16));
    let bytes: Vec<u8> = bytes.map(Result::unwrap).collect();
    let key = Key::new(HMAC_SHA256, b"sign-with-this");
    let signed = format!("{time}.{}", told.text);
    verify(&key, signed.as_bytes(), &bytes).unwrap();
}

#[test]
fn one_that_answers_500_is_told_again() {
    let ear = Ear::that_answers(&[500, 503, 200]);
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}notify.on = [\"promoted\"]\n"));
    let ran = run(&place, &ear.url(), &["deploy"]).ends(0);
    assert!(!ran.stderr.contains("could not tell"), "{}", ran.stderr);
    let told = ear.told();
    assert_eq!(ear.events(), ["promoted"; 3]);
    assert!(told.iter().all(|one| one.body["id"] == told[0].body["id"]));
}

#[test]
fn one_that_is_down_changes_nothing_and_is_named_without_its_address() {
    let url = format!("http://127.0.0.1:{}/T0P-s3cret", free_port());
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}notify.on = [\"started\"]\n"));
    let ran = run(&place, &url, &["deploy"]).ends(0);
    let ran =
        ran.says("warning: could not tell the webhook of \"started\": it could not be reached");
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    assert_eq!(place.outcomes(), ["completed"]);
}

#[test]
fn one_that_does_not_answer_delays_neither_rollout_nor_rollback() {
    let (ear, slack) = (Ear::that_answers(&[0]), Ear::that_answers(&[200]));
    let slack = format!("notify.slack = \"{}\"\n", slack.url());
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}{slack}"));
    let deploy = place.spawn(&mut command(&place, &ear.url(), &["deploy"]));
    eventually("it is live", || {
        place.state().is_dir()
            && place
                .run(&["history", "--output", "json"])
                .stdout
                .contains("completed")
    });
    // It still waits for the webhook, and whoever comes now need not.
    place.spec(&format!("{SECRETS}config.model = \"two\"\n"));
    eventually("the next one deploys", || {
        run(&place, &ear.url(), &["deploy", "-q"]).code == 0
    });
    assert_eq!(place.outcomes(), ["completed", "completed"]);
    deploy
        .wait()
        .ends(0)
        .says("not all messages to the webhook were delivered in time");
}

#[test]
fn a_wrong_address_is_not_tried_again() {
    let ear = Ear::that_answers(&[404]);
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}"));
    let ran = run(&place, &ear.url(), &["deploy"]).ends(0);
    ran.says("could not tell the webhook of \"promoted\": it answered 404");
    assert_eq!(ear.events(), ["started", "promoted"]);
}

#[test]
fn everyone_in_their_own_form() {
    let ear = Ear::that_answers(&[200]);
    let place = Place::new(&format!(
        r#"{SECRETS}
[notify]
slack = "${{secret:HOOK}}/slack"
webhook = "${{secret:HOOK}}/events"
format = "cloudevents"
grafana = {{ url = "${{secret:HOOK}}/grafana/", token = "${{secret:KEY}}" }}
command = ["sh", "-c", "cat > told.json"]
on = ["promoted"]
"#
    ));
    run(&place, &ear.url(), &["deploy"]).ends(0);
    let told = ear.told();
    let of = |path: &str| {
        let found = told
            .iter()
            .find(|one| one.path == format!("/T0P-s3cret/{path}"));
        found.unwrap_or_else(|| panic!("{path}: {told:?}")).clone()
    };
    assert_eq!(of("slack").body["text"], "bot: r1 has all traffic");
    let event = of("events");
    assert_eq!(event.header("content-type"), "application/cloudevents+json");
    assert_eq!(event.body["specversion"], "1.0");
    assert_eq!(event.body["type"], "agentctl.rollout.promoted");
    assert_eq!(event.body["data"]["to"], "r1");
    assert_eq!(event.body["id"], event.body["data"]["id"]);
    let note = of("grafana/api/annotations");
    assert_eq!(note.header("authorization"), "Bearer sign-with-this");
    assert_eq!(
        note.body["tags"],
        serde_json::json!(["agentctl", "bot", "promoted"])
    );
    let program: Value = serde_json::from_str(&place.read("told.json")).unwrap();
    assert_eq!(program["event"], "promoted");
}

#[test]
fn a_rollback_tells_whom_the_last_deploy_named() {
    let ear = Ear::that_answers(&[200]);
    let place = Place::new(&format!("{SECRETS}{WEBHOOK}"));
    run(&place, &ear.url(), &["deploy"]).ends(0);
    place.spec(&format!("{SECRETS}{WEBHOOK}config.model = \"two\"\n"));
    run(&place, &ear.url(), &["deploy"]).ends(0);
    place.run(&["rollback"]).ends(0);
    let last = ear.told().pop().unwrap();
    assert_eq!(last.body["says"], "r1 has all traffic");
    assert_eq!(last.body["rollout"], 3);
    let all = place
        .files()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("secrets.json"));
    for (path, bytes) in all {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("T0P-s3cret"), "{}", path.display());
    }
}
