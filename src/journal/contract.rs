//! What every store owes, asked of each of them. `a` and `b` are one journal as two processes see
//! it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::shelf::memory::InMemory;
use super::*;

/// One module of tests for a store, from a function that gives two views of a fresh journal and
/// what has to outlive them.
macro_rules! contract {
    ($store:ident, $open:expr, [$($test:ident),* $(,)?]) => {
        mod $store {
            use super::*;

            $(#[test]
            fn $test() {
                let (a, b, _place) = $open;
                block_on(super::$test(&a, &b));
            })*
        }
    };
    ($($store:ident: $open:expr;)*) => {
        $(contract!($store, $open, [
            a_record_is_read_back_by_everyone,
            rollouts_are_listed_by_number,
            looking_at_nothing_finds_nothing,
            a_document_is_replaced_as_a_whole,
            names_that_could_be_paths_are_refused,
            one_holder_at_a_time,
            a_lease_given_back_is_free_at_once,
            a_silent_holder_is_replaced_after_its_time,
            a_heartbeat_keeps_the_lease,
            a_dead_holder_is_replaced_at_once,
            who_lost_the_lease_writes_nothing,
            records_carry_the_fence_of_their_writer,
            a_request_is_taken_once,
            a_request_for_another_rollout_is_dropped,
        ]);)*
    };
}

contract! {
    memory: memory();
    directory: directory();
    remote: remote();
    shelf: shelf();
}

fn shelf() -> (Shelved<InMemory>, Shelved<InMemory>, ()) {
    let place = InMemory::default();
    let open = || Shelved::new(place.clone(), "support-agent");
    (open(), open(), ())
}

fn memory() -> (Memory, Memory, ()) {
    let one = Memory::default();
    let other = one.elsewhere();
    (one, other, ())
}

/// All of it, for a store that lives in another room; each part has a journal of its own.
pub(crate) async fn holds<S: Store>(open: impl AsyncFn(&str) -> (S, S)) {
    macro_rules! told {
        ($part:ident) => {
            let (a, b) = open(&stringify!($part).replace('_', "-")).await;
            $part(&a, &b).await;
        };
    }
    told!(a_record_is_read_back_by_everyone);
    told!(rollouts_are_listed_by_number);
    told!(looking_at_nothing_finds_nothing);
    told!(a_document_is_replaced_as_a_whole);
    told!(names_that_could_be_paths_are_refused);
    told!(one_holder_at_a_time);
    told!(a_lease_given_back_is_free_at_once);
    told!(a_silent_holder_is_replaced_after_its_time);
    told!(a_heartbeat_keeps_the_lease);
    told!(a_dead_holder_is_replaced_at_once);
    told!(who_lost_the_lease_writes_nothing);
    told!(records_carry_the_fence_of_their_writer);
    told!(a_request_is_taken_once);
    told!(a_request_for_another_rollout_is_dropped);
}

/// A directory that is asked from elsewhere; every other answer is lost.
struct Far {
    directory: Directory,
    lost: std::sync::atomic::AtomicBool,
}

impl Ask for Far {
    async fn ask(&self, call: Vec<u8>) -> Result<Vec<u8>> {
        let answer = super::answer(&self.directory, &call).await;
        match self.lost.fetch_not(std::sync::atomic::Ordering::Relaxed) {
            true => Err(Unanswered.into()),
            false => Ok(answer),
        }
    }

    async fn look(&self, call: Vec<u8>) -> Result<Option<Vec<u8>>> {
        self.ask(call).await.map(Some)
    }
}

fn remote() -> (Remote<Far>, Remote<Far>, tempfile::TempDir) {
    let (one, other, place) = directory();
    let far = |directory| {
        Remote::new(Far {
            directory,
            lost: false.into(),
        })
    };
    (far(one), far(other), place)
}

