//! A deploy of what runs already: it is live only once it is ready.

use anyhow::Result;
use tokio::time::{Instant, timeout_at};

use super::exit::Exit;
use super::show::Shown;
use super::site::Project;
use crate::engine::MARGIN;
use crate::release::ReleaseId;
use crate::target::{Any, Seen, SeenRelease, Target};

pub(super) async fn told(
    project: &Project,
    target: &Any,
    release: ReleaseId,
    shown: &mut Shown,
) -> Result<Exit> {
    let seen = awaited(project, target, release, shown).await?;
    Ok(shown.nothing_changed(&project.site, release, &seen))
}

/// After a reboot, say, replicas come again with the first command.
async fn awaited(
    project: &Project,
    target: &Any,
    release: ReleaseId,
    shown: &mut Shown,
) -> Result<Seen> {
    let patience = project.loaded.spec.health.startup.within.get() + MARGIN;
    let deadline = Instant::now() + patience;
    let mut seen = target.observe().await?;
    let mut said = false;
    loop {
        let side = of(&seen, release);
        if side.ready >= side.wanted || side.coming == 0 {
            return Ok(seen);
        }
        if !std::mem::replace(&mut said, true) {
            shown.note(format!(
                "waiting for {release}: {} of {} ready",
                side.ready, side.wanted
            ));
        }
        match timeout_at(deadline, target.next()).await {
            Ok(next) => seen = next?,
            Err(_) => return Ok(seen),
        }
    }
}

fn of(seen: &Seen, release: ReleaseId) -> SeenRelease {
    seen.releases.get(&release).cloned().unwrap_or_default()
}
