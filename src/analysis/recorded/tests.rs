use super::random::Random;
use super::*;

fn how() -> How {
    How {
        confidence: Confidence::new(0.99).unwrap(),
        margin: Margin::NONE,
        share: Share::new(0.5).unwrap(),
    }
}

#[test]
fn a_line_as_json_and_as_csv_is_the_same() {
    let json = r#"
        {"time": 11.5, "arm": "candidate", "error": true, "latency": 0.25, "cost": 0.5, "conversation": "a, b", "weight": 10}
        {"time": "1970-01-01T00:00:10Z", "arm": "stable", "model": "x"}
    "#;
    let csv = "arm,time,error,latency,cost,conversation,weight\n\
               candidate,11.5,1,0.25,0.5,\"a, b\",10\n\
               stable,10,,,,,\n";
    let [json, csv] = [json, csv].map(|text| observations(text).unwrap());
    assert_eq!(json, csv);
    assert_eq!([json[0].time, json[1].time], [10.0, 11.5], "in order");
    assert_eq!(json[1].conversation.as_deref(), Some("a, b"));
}

#[test]
fn what_cannot_be_read_says_where() {
    let cases = [
        (
            "{\"time\": 1}\n{\"arm\": \"stable\"}",
            "line 2: it has no time",
        ),
        ("{\"time\": 1}\n[1]", "line 2: it is no JSON object"),
        (
            "{\"time\": \"noon\"}",
            "line 1: time is neither seconds nor like 2026-10-06T12:03:44Z: \"noon\"",
        ),
        (
            "{\"time\": 1, \"arm\": \"b\"}",
            "line 1: arm is \"stable\" or \"candidate\", not \"b\"",
        ),
        (
            "{\"time\": 1, \"latency\": -1}",
            "line 1: latency is a number that is not below 0, not -1",
        ),
        (
            "{\"time\": 1, \"weight\": 101}",
            "line 1: weight is a percentage between 0 and 100, not 101",
        ),
        (
            "a,b\n1,2",
            "line 1: it is neither JSON nor the names of columns, with \"time\" among them",
        ),
        ("time,arm\n1,stable\n\n2", "line 4: it has 1 cells, not 2"),
        ("time,arm\n1,\"stable", "line 2: a quote is not closed"),
    ];
    for (text, says) in cases {
        assert_eq!(observations(text).unwrap_err().to_string(), says);
    }
}

/// Two replies to a conversation; one conversation in `failing` fails, in both of them.
fn traffic(conversations: usize, failing: impl Fn(Arm) -> f64, slower: f64) -> Vec<Observation> {
    let mut random = Random::new(7);
    let mut all = Vec::new();
    for index in 0..conversations {
        let arm = match random.next() < 0.5 {
            true => Arm::Candidate,
            false => Arm::Stable,
        };
        let failed = random.next() < failing(arm);
        let factor = if arm == Arm::Candidate { slower } else { 1.0 };
        for reply in 0..2 {
            all.push(Observation {
                time: index as f64 + f64::from(reply) / 10.0,
                arm: Some(arm),
                failed,
                latency: Some(factor * (0.1 + random.next())),
                cost: Some(factor * random.next()),
                conversation: Some(index.to_string()),
                weight: None,
            });
        }
    }
    all
}

fn found(all: &[Observation]) -> Vec<(What, Finding)> {
    let judged = judged(&Trial::of(all).unwrap(), &how());
    judged.iter().map(|one| (one.what, one.finding)).collect()
}

#[test]
fn what_is_worse_is_found() {
    let harmless = found(&traffic(3_000, |_| 0.1, 1.0));
    assert!(
        harmless
            .iter()
            .all(|(_, finding)| *finding != Finding::Fail),
        "{harmless:?}"
    );
    let fails = |arm| if arm == Arm::Candidate { 0.1 } else { 0.02 };
    let failing = found(&traffic(3_000, fails, 1.0));
    assert_eq!(failing[0], (What::ErrorRate, Finding::Fail));
    let slow = found(&traffic(3_000, |_| 0.0, 1.5));
    assert_eq!(
        slow[1..],
        [
            (What::Latency, Finding::Fail),
            (What::CostPerConversation, Finding::Fail),
        ]
    );
    assert_eq!(slow[0].1, Finding::Unclear);
}

#[test]
fn a_conversation_fails_once() {
    let trial = Trial::of(&traffic(500, |_| 0.5, 1.0)).unwrap();
    let judged = judged(&trial, &how());
    assert!(
        judged[0].stable.unwrap() < 0.6,
        "not twice for two replies that failed"
    );
    let both = [Some(Arm::Stable), Some(Arm::Candidate)].map(|arm| Observation {
        arm,
        conversation: Some("c1".to_owned()),
        ..traffic(1, |_| 0.0, 1.0).remove(0)
    });
    assert_eq!(Trial::of(&both).err(), Some("c1".to_owned()));
}

#[test]
fn relabelled_traffic_keeps_the_promise_and_is_the_same_each_time() {
    let trial = Trial::of(&traffic(400, |_| 0.2, 1.0)).unwrap();
    let alarms = false_alarms(&trial, &how(), 300, 1);
    assert!(
        alarms.stopped <= 8,
        "{alarms:?}: 3 promised, and two standard errors"
    );
    assert_eq!(alarms, false_alarms(&trial, &how(), 300, 1));
}
