//! The judges keep their promise on simulated rollouts: few of them here, many by
//! `cargo bench --bench figures -- judges`.

use crate::simulated::{self, Detected, Stopped};

#[track_caller]
fn keep(stopped: Vec<Stopped>) {
    for one in stopped {
        let (share, goal) = (one.share, one.goal);
        assert!(
            share <= goal,
            "{}: {share} stopped, {goal} promised",
            one.what
        );
    }
}

/// Few runs tell a median less exactly than the goal of 1.2 is.
#[track_caller]
fn find(detected: Vec<Detected>) {
    for one in detected {
        let ratio = one.median / one.known;
        assert!((0.5..1.5).contains(&ratio), "{}: {ratio}", one.what);
    }
}

#[test]
fn harmless_releases_are_not_stopped() {
    keep(simulated::harmless(25));
    keep(
        simulated::bursts(25)
            .into_iter()
            .map(|(one, _)| one)
            .collect(),
    );
    keep(simulated::still(8));
    keep(simulated::steady(25));
}

#[test]
fn worse_releases_are_found() {
    find(simulated::detected(15));
    find(simulated::slower(15));
    find(simulated::dearer(31));
}

#[test]
fn beside_other_tools() {
    for stream in simulated::compared(3) {
        let ours = &stream.verdicts[0];
        let wanted = if stream.what.starts_with("harmless") {
            0.0
        } else {
            1.0
        };
        assert_eq!(
            ours.stopped, wanted,
            "{}: {} {:?}",
            stream.what, ours.rule, ours.median
        );
    }
}
