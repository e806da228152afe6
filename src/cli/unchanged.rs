//! A deploy of what runs already: it is live only once it is ready.

use anyhow::Result;
use tokio::time::{Instant, timeout_at};

use super::exit::Exit;
use super::objects;
use super::show::Shown;
use super::site::Project;
use crate::engine::MARGIN;
use crate::release::{Release, ReleaseId};
use crate::target::{Any, Seen, SeenRelease, Target};

/// What all releases share, and what scales them, may be another all the same.
pub(super) async fn due(project: &Project, target: &Any, release: &Release) -> Result<Vec<String>> {
    let release = objects::filled(project, release.clone()).await?;
    target.due(&release).await
}

pub(super) async fn told(
    project: &Project,
    target: &Any,
    release: ReleaseId,
    due: &[String],
    shown: &mut Shown,
) -> Result<Exit> {
    for line in due {
        shown.note(line);
    }
    let seen = awaited(project, target, release, shown).await?;
    let says = match due.is_empty() {
        true => "nothing changed",
        false => "nothing else changed",
    };
    Ok(shown.nothing_changed(&project.site, says, release, &seen))
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
