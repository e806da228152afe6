//! Many things on all processors.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer than this are done sooner than a thread is started.
const WORTH_A_THREAD: usize = 8;

/// `work` on each item, in any order; the answers are in the order of the items. Each thread has
/// a tool of its own, made once.
pub(super) fn each<T: Sync, R: Send, Tool>(
    items: &[T],
    tool: impl Fn() -> Tool + Sync,
    work: impl Fn(&T, &Tool) -> R + Sync,
) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let take = || {
        let tool = tool();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(at)
        {
            let answer = work(item, &tool);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.insert(at, answer);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len() / WORTH_A_THREAD) {
            scope.spawn(take);
        }
        take();
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}
