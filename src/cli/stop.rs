//! `agentctl stop`

use std::pin::pin;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::args;
use super::exit::Exit;
use super::journaled;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::Site;
use super::store::AnyStore;
use crate::advice::advice;
use crate::journal::{Held, Hold, Store};
use crate::target::{Any, Seen, Target};

/// What another process asks of one that waits for open conversations.
const NOW: &str = "stop_now";
const LOOK: Duration = Duration::from_millis(500);

pub(crate) async fn run(args: &args::Stop, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let lease = match lease::try_acquire(&store).await {
        Err(error) if error.is::<Held>() && is_stopping(&site).await? => {
            join(args, &store, shown).await?
        }
        Err(error) if error.is::<Held>() => lease::acquire(&store).await?,
        lease => lease?,
    };
    let work = async |lease: &Lease| {
        let target = site.target(lease.hold.fence()).await?;
        let past = journaled::read(&store).await?;
        journaled::stopped(&store, &lease.hold, &past, &lease.who).await?;
        if !args.now {
            leaving(&target.observe().await?, shown);
        }
        let number = past.last().map_or(0, |last| last.number);
        end(&target, args.now, &store, &lease.hold, number).await?;
        target.stop_beside(&mut |text| shown.note(text)).await
    };
    lease.during(&store, work).await?;
    let says = format!("{} is stopped; its history is kept", site.name());
    let more = json!({ "agent": site.agent, "environment": site.environment });
    shown.result("stopped", says, more);
    Ok(Exit::Done)
}

async fn is_stopping(site: &Site) -> Result<bool> {
    Ok(site.target(0).await?.observe().await?.ending)
}

/// Where nothing may be begun.
///
/// # Errors
/// Somebody stops it, and waits for what is open.
pub(crate) fn is_not_ending(site: &Site, seen: &Seen) -> Result<()> {
    match seen.ending {
        false => Ok(()),
        true => Err(advice(
            format!(
                "{} is being stopped, and waits for what is open",
                site.name()
            ),
            "agentctl status shows what that is; agentctl stop --now does not wait for it",
        )),
    }
}

/// The lease, once the process that stops the agent has done so.
async fn join(args: &args::Stop, store: &AnyStore, shown: &mut Shown) -> Result<Lease> {
    if args.now {
        let past = journaled::read(store).await?;
        let number = past.last().map_or(0, |last| last.number);
        lease::ask(store, number, NOW).await?;
        shown.note("asked whoever stops it to wait no longer");
    }
    loop {
        match lease::try_acquire(store).await {
            Err(error) if error.is::<Held>() => sleep(store.pace()).await,
            lease => return lease,
        }
    }
}

fn leaving(seen: &Seen, shown: &mut Shown) {
    let open: u64 = seen.releases.values().map(|side| side.conversations).sum();
    if open > 0 {
        shown.note(format!(
            "waiting for {open} open conversations; agentctl stop --now does not"
        ));
    }
}

/// Until no replica runs, or somebody wants that at once. A look for that is never broken off: it may be
/// opening a way to a host, which nobody would close.
async fn end(target: &Any, now: bool, store: &AnyStore, hold: &Hold, number: u64) -> Result<()> {
    let mut ending = pin!(target.stop(now));
    loop {
        tokio::select! {
            biased;
            done = &mut ending => return done,
            () = sleep(LOOK) => {}
        }
        if !now && is_hurried(store, hold, number).await? {
            return target.stop(true).await;
        }
    }
}

async fn is_hurried(store: &AnyStore, hold: &Hold, number: u64) -> Result<bool> {
    let asked = store.asked(hold, number).await?;
    Ok(asked.iter().any(|asked| asked.kind == NOW))
}
