//! The lease as a value: who may take it, keep it, give it back. Pure; a store loads it, changes it
//! and saves it under one lock.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::owner::{Pulse, pulse};
use super::{Fenced, Held, Now, Owner, TTL};

#[cfg(test)]
mod tests;

/// Proof that the lease was taken, checked again at every write. Not a copy: who gives it back has
/// none left.
#[derive(Debug)]
pub(crate) struct Hold {
    fence: u64,
}

impl Hold {
    /// Taken by who is asking from elsewhere; it counts only while it is the last that was given.
    pub(super) fn again(fence: u64) -> Self {
        Self { fence }
    }

    /// Orders to other processes carry it, so that they can refuse who lost the lease.
    pub(crate) fn fence(&self) -> u64 {
        self.fence
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) owner: Owner,
    pub(crate) fence: u64,
    /// Milliseconds since the epoch, by the holder's clock.
    pub(crate) since: u64,
    pub(crate) beat: Beat,
    /// Milliseconds without a new heartbeat after which others may take the lease.
    pub(crate) ttl: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beat {
    pub(crate) count: u64,
    /// Milliseconds since the epoch, by the holder's clock: to be shown, not to be judged by.
    pub(crate) at: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    /// The highest ever given; it stays when the lease is given back.
    pub(super) fence: u64,
    pub(super) holder: Option<Holder>,
}

impl Lease {
    /// Fails with [`Held`]; `what` is what it will say is held.
    pub(super) fn acquire(
        &mut self,
        owner: Owner,
        now: Now,
        watch: &mut Watch,
        what: &str,
    ) -> Result<Hold> {
        self.free(&owner, now, watch, what)?;
        Ok(self.give(owner, now.at))
    }

    /// Fails with [`Held`] unless `me` may take it.
    pub(super) fn free(&self, me: &Owner, now: Now, watch: &mut Watch, what: &str) -> Result<()> {
        match self.blocked(me, now.tick, watch, pulse) {
            None => Ok(()),
            Some((holder, stale_in)) => bail!(Held {
                what: what.to_owned(),
                holder: holder.clone(),
                stale_in,
                at: now.at,
            }),
        }
    }

    /// Who stands in the way, and for how long without another heartbeat.
    fn blocked(
        &self,
        me: &Owner,
        tick: Instant,
        watch: &mut Watch,
        pulse: impl Fn(u32) -> Pulse,
    ) -> Option<(&Holder, Duration)> {
        let holder = self.holder.as_ref()?;
        let stale_in = watch.stale_in(holder, tick);
        let free = stale_in.is_zero() || holder.owner.is_dead(me, pulse);
        (!free).then_some((holder, stale_in))
    }

    /// Gives it to `owner` if `from` is who has it still.
    pub(super) fn take(&mut self, from: Option<&Holder>, owner: Owner, at: u64) -> Option<Hold> {
        (self.holder.as_ref() == from).then(|| self.give(owner, at))
    }

    /// It was given at this very moment, and the answer lost.
    pub(super) fn given(&self, owner: &Owner, at: u64) -> Option<Hold> {
        let holder = self.holder.as_ref()?;
        let is_this = holder.owner == *owner && holder.since == at && holder.beat.count == 0;
        is_this.then_some(Hold {
            fence: holder.fence,
        })
    }

    fn give(&mut self, owner: Owner, at: u64) -> Hold {
        self.fence += 1;
        self.holder = Some(Holder {
            owner,
            fence: self.fence,
            since: at,
            beat: Beat { count: 0, at },
            ttl: TTL.as_millis() as u64,
        });
        Hold { fence: self.fence }
    }

    /// Fails with [`Fenced`] unless `hold` is the last that was given.
    pub(super) fn check(&self, hold: &Hold, what: &str) -> Result<()> {
        match &self.holder {
            Some(holder) if holder.fence == hold.fence => Ok(()),
            other => bail!(Fenced {
                what: what.to_owned(),
                holder: other.clone(),
            }),
        }
    }

    pub(super) fn renew(&mut self, hold: &Hold, at: u64, what: &str) -> Result<()> {
        self.check(hold, what)?;
        if let Some(Holder { beat, .. }) = &mut self.holder {
            let count = beat.count + 1;
            *beat = Beat { count, at };
        }
        Ok(())
    }

    pub(super) fn release(&mut self, hold: Hold, what: &str) -> Result<()> {
        self.check(&hold, what)?;
        self.holder = None;
        Ok(())
    }
}

/// What one observer saw of the heartbeat, by its own clock: machines need not agree on the time.
#[derive(Debug, Default)]
pub(super) struct Watch(Option<(u64, Beat, Instant)>);

impl Watch {
    /// How much longer the heartbeat has to stay as it is until the lease is free.
    fn stale_in(&mut self, holder: &Holder, tick: Instant) -> Duration {
        let since = match self.0 {
            Some((fence, beat, since)) if (fence, beat) == (holder.fence, holder.beat) => since,
            _ => tick,
        };
        self.0 = Some((holder.fence, holder.beat, since));
        Duration::from_millis(holder.ttl).saturating_sub(tick.saturating_duration_since(since))
    }
}
