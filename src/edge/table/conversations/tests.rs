use super::*;

fn id(name: u32) -> ConversationId {
    ConversationId::new("header", "x", &name.to_be_bytes())
}

fn visit(pool: &str, now: u64) -> Visit {
    Visit {
        seat: seat(pool),
        now,
        idle: 100,
        window: 1,
    }
}

fn seat(pool: &str) -> Seat {
    Seat {
        pool: pool.into(),
        number: 1,
    }
}

#[test]
fn memory_is_bounded_and_the_longest_idle_goes_first() {
    let mut conversations = Conversations::new(3);
    for name in 0..10 {
        conversations.visit(id(name), visit("a", u64::from(name)));
        conversations.part(id(name), u64::from(name));
    }
    assert_eq!((conversations.open.len(), conversations.ends.len()), (3, 3));
    assert_eq!(conversations.on(&seat("a")), 3);
    assert!(conversations.seat(id(6)).is_none());
    assert!(conversations.seat(id(7)).is_some());
}

#[test]
fn each_has_one_end_however_often_it_is_visited() {
    let mut conversations = Conversations::new(10);
    for now in 0..1_000 {
        conversations.sweep(now);
        conversations.visit(id(1), visit("a", now));
        conversations.part(id(1), now);
        assert_eq!(conversations.ends.len(), 1);
    }
    conversations.sweep(1_098);
    assert_eq!(conversations.in_pool("a"), 1);
    conversations.sweep(1_099);
    assert_eq!(conversations.in_pool("a"), 0);
    assert!(conversations.ends.is_empty() && conversations.seats.is_empty());
}

#[test]
fn one_that_moves_counts_in_its_new_pool_only() {
    let mut conversations = Conversations::new(10);
    let first = |in_window, in_pool, of_all| First {
        in_window,
        in_pool,
        of_all,
    };
    assert_eq!(
        conversations.visit(id(1), visit("a", 1)),
        first(true, true, true)
    );
    assert_eq!(
        conversations.visit(id(1), visit("a", 2)),
        first(false, false, false)
    );
    assert_eq!(
        conversations.visit(id(1), visit("b", 3)),
        first(true, true, false)
    );
    assert_eq!(
        (conversations.in_pool("a"), conversations.in_pool("b")),
        (0, 1)
    );
}
