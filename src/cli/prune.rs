//! Old releases' files go; the journal stays.

use std::collections::BTreeSet;

use anyhow::Result;

use super::journaled::{self, Journaled};
use super::proposal::releases;
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::Outcome;
use crate::target::{Any, Seen};

/// Releases that took over once and that `rollback` can go back to.
const KEPT: usize = 15;

/// Keeps the files of the last releases that took over, and of all that still run.
pub(crate) async fn run<S: Store>(target: &Any, store: &S, seen: &Seen) -> Result<()> {
    let past = journaled::read(store).await?;
    let kept = kept(&past, seen);
    let releases = releases(store, &past).await?;
    let kept = releases.iter().filter(|release| kept.contains(&release.id));
    target.keep_only(&kept.collect::<Vec<_>>()).await
}

/// The last releases that took over, and all that still run.
pub(crate) fn kept(past: &[Journaled], seen: &Seen) -> BTreeSet<ReleaseId> {
    let completed = past
        .iter()
        .rev()
        .filter(|past| past.rollout.outcome() == Some(&Outcome::Completed))
        .map(|past| past.rollout.plan().to);
    let mut kept: Vec<ReleaseId> = Vec::new();
    for release in completed {
        if kept.len() < KEPT && !kept.contains(&release) {
            kept.push(release);
        }
    }
    kept.into_iter()
        .chain(seen.releases.keys().copied())
        .collect()
}
