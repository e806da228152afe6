use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use super::super::conversation::ConversationId;
use super::*;
use crate::edge::meter::Ending;

/// A table whose clock stands still until it is moved.
struct World {
    table: Arc<Table>,
    clock: Arc<AtomicU64>,
}

const IDLE: Duration = Duration::from_millis(1_000);

impl World {
    fn new(sticky: bool, shares: &[(&str, u16)]) -> Self {
        let clock = Arc::new(AtomicU64::new(1));
        let told = Arc::clone(&clock);
        let table = Table::with_clock(Box::new(move || told.load(SeqCst)));
        let world = Self { table, clock };
        world.share(sticky, shares);
        world
    }

    fn share(&self, sticky: bool, shares: &[(&str, u16)]) {
        let shares = shares
            .iter()
            .map(|(pool, share)| ((*pool).to_owned(), *share));
        let traffic = Traffic {
            shares: shares.collect(),
            sticky,
            ..Traffic::default()
        };
        self.table.set_traffic(&traffic, self.clock.load(SeqCst));
    }

    fn ready(&self, pool: &str, number: u32) -> Arc<Replica> {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        self.table.add(pool, number, address, Standing::Ready, IDLE)
    }

    fn pass(&self, millis: u64) {
        self.clock.fetch_add(millis, SeqCst);
    }

    /// Where a request goes that ends at once.
    fn goes(&self, id: Option<ConversationId>) -> Option<(String, u32)> {
        let claim = self.table.claim(id)?;
        claim.count(&Ending::default());
        let replica = claim.replica();
        Some((replica.pool().to_owned(), replica.number()))
    }

    fn taken(&self, turns: usize) -> BTreeMap<(String, u32), usize> {
        let mut taken = BTreeMap::new();
        for _ in 0..turns {
            *taken.entry(self.goes(None).unwrap()).or_default() += 1;
        }
        taken
    }
}

fn id(name: u32) -> ConversationId {
    ConversationId::new("header", "x", &name.to_be_bytes())
}

fn at(pool: &str, number: u32) -> Option<(String, u32)> {
    Some((pool.to_owned(), number))
}

#[test]
fn requests_follow_the_shares_exactly_and_replicas_take_turns() {
    let world = World::new(true, &[("old", 9_500), ("new", 500)]);
    world.ready("old", 1);
    world.ready("old", 2);
    world.ready("new", 1);
    let taken: Vec<usize> = world.taken(400).into_values().collect();
    assert_eq!(taken, [20, 190, 190]);
}

#[test]
fn a_share_without_a_ready_replica_goes_to_the_others() {
    let world = World::new(true, &[("old", 5_000), ("new", 5_000)]);
    assert_eq!(world.goes(None), None);
    world.ready("old", 1);
    let coming = world.ready("new", 1);
    coming.stand(Standing::Unready);
    assert_eq!(world.taken(10), [(("old".to_owned(), 1), 10)].into());
    coming.stand(Standing::Ready);
    assert_eq!(world.taken(10).len(), 2);
}

#[test]
fn the_replica_with_the_fewest_open_requests_is_next() {
    let world = World::new(true, &[("a", 10_000)]);
    let busy = world.ready("a", 1);
    world.ready("a", 2);
    let held: Vec<Claim> = (0..2).filter_map(|_| world.table.claim(None)).collect();
    assert_eq!(busy.open(), 1);
    let more = world.table.claim(None).unwrap();
    let other = 3 - more.replica().number();
    assert_eq!(world.goes(None), at("a", other));
    drop(held);
}

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
fn a_window_begins_when_shares_change_and_only_then() {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1);
    world.goes(Some(id(1)));
    world.goes(Some(id(1)));
    let straddles = world.table.claim(Some(id(2))).unwrap();
    let (_, _, window) = world.table.pool_state("a");
    assert_eq!((window.requests, window.conversations), (2, 2));

    world.pass(10);
    world.share(false, &[("a", 10_000)]);
    assert_eq!(world.table.pool_state("a").2.since, window.since);
    world.share(true, &[("a", 9_000), ("b", 1_000)]);
    straddles.count(&Ending::default());
    drop(straddles);
    world.goes(Some(id(1)));
    world.goes(Some(id(1)));
    let (open, total, window) = world.table.pool_state("a");
    assert_eq!(
        (window.requests, window.conversations, window.open),
        (2, 1, 0)
    );
    assert_eq!((total.requests, total.conversations, total.open), (5, 2, 0));
    assert_eq!((open, window.since), (2, 11));
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
fn one_that_fails_gets_nothing_until_it_is_ready_again() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    let claim = world.table.claim(None).unwrap();
    replica.fail();
    assert_eq!(replica.standing(), Standing::Unready);
    assert!(world.table.claim_again(&claim).is_none());
    world.ready("a", 2);
    let again = world.table.claim_again(&claim).unwrap();
    assert_eq!(again.replica().number(), 2);
}

#[test]
fn the_only_one_is_tried_again_when_it_is_ready_again() {
    for id in [None, Some(id(1))] {
        let world = World::new(true, &[("a", 10_000)]);
        let replica = world.ready("a", 1);
        let claim = world.table.claim(id).unwrap();
        replica.fail();
        assert!(world.table.claim_again(&claim).is_none());
        replica.stand(Standing::Ready);
        assert!(world.table.claim_again(&claim).is_some());
    }
}

#[tokio::test]
async fn a_failure_told_twice_is_looked_at_once() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    replica.fail();
    replica.failing().await;
    replica.fail();
    replica.stand(Standing::Ready);
    tokio::select! {
        biased;
        () = replica.failing() => panic!("a check that passed is undone"),
        () = std::future::ready(()) => {}
    }
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

