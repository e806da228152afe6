//! Old releases' files go; the journal stays.

use anyhow::Result;

use super::journaled;
use super::proposal::releases;
use super::site::Site;
use crate::journal::Store;
use crate::target::Seen;

/// Releases that `rollback` can go back to.
const KEPT: usize = 15;

/// Keeps the files of the newest releases, and of all that still run.
pub(crate) async fn run<S: Store>(site: &Site, store: &S, seen: &Seen) -> Result<()> {
    let past = journaled::read(store).await?;
    let releases = releases(store, &past).await?;
    let kept = releases
        .iter()
        .enumerate()
        .filter(|(age, release)| *age < KEPT || seen.releases.contains_key(&release.id))
        .map(|(_, release)| &release.contents.artifact);
    let kept: Vec<_> = kept.collect();
    site.dir.keep_only(&kept)
}
