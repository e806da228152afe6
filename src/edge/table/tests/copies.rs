//! Requests that the candidate gets a copy of.

use super::*;

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
