//! Where a conversation belongs, how long, and what of it counts.

use super::*;

#[test]
fn a_conversation_stays_while_shares_move() {
    let world = World::new(true, &[("old", 10_000)]);
    world.ready("old", 1);
    world.ready("old", 2);
    world.ready("new", 1);
    let homes: Vec<_> = (0..10).map(|n| world.goes(Some(id(n)))).collect();
    world.share(true, &[("new", 10_000)]);
    let later: Vec<_> = (0..10).map(|n| world.goes(Some(id(n)))).collect();
    assert_eq!(homes, later);
    assert_eq!(world.goes(Some(id(99))), at("new", 1));
    world.share(false, &[("new", 10_000)]);
    assert_eq!(world.goes(Some(id(0))), at("new", 1));
}

#[test]
fn a_conversation_goes_where_its_replica_allows() {
    for (standing, beside, expected) in [
        (Standing::Leaving, true, at("old", 1)),
        (Standing::Unready, true, at("old", 2)),
        (Standing::Stopping, true, at("old", 2)),
        (Standing::Stopping, false, at("new", 1)),
        (Standing::Leaving, false, at("old", 1)),
    ] {
        let world = World::new(true, &[("old", 10_000)]);
        let first = world.ready("old", 1);
        world.goes(Some(id(1)));
        if beside {
            world.ready("old", 2);
        }
        world.ready("new", 1);
        world.share(true, &[("new", 10_000)]);
        first.stand(standing);
        assert_eq!(world.goes(Some(id(1))), expected, "{standing:?} {beside}");
        assert_eq!(world.goes(Some(id(1))), expected, "and stays there");
    }
}

#[test]
fn what_leaves_takes_neither_new_conversations_nor_requests_without_one() {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1).stand(Standing::Leaving);
    assert_eq!(world.goes(None), None);
    assert_eq!(world.goes(Some(id(1))), None);
}

#[test]
fn a_conversation_is_over_when_idle_but_not_while_a_request_is_open() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    let open = world.table.claim(Some(id(1)));
    world.pass(5_000);
    assert_eq!(replica.conversations(), 1);
    drop(open);
    world.pass(999);
    assert_eq!(replica.conversations(), 1);
    world.pass(1);
    assert_eq!(replica.conversations(), 0);
    world.share(true, &[("b", 10_000)]);
    world.ready("b", 1);
    assert_eq!(world.goes(Some(id(1))), at("b", 1));
}

#[test]
fn a_reply_can_begin_a_conversation() {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1);
    let mut claim = world.table.claim(None).unwrap();
    claim.name(id(1), &world.table);
    drop(claim);
    world.ready("b", 1);
    world.share(true, &[("b", 10_000)]);
    assert_eq!(world.goes(Some(id(1))), at("a", 1));
}

#[test]
fn first_requests_of_one_conversation_meet_at_one_replica() {
    let world = World::new(true, &[("a", 5_000), ("b", 5_000)]);
    for pool in ["a", "b"] {
        world.ready(pool, 1);
        world.ready(pool, 2);
    }
    for round in 0..200 {
        let homes: Vec<_> = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| world.goes(Some(id(round)))));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
    }
}

/// Claims go on while a replica is drained; once it stands as stopping and is quiet, no claim on
/// it may ever be seen again.
#[test]
fn nothing_is_claimed_on_what_has_left() {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    drop(world.table.claim(None));
                }
            });
        }
        for number in 2..500 {
            let replica = world.ready("a", number);
            std::thread::yield_now();
            replica.stand(Standing::Stopping);
            while replica.open() > 0 {
                std::thread::yield_now();
            }
            for _ in 0..50 {
                assert_eq!(replica.open(), 0);
            }
            world.table.remove(&replica);
        }
        over.store(true, SeqCst);
    });
    assert_eq!(world.table.pool_state("a").1.open, 0);
}

#[test]
fn a_successor_goes_on_with_conversations_and_counts() {
    let world = World::new(true, &[("a", 5_000), ("b", 5_000)]);
    for pool in ["a", "b"] {
        world.ready(pool, 1);
    }
    let homes: Vec<_> = (0..8).map(|n| world.goes(Some(id(n)))).collect();
    let (_, total, window) = world.table.pool_state("a");

    let next = World::new(true, &[("a", 5_000), ("b", 5_000)]);
    next.table.restore("a", &total, &window);
    next.table
        .restore_conversations(world.table.conversations());
    for pool in ["b", "a"] {
        next.ready(pool, 1);
    }
    let again: Vec<_> = (0..8).map(|n| next.goes(Some(id(n)))).collect();
    assert_eq!(homes, again);
    let (open, total, window) = next.table.pool_state("a");
    assert_eq!((open, total.requests, total.conversations), (4, 8, 4));
    assert_eq!(window.conversations, 4, "none is counted again");
}

#[test]
fn a_conversation_waits_for_a_pool_that_comes_back() {
    let world = World::new(true, &[("old", 10_000)]);
    let first = world.ready("old", 1);
    world.goes(Some(id(1)));
    world.ready("new", 1);
    world.share(true, &[("new", 10_000)]);
    for standing in [Standing::Coming, Standing::Unready] {
        first.stand(standing);
        assert_eq!(world.goes(Some(id(1))), None, "{standing:?}");
    }
    first.stand(Standing::Ready);
    assert_eq!(world.goes(Some(id(1))), at("old", 1));
    world.table.remove(&first);
    assert_eq!(world.goes(Some(id(1))), None, "between two processes");
    let moved = world.table.claim_anywhere(Some(id(1))).unwrap();
    assert_eq!(moved.replica().pool(), "new");
    assert_eq!(world.goes(Some(id(1))), at("new", 1), "and stays there");
}

#[tokio::test]
async fn conversations_are_over_at_once_where_they_need_not_stay() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    replica.conversations_over().await;
    world.goes(Some(id(1)));
    assert!(world.table.until_conversations_end(&replica).is_some());
    world.share(false, &[("a", 10_000)]);
    replica.conversations_over().await;
}

#[test]
fn a_conversation_fails_once_and_where_it_began() {
    let world = World::new(true, &[("old", 10_000)]);
    world.ready("old", 1);
    world.ready("new", 1);
    let error = Ending {
        error: true,
        ..Ending::default()
    };
    let fails = |id| world.table.claim(id).unwrap().count(&error);
    let counted = |pool| {
        let (_, _, window) = world.table.pool_state(pool);
        (window.begun, window.failed)
    };
    (0..5).for_each(|_| fails(Some(id(1))));
    world.goes(Some(id(2)));
    (0..3).for_each(|_| fails(None));
    assert_eq!(counted("old"), (5, 4));
    world.pass(1);
    world.share(true, &[("old", 5_000), ("new", 5_000)]);
    fails(Some(id(2)));
    assert_eq!(counted("old"), (0, 0), "it began before this window");
}

#[test]
fn where_nothing_is_sticky_each_request_stands_for_itself() {
    let world = World::new(false, &[("old", 10_000)]);
    world.ready("old", 1);
    for _ in 0..3 {
        world.goes(Some(id(1)));
    }
    let (_, _, window) = world.table.pool_state("old");
    assert_eq!((window.begun, window.failed), (3, 0));
}
