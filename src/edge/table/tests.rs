mod conversations;
mod copies;

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

#[test]
fn what_begins_waits_until_it_is_answered() {
    let world = World::new(false, &[("a", 100)]);
    world.ready("a", 1);
    let window = || world.table.pool_state("a").2;
    for ends in [
        |claim: Claim| drop(claim),
        |mut claim: Claim| {
            claim.hear(true);
            std::mem::forget(claim);
        },
    ] {
        let mut claim = world.table.claim(None).unwrap();
        claim.hear(false);
        assert_eq!(window().waiting.len(), 1);
        ends(claim);
        assert_eq!(window().waiting, []);
    }
    assert_eq!(window().heard, 3);
}
