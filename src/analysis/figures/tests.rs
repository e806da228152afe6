use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use super::*;
use crate::spec::{Bound, Login, Metric};

fn about() -> About {
    About {
        release: "r2".to_owned(),
        stable: "r1".to_owned(),
        window: 95,
        step: 3,
    }
}

fn command(words: &[&str], json: Option<&str>) -> GateSource {
    GateSource::Command {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        json: json.map(str::to_owned),
    }
}

#[test]
fn one_number_or_words() {
    let cases = [
        (json!({ "score": 0.75 }), Ok(0.75)),
        (json!({ "score": "12" }), Ok(12.0)),
        (json!({ "score": true }), Ok(1.0)),
        (json!({}), Err("$.score finds nothing")),
        (
            json!({ "score": "good" }),
            Err("$.score is the text \"good\""),
        ),
        (json!({ "score": "NaN" }), Err("the answer is NaN")),
        (
            json!({ "score": null }),
            Err("$.score is null, and no number"),
        ),
        (
            json!({ "score": [1] }),
            Err("$.score is a list, and no number"),
        ),
    ];
    for (json, wanted) in cases {
        let found = number_at("$.score", &json).map_err(|error| error.to_string());
        assert_eq!(found, wanted.map_err(str::to_owned), "{json}");
    }
    let many = number_at("$.*", &json!({ "a": 1, "b": 2 })).unwrap_err();
    assert_eq!(many.to_string(), "$.* finds 2 values");
}

#[tokio::test]
async fn what_commands_say() {
    let sources = Sources {
        folder: std::env::temp_dir(),
        ..Sources::default()
    };
    let sh = |line| command(&["sh", "-c", line], None);
    let cases = [
        (command(&["true"], None), Ok(0.0)),
        (command(&["false"], None), Ok(1.0)),
        (sh("echo too slow >&2; exit 1"), Ok(1.0)),
        (
            sh("echo oh no >&2; exit 7"),
            Err("it ended with exit status: 7: oh no"),
        ),
        (
            command(
                &[
                    "echo",
                    "{\"score\": 0.9, \"of\": \"{release}, {step}, {window}\"}",
                ],
                Some("$.score"),
            ),
            Ok(0.9),
        ),
        (
            command(
                &["sh", "-c", "echo \"[${AGENTCTL_STEP}, 1]\""],
                Some("$[0]"),
            ),
            Ok(3.0),
        ),
        (
            command(&["sh", "-c", "yes >&2 & echo 4; exit"], Some("$")),
            Ok(4.0),
        ),
        (
            sh("yes | head -c 3000000 >&2; echo oh no >&2; exit 7"),
            Err("it ended with exit status: 7: oh no"),
        ),
        (
            command(&["head", "-c", "9999999", "/dev/zero"], None),
            Ok(0.0),
        ),
        (
            command(&["yes"], Some("$.score")),
            Err("it printed more than 1 MiB"),
        ),
        (
            command(&["there-is-no-such-program"], None),
            Err("could not run there-is-no-such-program: No such file or directory (os error 2)"),
        ),
        (
            command(&["echo", "{"], Some("$.score")),
            Err("it printed what is not JSON: EOF while parsing an object at line 2 column 0"),
        ),
    ];
    for (source, wanted) in cases {
        let said = sources.once(&source, &about()).await;
        let said = said.map(|figure| figure.number);
        let said = said.map_err(|error| format!("{error:#}"));
        assert_eq!(said, wanted.map_err(str::to_owned), "{source:?}");
    }
}

/// Its own, and what it has started: whether it ends by itself or nobody waits for it any more.
#[tokio::test]
async fn nothing_is_left_of_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Sources {
        folder: folder.path().to_owned(),
        ..Sources::default()
    };
    let pids = || {
        let text = std::fs::read_to_string(folder.path().join("pids")).unwrap_or_default();
        text.lines()
            .map(|line| line.parse().unwrap())
            .collect::<Vec<i32>>()
    };
    let ends = "sleep 777 & echo $! > pids; exit 0";
    let (ends, about) = (command(&["sh", "-c", ends], None), about());
    assert_eq!(sources.once(&ends, &about).await.unwrap().number, 0.0);
    all_end(&pids()).await;

    let hangs = "sleep 777 & echo $! > some; echo $$ >> some; mv some pids; wait; true";
    let hangs = command(&["sh", "-c", hangs], None);
    std::fs::remove_file(folder.path().join("pids")).unwrap();
    let mut said = Box::pin(sources.once(&hangs, &about));
    while pids().len() < 2 {
        let soon = Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, &mut said).await.is_err());
    }
    drop(said);
    all_end(&pids()).await;
}

/// Where there is no entry, or one that nobody has waited for yet.
async fn all_end(pids: &[i32]) {
    let is_there = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(!pids.is_empty());
    while pids.iter().any(is_there) {
        tokio::task::yield_now().await;
    }
}

/// Head and body, and then the body again without end.
fn endless(head: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(&body).is_ok() {}
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn an_answer_without_end_is_no_figure() {
    let says = "it answered with more than 1 MiB";
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 So\r\n\r\n"] {
        let at = endless(head, vec![b' '; 1 << 16]);
        let http = GateSource::Http {
            http: Template::parse(&at).unwrap(),
            json: "$.a".to_owned(),
            login: Login::default(),
        };
        let said = Sources::default().once(&http, &about()).await;
        assert_eq!(said.unwrap_err().to_string(), says);
    }
}

#[test]
fn what_a_gate_makes_of_it() {
    let gate = |source| MetricGate {
        name: Some("quality".to_owned()),
        source: Some(source),
        min: Some(Bound::Number(0.8)),
        ..MetricGate::on(Metric::Sourced)
    };
    let score = gate(command(&["score"], Some("$.score")));
    let plain = gate(command(&["check"], None));
    let cases = [
        (&score, None, Finding::Unclear, "quality is being asked for"),
        (&score, Some(Ok(0.9)), Finding::Pass, "quality 0.9"),
        (
            &score,
            Some(Ok(0.75)),
            Finding::Fail,
            "quality 0.75 is below 0.8",
        ),
        (
            &score,
            Some(Err("no answer within 10 s".to_owned())),
            Finding::Unclear,
            "quality is not known: no answer within 10 s",
        ),
        (&plain, Some(Ok(0.0)), Finding::Pass, "quality says yes"),
        (&plain, Some(Ok(1.0)), Finding::Fail, "quality says no"),
    ];
    let figure = |answer: Result<f64, String>| answer.map(Reading::from);
    for (gate, answer, finding, says) in cases {
        let verdict = judge_figure(gate, answer.map(figure).as_ref());
        assert_eq!((verdict.finding, verdict.says.as_str()), (finding, says));
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_said() {
    let source = GateSource::Http {
        http: Template::parse("http://127.0.0.1:9/").unwrap(),
        json: "$.a".to_owned(),
        login: Login {
            bearer: Some(Template::parse("${secret:TOKEN}").unwrap()),
            ..Login::default()
        },
    };
    let said = Sources::default().once(&source, &about()).await;
    let says = "the value of the secret TOKEN is not there";
    assert_eq!(said.unwrap_err().to_string(), says);
}