fn directory() -> (Directory, Directory, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    let open = || Directory::new(place.path().join("state"), "support-agent");
    (open(), open(), place)
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

/// An owner of whom nothing but the heartbeat tells whether it lives.
pub(super) fn anna(pid: u32) -> Owner {
    Owner {
        user: "anna".to_owned(),
        host: "ci-3".to_owned(),
        pid,
        process: None,
        run: None,
    }
}

pub(super) fn now() -> Now {
    Now {
        at: 1_772_366_624_000,
        tick: Instant::now(),
    }
}

fn later(now: Now, by: Duration) -> Now {
    Now {
        at: now.at,
        tick: now.tick + by,
    }
}

fn abort(rollout: u64) -> Asked {
    Asked {
        rollout,
        kind: "abort".to_owned(),
        who: "ben".to_owned(),
        at: 5,
    }
}

fn held(result: Result<Hold>) -> Held {
    result.unwrap_err().downcast().unwrap()
}

async fn a_record_is_read_back_by_everyone(a: &impl Store, b: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    let payloads = [json!({ "planned": [1, "zwölf\n"] }), json!(null), json!(-1)];
    for (at, payload) in (10..).zip(&payloads) {
        a.append(&hold, 7, at, payload.clone()).await.unwrap();
    }
    let records = b.read(7).await.unwrap();
    for (seq, record) in records.iter().enumerate() {
        assert_eq!((record.seq, record.at), (seq as u64, seq as u64 + 10));
        assert_eq!(record.payload, payloads[seq]);
    }
    assert_eq!(records.len(), payloads.len());
    assert_eq!(a.read(7).await.unwrap(), records);
}

async fn rollouts_are_listed_by_number(a: &impl Store, b: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    for rollout in [9, 10_000, 2, 9_999] {
        a.append(&hold, rollout, 0, json!({})).await.unwrap();
    }
    assert_eq!(b.list().await.unwrap(), [2, 9, 9_999, 10_000]);
}

async fn looking_at_nothing_finds_nothing(a: &impl Store, _: &impl Store) {
    assert!(a.list().await.unwrap().is_empty());
    assert_eq!(a.read(1).await.unwrap(), []);
    assert_eq!(a.get("r1.json").await.unwrap(), None);
    assert_eq!(a.holder().await.unwrap(), None);
}

async fn a_document_is_replaced_as_a_whole(a: &impl Store, b: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    for bytes in [&b"longer"[..], b"short", b"", b"\0\xff"] {
        a.put(&hold, "r1.json", bytes).await.unwrap();
        assert_eq!(b.get("r1.json").await.unwrap().unwrap(), bytes);
    }
    assert_eq!(b.get("r2.json").await.unwrap(), None);
}

async fn names_that_could_be_paths_are_refused(a: &impl Store, _: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    let long = "x".repeat(101);
    for name in ["", ".", "..", ".r1", "a/b", "/a", "a b", "ä", "a\0", &long] {
        assert!(a.put(&hold, name, b"").await.is_err(), "{name:?}");
        assert!(a.get(name).await.is_err(), "{name:?}");
    }
}

async fn one_holder_at_a_time(a: &impl Store, b: &impl Store) {
    let _hold = a.acquire(anna(1), now()).await.unwrap();
    for store in [
        held(b.acquire(anna(2), now()).await),
        held(a.acquire(anna(1), now()).await),
    ] {
        assert_eq!(store.holder.owner, anna(1));
        assert_eq!(store.stale_in, TTL);
    }
    assert_eq!(b.holder().await.unwrap().unwrap().owner, anna(1));
}

async fn a_lease_given_back_is_free_at_once(a: &impl Store, b: &impl Store) {
    let first = a.acquire(anna(1), now()).await.unwrap();
    let fence = first.fence();
    a.release(first).await.unwrap();
    assert_eq!(b.holder().await.unwrap(), None);
    let second = b.acquire(anna(2), now()).await.unwrap();
    assert!(second.fence() > fence);
}

async fn a_silent_holder_is_replaced_after_its_time(a: &impl Store, b: &impl Store) {
    let first = a.acquire(anna(1), now()).await.unwrap();
    let start = now();
    held(b.acquire(anna(2), start).await);
    let almost = held(b.acquire(anna(2), later(start, TTL - HEARTBEAT)).await);
    assert_eq!(almost.stale_in, HEARTBEAT);
    let second = b.acquire(anna(2), later(start, TTL)).await.unwrap();
    assert!(second.fence() > first.fence());
}

async fn a_heartbeat_keeps_the_lease(a: &impl Store, b: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    let start = now();
    for beat in 1..10 {
        a.renew(&hold, start.at + u64::from(beat)).await.unwrap();
        let seen = held(b.acquire(anna(2), later(start, TTL * beat)).await);
        assert_eq!(seen.stale_in, TTL);
        assert_eq!(seen.holder.beat.at, start.at + u64::from(beat));
    }
}

async fn a_dead_holder_is_replaced_at_once(a: &impl Store, b: &impl Store) {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let me = Owner::here(|_| None);
    let dead = Owner {
        pid: child.id(),
        ..me.clone()
    };
    a.acquire(dead, now()).await.unwrap();
    b.acquire(me.clone(), now()).await.unwrap();
    held(a.acquire(me, now()).await);
}

async fn who_lost_the_lease_writes_nothing(a: &impl Store, b: &impl Store) {
    let old = a.acquire(anna(1), now()).await.unwrap();
    a.append(&old, 1, 0, json!("mine")).await.unwrap();
    let start = now();
    held(b.acquire(anna(2), start).await);
    let new = b.acquire(anna(2), later(start, TTL)).await.unwrap();
    b.ask(abort(1)).await.unwrap();
    let refused = [
        a.append(&old, 1, 0, json!("late")).await,
        a.append(&old, 2, 0, json!("late")).await,
        a.put(&old, "r1.json", b"late").await,
        a.renew(&old, 0).await,
        a.asked(&old, 1).await.map(drop),
        a.release(old).await,
    ];
    for error in refused {
        let fenced: Fenced = error.unwrap_err().downcast().unwrap();
        assert_eq!(fenced.holder.unwrap().owner, anna(2));
    }
    assert_eq!(b.read(1).await.unwrap().len(), 1);
    assert_eq!(b.list().await.unwrap(), [1]);
    assert_eq!(b.get("r1.json").await.unwrap(), None);
    assert_eq!(b.asked(&new, 1).await.unwrap(), [abort(1)]);
}

async fn records_carry_the_fence_of_their_writer(a: &impl Store, b: &impl Store) {
    for store in [1, 2, 3] {
        let hold = a.acquire(anna(store), now()).await.unwrap();
        a.append(&hold, 1, 0, json!(store)).await.unwrap();
        a.release(hold).await.unwrap();
        let hold = b.acquire(anna(store), now()).await.unwrap();
        b.append(&hold, 1, 0, json!(store)).await.unwrap();
        b.release(hold).await.unwrap();
    }
    let records = a.read(1).await.unwrap();
    let fences: Vec<u64> = records.iter().map(|record| record.fence).collect();
    assert_eq!(fences, [1, 2, 3, 4, 5, 6]);
}

async fn a_request_is_taken_once(a: &impl Store, b: &impl Store) {
    let hold = a.acquire(anna(1), now()).await.unwrap();
    assert_eq!(a.asked(&hold, 7).await.unwrap(), []);
    // Asked again because its answer was lost, it is the same one.
    b.ask(abort(7)).await.unwrap();
    b.ask(abort(7)).await.unwrap();
    assert_eq!(a.asked(&hold, 7).await.unwrap(), [abort(7)]);
    assert_eq!(a.asked(&hold, 7).await.unwrap(), []);
}

async fn a_request_for_another_rollout_is_dropped(a: &impl Store, b: &impl Store) {
    for rollout in [6, 7, 8] {
        b.ask(abort(rollout)).await.unwrap();
    }
    let hold = a.acquire(anna(1), now()).await.unwrap();
    assert_eq!(a.asked(&hold, 7).await.unwrap(), [abort(7)]);
    assert_eq!(a.asked(&hold, 8).await.unwrap(), []);
}

/// Far away, with a holder who gives its lease back just before it is taken from it.
struct Hasty {
    directory: Directory,
    hold: std::sync::Mutex<Option<Hold>>,
}

impl Ask for Hasty {
    async fn ask(&self, call: Vec<u8>) -> Result<Vec<u8>> {
        let takes = call.starts_with(b"{\"take\"");
        let hold = self.hold.lock().unwrap().take_if(|_| takes);
        if let Some(hold) = hold {
            self.directory.release(hold).await?;
        }
        Ok(super::answer(&self.directory, &call).await)
    }

    async fn look(&self, call: Vec<u8>) -> Result<Option<Vec<u8>>> {
        self.ask(call).await.map(Some)
    }
}

#[test]
fn a_lease_that_is_given_back_under_the_question_is_free() {
    let (one, other, _place) = directory();
    block_on(async {
        let hold = one.acquire(anna(1), now()).await.unwrap();
        let far = Remote::new(Hasty {
            directory: other,
            hold: Some(hold).into(),
        });
        let start = now();
        held(far.acquire(anna(2), start).await);
        far.acquire(anna(2), later(start, TTL)).await.unwrap();
        assert_eq!(far.holder().await.unwrap().unwrap().owner, anna(2));
    });
}
