//! Bounds, and what is undone without one.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_gate_that_fails_undoes_at_once_and_saves_the_evidence() {
    let story = Story {
        gates: vec![error_rate(Unclear::Wait)],
        target: Fake::default().with(NEW, answers(100, 20)),
        ..Story::default()
    };
    let told = story.told().await;
    let reason = reason(&told);
    assert_eq!(reason.why, Why::Gate);
    assert_eq!(reason.says, "error_rate 20.0 % is above 5.0 %");
    assert_eq!(told.calls[3..], ["route r1 100 %", "scale r2 0"]);
    let saved = |name| std::fs::read_to_string(told.evidence.path().join("0001").join(name));
    assert_eq!(saved("reason.txt").unwrap(), format!("{}\n", reason.says));
    assert_eq!(
        saved("r2-1.log").unwrap(),
        "starting\noh no: [PASSWORD redacted]\n"
    );
    assert_eq!(reason.lines, ["starting", "oh no: [PASSWORD redacted]"]);
    assert!(saved("verdicts.json").unwrap().contains("\"fail\""));
}

#[tokio::test(start_paused = true)]
async fn without_auto_undo_it_stalls_with_traffic_as_it_is() {
    let story = Story {
        gates: vec![error_rate(Unclear::Wait)],
        target: Fake::default().with(NEW, answers(100, 20)),
        auto_undo: false,
        ..Story::default()
    };
    let told = story.told().await;
    assert!(matches!(told.ended, Ok(Outcome::Stalled(_))));
    assert_eq!(told.calls.last().unwrap(), "route r1 50 %, r2 50 %");
}

#[tokio::test(start_paused = true)]
async fn what_an_unclear_gate_comes_to() {
    let cases = [
        (Unclear::Pass, None, 10),
        (
            Unclear::Fail,
            Some(
                "error_rate needs 17 more requests at this weight (3 of 20), and the hold is over",
            ),
            10,
        ),
        (
            Unclear::Wait,
            Some(
                "error_rate needs 17 more requests at this weight (3 of 20), and patience is over",
            ),
            70,
        ),
    ];
    for (unclear, says, seconds) in cases {
        let story = Story {
            gates: vec![error_rate(unclear)],
            target: Fake::default().with(NEW, answers(3, 0)),
            ..Story::default()
        };
        let told = story.told().await;
        match says {
            None => assert_eq!(told.ended.as_ref().unwrap(), &Outcome::Completed),
            Some(says) => assert_eq!(reason(&told).says, says),
        }
        assert_eq!(told.seconds, seconds, "{unclear:?}");
    }
}

/// When it is over nobody could have seen anything.
#[tokio::test(start_paused = true)]
async fn without_a_hold_a_gate_that_has_to_say_is_waited_for() {
    let story = Story {
        gates: vec![error_rate(Unclear::Fail)],
        target: Fake::default().with(NEW, answers(3, 0)),
        hold: 0,
        ..Story::default()
    };
    let told = story.told().await;
    let says = "error_rate needs 17 more requests at this weight (3 of 20), and patience is over";
    assert_eq!(reason(&told).says, says);
    assert_eq!(told.seconds, 60);
}

#[tokio::test(start_paused = true)]
async fn half_of_all_requests_failing_needs_no_gate() {
    let cases = [((20, 10), true), ((19, 19), false), ((40, 19), false)];
    for ((requests, errors), undone) in cases {
        let story = Story {
            target: Fake::default().with(NEW, answers(requests, errors)),
            ..Story::default()
        };
        let told = story.told().await;
        match undone {
            false => assert_eq!(told.ended.unwrap(), Outcome::Completed),
            true => {
                let reason = reason(&told);
                assert_eq!(reason.why, Why::Failing);
                assert_eq!(reason.says, "10 of 20 requests to r2 failed");
                assert_eq!(told.seconds, 0);
            }
        }
    }
}

