//! What a walk waits for, and what people ask of it meanwhile.

use super::*;

#[tokio::test(start_paused = true)]
async fn replicas_that_keep_exiting_are_not_waited_for() {
    let crashes = Behaviour {
        crashes: true,
        ..Behaviour::default()
    };
    let story = Story {
        target: Fake::default().with(NEW, crashes),
        ..Story::default()
    };
    let told = story.told().await;
    let reason = reason(&told);
    assert_eq!(reason.why, Why::NotReady);
    assert_eq!(reason.says, "r2-1 exited with status 1, 3 times in a row");
    assert_eq!(told.seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_kept_no_place_is_named() {
    let crashes = Behaviour {
        crashes: true,
        ..Behaviour::default()
    };
    let story = |keeps| Story {
        target: Fake::default().with(NEW, crashes.clone()),
        keeps,
        ..Story::default()
    };
    assert!(reason(&story(true).told().await).evidence.is_some());
    assert_eq!(reason(&story(false).told().await).evidence, None);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_a_place_can_be_late() {
    let waits = Behaviour {
        awaits: std::time::Duration::from_secs(600),
        ..Behaviour::default()
    };
    let story = |one_set, in_place| Story {
        target: Fake::default().with(NEW, waits.clone()),
        one_set,
        in_place,
        ..Story::default()
    };
    let late = reason(&story(false, false).told().await);
    assert_eq!(late.says, "0 of 1 replicas of r2 got ready in time");
    for (one_set, in_place) in [(true, false), (false, true)] {
        let told = story(one_set, in_place).told().await;
        assert_eq!(told.ended.unwrap(), Outcome::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_replica_fails_the_gate_that_is_asked() {
    let breaks = Behaviour {
        breaks_at: Percent::new(50.0),
        ..Behaviour::default()
    };
    let story = Story {
        target: Fake::default().with(NEW, breaks),
        ..Story::default()
    };
    let reason = reason(&story.told().await);
    assert_eq!(reason.why, Why::LostReadiness);
    assert_eq!(
        reason.says,
        "r2 has 0 of 1 replicas ready: r2-1 exited with status 1"
    );
}

#[tokio::test(start_paused = true)]
async fn an_abort_from_elsewhere_undoes() {
    let story = Story {
        asked: Some(ABORT),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(reason(&told).why, Why::Aborted);
    let aborted = Event::Aborted("bob@elsewhere".to_owned());
    assert!(told.events.contains(&aborted));
}

#[tokio::test(start_paused = true)]
async fn an_early_yes_is_no_yes() {
    let story = Story {
        approval: true,
        asked: Some(APPROVE),
        interrupt: None,
        ..Story::default()
    };
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(1000), story.told());
    assert!(waiting.await.is_err(), "it waits for a yes at the gate");
}

/// Over night, say.
#[tokio::test(start_paused = true)]
async fn gates_stay_on_while_a_person_is_asked() {
    let well = Measures {
        requests: 1_000,
        ..Measures::default()
    };
    let ill = Measures {
        errors: 100,
        ..well.clone()
    };
    let turns_bad = Behaviour {
        window: well,
        later: Some((Duration::from_secs(600), ill)),
        ..Behaviour::default()
    };
    let story = Story {
        approval: true,
        gates: vec![MetricGate {
            max: Some(Bound::Number(0.05)),
            ..MetricGate::on(Metric::ErrorRate)
        }],
        target: Fake::default().with(NEW, turns_bad),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(reason(&told).says, "error_rate 10.0 % is above 5.0 %");
    assert!((600..=620).contains(&told.seconds), "{}", told.seconds);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_undoes_and_twice_leaves_it_standing() {
    let abort = Story {
        interrupt: Some(Interrupt::Abort),
        ..Story::default()
    };
    assert_eq!(reason(&abort.told().await).why, Why::Aborted);
    let leave = Story {
        interrupt: Some(Interrupt::Leave),
        ..Story::default()
    };
    let told = leave.told().await;
    assert!(told.ended.unwrap_err().is::<Left>());
    assert!(told.calls.len() <= 1, "nothing was done after that");
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_asked_before_any_traffic() {
    let busy = Behaviour {
        status: Some(503),
        ..Behaviour::default()
    };
    let probe = serde_json::json!({ "request": { "path": "/chat" } });
    let story = Story {
        target: Fake::default().with(NEW, busy),
        probes: vec![serde_json::from_value(probe).unwrap()],
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "probe GET /chat: r2-1 answered 503 instead of 200: {}"
    );
    assert!(!told.calls.iter().any(|call| call.contains("r2 50 %")));
}
