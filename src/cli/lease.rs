//! One writer at a time.

use anyhow::Result;

use super::site::{now, variable};
use crate::journal::{Hold, Now, Owner, Store};

/// The lease, and who took it.
pub(crate) struct Lease {
    pub(crate) hold: Hold,
    pub(crate) who: String,
}

pub(crate) fn who() -> String {
    Owner::here(variable).name()
}

/// # Errors
/// `Held`, which names the holder.
pub(crate) async fn acquire<S: Store>(store: &S) -> Result<Lease> {
    let owner = Owner::here(variable);
    let moment = Now {
        at: now().0,
        tick: std::time::Instant::now(),
    };
    let who = owner.name();
    let hold = store.acquire(owner, moment).await?;
    Ok(Lease { hold, who })
}

impl Lease {
    /// Gives it back, whatever the work under it came to; that answer is the one that counts.
    pub(crate) async fn release<S: Store, T>(self, store: &S, worked: Result<T>) -> Result<T> {
        let released = store.release(self.hold).await;
        let answer = worked?;
        released.map(|()| answer)
    }
}