/// An hour of good answers does not hide a minute of bad ones.
#[tokio::test(start_paused = true)]
async fn half_of_all_requests_failing_lately_is_enough() {
    let seen = |requests, errors| Measures {
        requests,
        errors,
        ..Measures::default()
    };
    let turns_bad = Behaviour {
        window: seen(10_000, 0),
        later: Some((Duration::from_secs(100), seen(10_030, 20))),
        ..Behaviour::default()
    };
    let story = Story {
        target: Fake::default().with(NEW, turns_bad),
        hold: 3_600,
        ..Story::default()
    };
    let told = story.told().await;
    let reason = reason(&told);
    assert_eq!(reason.says, "20 of 30 requests to r2 failed");
    assert!((100..=121).contains(&told.seconds), "{}", told.seconds);
}

/// No figure of its answers says so, for there are none.
#[tokio::test(start_paused = true)]
async fn one_that_answers_nobody_is_not_let_pass() {
    let mute = |open, heard, requests| Behaviour {
        window: Measures {
            open,
            heard,
            requests,
            ..Measures::default()
        },
        ..Behaviour::default()
    };
    let cases = [
        ((3, 0, 0), (0, 20, 20), true),
        ((3, 0, 0), (0, 19, 19), false),
        ((3, 0, 1), (0, 20, 20), false),
        // Streams and tunnels that go on for long.
        ((3, 3, 0), (0, 20, 20), false),
        ((0, 0, 0), (0, 20, 20), false),
    ];
    for (candidate, stable, is_undone) in cases {
        let story = Story {
            gates: vec![error_rate(Unclear::Pass)],
            target: Fake::default()
                .with(OLD, mute(stable.0, stable.1, stable.2))
                .with(NEW, mute(candidate.0, candidate.1, candidate.2)),
            ..Story::default()
        };
        let told = story.told().await;
        match is_undone {
            false => assert_eq!(told.ended.unwrap(), Outcome::Completed, "{candidate:?}"),
            true => assert_eq!(
                reason(&told).says,
                "requests: r2 has answered none of 3 requests so far, and r1 20 meanwhile, and \
                 patience is over"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_both_releases_fail_at_once_is_not_undone() {
    let cases = [
        (
            (100, 45),
            "error_rate 45.0 % is above 5.0 %, and so is r1's, 40.0 %, and patience is over",
        ),
        ((100, 90), ""),
    ];
    for (candidate, says) in cases {
        let story = Story {
            gates: vec![error_rate(Unclear::Wait)],
            target: Fake::default()
                .with(OLD, answers(100, 40))
                .with(NEW, answers(candidate.0, candidate.1)),
            ..Story::default()
        };
        let told = story.told().await;
        match says {
            "" => assert!(matches!(told.ended, Ok(Outcome::RolledBack(_)))),
            says => {
                assert!(matches!(told.ended, Ok(Outcome::Stalled(_))));
                assert_eq!(
                    (reason(&told).why, reason(&told).says.as_str()),
                    (Why::Outage, says)
                );
                assert_eq!(told.seconds, 60, "the patience of the plan");
                assert_eq!(told.calls.last().unwrap(), "route r1 50 %, r2 50 %");
            }
        }
    }
}

/// What both failed together is no excuse for what comes after, and no reason to go on waiting.
#[tokio::test(start_paused = true)]
async fn an_outage_that_is_over_is_over() {
    let seen = |requests, errors| Measures {
        requests,
        errors,
        ..Measures::default()
    };
    let turns = |errors: u64| Behaviour {
        window: seen(100, 60),
        later: Some((Duration::from_secs(30), seen(200, 60 + errors))),
        ..Behaviour::default()
    };
    let cases = [(0, None), (80, Some("80 of 100 requests to r2 failed"))];
    for (errors, says) in cases {
        let story = Story {
            gates: vec![error_rate(Unclear::Wait)],
            target: Fake::default().with(OLD, turns(0)).with(NEW, turns(errors)),
            ..Story::default()
        };
        let told = story.told().await;
        match says {
            // This one does not begin to count anew with the next step.
            None => assert!(told.calls.contains(&"route r2 100 %".to_owned())),
            Some(says) => assert_eq!(reason(&told).says, says),
        }
        assert!((30..=32).contains(&told.seconds), "{}", told.seconds);
    }
}
