use super::*;

fn owner(pid: u32) -> Owner {
    Owner {
        user: "anna".to_owned(),
        host: "ci-3".to_owned(),
        pid,
        process: None,
        run: None,
    }
}

fn held_by_7() -> (Lease, Hold) {
    let mut lease = Lease::default();
    let hold = lease.give(owner(7), 1_000);
    (lease, hold)
}

#[test]
fn a_silent_lease_is_free_after_its_time_by_the_observers_clock() {
    let (lease, _hold) = held_by_7();
    let mut watch = Watch::default();
    let start = Instant::now();
    let cases = [
        (0, Some(15_000)),
        (5_000, Some(10_000)),
        (14_999, Some(1)),
        (15_000, None),
    ];
    for (later, expected) in cases {
        let tick = start + Duration::from_millis(later);
        let left = lease
            .blocked(&owner(8), tick, &mut watch, |_| Pulse::Unknown)
            .map(|(_, left)| left.as_millis());
        assert_eq!(left, expected, "after {later} ms");
    }
}

#[test]
fn every_heartbeat_begins_the_time_anew() {
    let (mut lease, hold) = held_by_7();
    let mut watch = Watch::default();
    let mut tick = Instant::now();
    for _ in 0..3 {
        let left = lease.blocked(&owner(8), tick, &mut watch, |_| Pulse::Unknown);
        assert_eq!(left.unwrap().1, TTL);
        lease.renew(&hold, 1_000, "x").unwrap();
        tick += TTL;
    }
}

#[test]
fn a_heartbeat_of_the_next_holder_is_another_heartbeat() {
    let (mut lease, hold) = held_by_7();
    let mut watch = Watch::default();
    let tick = Instant::now();
    lease.blocked(&owner(8), tick, &mut watch, |_| Pulse::Unknown);
    lease.release(hold, "x").unwrap();
    lease.give(owner(9), 1_000);
    let left = lease.blocked(&owner(8), tick + TTL, &mut watch, |_| Pulse::Unknown);
    assert_eq!(left.unwrap().1, TTL);
}

#[test]
fn a_dead_holder_blocks_nobody() {
    let me = Owner::here(|_| None);
    let mut lease = Lease::default();
    lease.give(me.clone(), 0);
    let blocked = |pulse| {
        lease
            .blocked(&me, Instant::now(), &mut Watch::default(), |_| pulse)
            .is_some()
    };
    assert!(blocked(Pulse::Unknown));
    assert!(!blocked(Pulse::Gone));
}

#[test]
fn the_fence_rises_with_every_acquisition_and_never_comes_back() {
    let mut lease = Lease::default();
    for fence in 1..4 {
        let hold = lease.give(owner(7), 0);
        assert_eq!(hold.fence(), fence);
        lease.release(hold, "x").unwrap();
    }
    assert_eq!(lease.give(owner(7), 0).fence(), 4);
    assert_eq!(lease.give(owner(8), 0).fence(), 5);
}

#[test]
fn who_lost_the_lease_neither_renews_nor_releases() {
    let (mut lease, old) = held_by_7();
    let new = lease.give(owner(8), 0);
    let refused = lease.renew(&old, 0, "x").unwrap_err();
    let holder = refused.downcast::<Fenced>().unwrap().holder.unwrap();
    assert_eq!(holder.owner.pid, 8);
    lease.release(old, "x").unwrap_err();
    lease.release(new, "x").unwrap();
    assert_eq!(lease.holder, None);
}
