//! What is judged beside the stable release.

use super::*;

fn compared() -> MetricGate {
    MetricGate {
        max: None,
        against: Some(spec::Against::Stable),
        ..error_rate(Unclear::Wait)
    }
}

/// So many conversations on each release, of which so many fail.
fn beside(stable: (u64, u64), candidate: (u64, u64)) -> Fake {
    let behaviour = |(begun, failed)| Behaviour {
        window: Measures {
            begun,
            failed,
            conversations: begun,
            ..Measures::default()
        },
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

#[tokio::test(start_paused = true)]
async fn one_that_is_worse_than_the_stable_release_is_undone_at_once() {
    let story = Story {
        gates: vec![compared()],
        target: beside((500, 5), (500, 40)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "error_rate 8.0 % beside 1.0 %, more than chance explains"
    );
    assert_eq!(told.seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn a_harmless_one_goes_on_early_where_it_may() {
    for (early, seconds) in [(true, 0), (false, 10)] {
        let story = Story {
            gates: vec![MetricGate {
                early,
                ..compared()
            }],
            target: beside((9_000, 90), (9_000, 90)),
            ..Story::default()
        };
        let told = story.told().await;
        assert_eq!(told.ended.unwrap(), Outcome::Completed);
        assert_eq!(told.seconds, seconds, "early: {early}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_compared_is_unclear_and_says_what_is_missing() {
    let cases = [
        (
            (0, 0),
            (0, 0),
            "error_rate needs requests of both releases, to exclude a doubling of errors",
        ),
        (
            (0, 0),
            (900, 900),
            "error_rate needs conversations of both releases, to exclude a doubling of errors",
        ),
    ];
    for (stable, candidate, says) in cases {
        let story = Story {
            gates: vec![compared()],
            target: beside(stable, candidate),
            ..Story::default()
        };
        let told = story.told().await;
        let says = format!("{says}, and patience is over");
        assert_eq!(reason(&told).says, says);
        assert_eq!(told.seconds, 70);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_journaled_before_its_step_is_left() {
    let story = Story {
        gates: vec![compared()],
        target: beside((9_000, 90), (9_000, 90)),
        ..Story::default()
    };
    let told = story.told().await;
    let units = Units {
        begun: 9_000,
        failed: 90,
    };
    let counted = told.events.iter().filter_map(|event| match event {
        Event::Counted(counted) => Some((counted.weight, counted.stable, counted.candidate)),
        _ => None,
    });
    let counted: Vec<_> = counted.collect();
    assert_eq!(counted, [(Percent::new(50.0).unwrap(), units, units)]);
}

/// Conversations that were all answered, so many of them slowly.
fn answered(quick: u64, slow: u64) -> Measures {
    Measures {
        begun: quick + slow,
        conversations: quick + slow,
        slowest: vec![(100_000, quick), (200_000, slow)],
        ..Measures::default()
    }
}

fn against(metric: Metric) -> MetricGate {
    MetricGate {
        against: Some(spec::Against::Stable),
        unclear: Unclear::Pass,
        ..MetricGate::on(metric)
    }
}

fn timed(before: u64, stable: (u64, u64), candidate: (u64, u64)) -> Fake {
    let behaviour = |(quick, slow)| Behaviour {
        total: answered(before, before / 20),
        window: answered(quick, slow),
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slower_than_the_stable_release_is_undone() {
    let story = Story {
        gates: vec![against(Metric::LatencyP50)],
        target: timed(1_000, (900, 40), (500, 440)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "latency_p50 100 ms beside 100 ms, more than chance explains"
    );
    let marks = told.events.iter().filter_map(|event| match event {
        Event::Marked(marks) => Some(marks.clone()),
        _ => None,
    });
    let marks: Vec<_> = marks.collect();
    assert_eq!(
        marks,
        [BTreeMap::from([(0, vec![100_000, 100_000, 200_000])])]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_is_not_known_where_few_were_answered_before() {
    let story = Story {
        gates: vec![MetricGate {
            unclear: Unclear::Fail,
            ..against(Metric::LatencyP95)
        }],
        target: timed(50, (900, 40), (500, 440)),
        ..Story::default()
    };
    let told = story.told().await;
    let says = "latency_p95 cannot be compared: r1 had answered fewer than 100 conversations before this \
                step, so what is slow is not known, and the hold is over";
    assert_eq!(reason(&told).says, says);
}

/// Its shares do not change then, so what counts as slow is found when it is first asked for.
#[tokio::test(start_paused = true)]
async fn what_is_slow_is_known_where_traffic_was_split_before() {
    let seen = |quick, slow| Behaviour {
        total: answered(quick + 950, slow + 50),
        window: answered(quick, slow),
        ..Behaviour::default()
    };
    let target = Fake::default()
        .with(OLD, seen(900, 40))
        .with(NEW, seen(500, 440));
    let story = Story {
        gates: vec![against(Metric::LatencyP95)],
        target,
        left_split: true,
        ..Story::default()
    };
    let told = story.told().await;
    let moved = |call: &&String| *call == "route r1 50 %, r2 50 %";
    assert_eq!(told.calls.iter().filter(moved).count(), 1, "before it only");
    let says = reason(&told).says;
    assert!(says.ends_with("more than chance explains"), "{says}");
}

fn used(tokens: u64, count: usize) -> Vec<Used> {
    let one = Used {
        tokens: Some(tokens),
        ..Used::default()
    };
    vec![one; count]
}

fn thrifty() -> MetricGate {
    MetricGate {
        cap: Some(10_000.0),
        ..against(Metric::TokensPerConversation)
    }
}

fn spends(stable: Vec<Used>, candidate: Vec<Used>) -> Fake {
    let behaviour = |used| Behaviour {
        used,
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

#[tokio::test(start_paused = true)]
async fn one_that_uses_more_than_the_stable_release_is_undone() {
    let story = Story {
        gates: vec![thrifty()],
        target: spends(used(1_000, 900), used(3_000, 900)),
        ..Story::default()
    };
    let says = reason(&story.told().await).says;
    assert!(says.starts_with("tokens_per_conversation "), "{says}");
    assert!(says.ends_with(", more than chance explains"), "{says}");
}

#[tokio::test(start_paused = true)]
async fn what_conversations_used_is_written_down_as_it_is_read_and_once() {
    let story = Story {
        gates: vec![thrifty()],
        target: spends(used(1_000, 1_700), used(1_000, 1_700)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(told.ended.unwrap(), Outcome::Completed);
    let places = told.events.iter().filter_map(|event| match event {
        Event::Counted(counted) => {
            Some(counted.evidence.as_ref().unwrap()["place"]["next"].clone())
        }
        _ => None,
    });
    let places: Vec<_> = places.collect();
    assert_eq!(places, [1_000, 2_000, 3_000, 3_400]);
}