#[test]
fn failing_does_not_call_back_what_leaves() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    replica.stand(Standing::Leaving);
    replica.fail();
    assert_eq!(replica.standing(), Standing::Leaving);
}

#[test]
fn a_change_is_told_and_no_change_is_not() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    let mut changed = world.table.changed();
    assert!(!replica.stand(Standing::Ready));
    assert!(!changed.has_changed().unwrap());
    assert!(replica.stand(Standing::Leaving));
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    world.table.remove(&replica);
    assert!(changed.has_changed().unwrap());
}

#[test]
fn only_a_pool_without_replicas_and_share_is_forgotten() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("b", 1);
    world.table.forget("a");
    world.table.forget("b");
    assert_eq!(world.table.pools(), ["a", "b"]);
    world.table.remove(&replica);
    world.table.forget("b");
    assert_eq!(world.table.pools(), ["a"]);
}

#[tokio::test]
async fn quiet_resolves_when_the_last_request_ends() {
    let world = World::new(true, &[("a", 10_000)]);
    let replica = world.ready("a", 1);
    let claims = [(); 3].map(|()| world.table.claim(None));
    let quiet = tokio::spawn({
        let replica = Arc::clone(&replica);
        async move { replica.quiet().await }
    });
    tokio::task::yield_now().await;
    assert!(!quiet.is_finished());
    drop(claims);
    quiet.await.unwrap();
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

fn copied(share: u16, most_cost: Option<u64>) -> World {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1);
    world.ready("b", 1);
    world.ready("b", 2);
    let traffic = Traffic {
        mirror: Some(crate::edge::api::Mirror {
            pool: "b".to_owned(),
            share,
            at_most: Some(60_000),
            most_cost,
            capture: None,
        }),
        settle: Some(10),
        ..world.table.traffic()
    };
    world.table.set_traffic(&traffic, world.clock.load(SeqCst));
    world
}

impl World {
    /// Where the copy of a request goes that is answered; both end like this.
    fn copy(&self, id: Option<ConversationId>, ending: &Ending) -> Option<(String, u32)> {
        let mut claim = self.table.claim(id)?;
        assert_eq!(claim.replica().pool(), "a");
        claim.count(ending);
        let wanted = claim.wanted()?;
        let copy = self.table.claim_copy(&wanted, (&claim.pool(), ending))?;
        copy.count(ending);
        let replica = copy.replica();
        Some((replica.pool().to_owned(), replica.number()))
    }
}

#[test]
fn a_copy_moves_no_conversation_and_stays_with_one_replica() {
    let world = copied(10_000, None);
    let id = Some(ConversationId::new("header", "x", b"1"));
    let first = world.copy(id, &Ending::default()).unwrap();
    for _ in 0..4 {
        assert_eq!(world.copy(id, &Ending::default()).as_ref(), Some(&first));
    }
    assert_eq!(world.table.pool_state("a").0, 1);
    assert_eq!(world.table.pool_state("b").0, 0, "it keeps no replica");
    let window = world.table.pool_state("b").2;
    let beside = world.table.mirrored().unwrap().beside;
    assert_eq!((window.requests, window.begun), (5, 1));
    assert_eq!((beside.requests, beside.begun), (5, 1));
}

#[test]
fn what_began_before_the_copies_is_not_copied() {
    let world = World::new(true, &[("a", 10_000)]);
    world.ready("a", 1);
    let id = Some(ConversationId::new("header", "x", b"1"));
    world.goes(id);
    world.ready("b", 1);
    let traffic = copied(10_000, None).table.traffic();
    world.table.set_traffic(&traffic, 2);
    assert_eq!(world.copy(id, &Ending::default()), None);
    assert!(world.copy(None, &Ending::default()).is_some());
}

#[test]
fn the_share_is_of_requests_and_of_conversations() {
    let world = copied(2_500, None);
    let copies = |ids: bool| {
        let all = (0..400u32).filter(|number| {
            let id = ConversationId::new("header", "x", &number.to_be_bytes());
            world.copy(ids.then_some(id), &Ending::default()).is_some()
        });
        all.count()
    };
    assert_eq!(copies(false), 100);
    assert!((60..140).contains(&copies(true)));
}

#[test]
fn copies_end_at_their_limits_and_with_their_order() {
    let dear = Ending {
        usage: crate::edge::usage::Usage {
            cost_micros: Some(60),
            ..Default::default()
        },
        ..Ending::default()
    };
    let world = copied(10_000, Some(100));
    assert!(world.copy(None, &dear).is_some());
    assert!(world.copy(None, &dear).is_some());
    assert_eq!(world.copy(None, &dear), None);
    assert!(
        world
            .table
            .mirrored()
            .unwrap()
            .ended
            .unwrap()
            .contains("cost")
    );

    let world = copied(10_000, None);
    world.pass(60_000);
    assert_eq!(world.copy(None, &dear), None);
    assert!(
        world
            .table
            .mirrored()
            .unwrap()
            .ended
            .unwrap()
            .contains("time")
    );

    let world = copied(10_000, None);
    let mut claim = world.table.claim(None).unwrap();
    let wanted = claim.wanted().unwrap();
    world.share(true, &[("a", 10_000)]);
    let told = (&claim.pool(), &dear);
    assert!(world.table.claim_copy(&wanted, told).is_none());
    assert_eq!(world.table.mirrored(), None);
}

#[test]
fn what_both_sides_of_a_pair_used_is_told_together() {
    let world = copied(10_000, None);
    world.copy(None, &Ending::default());
    world.pass(20);
    let spent = world.table.spent(0, 0);
    let pools: Vec<_> = spent.units.iter().map(|unit| unit.pool.as_str()).collect();
    assert_eq!(pools, ["a", "b"]);
}
