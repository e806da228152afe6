//! Evidence: what was seen when something failed, saved before anything is undone.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Result;

use super::Engine;
use super::perform::Failure;
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::Phase;
use crate::target::{Log, Seen, Target};

/// Lines kept of each replica, and lines shown of the worst one.
const KEPT: usize = 500;
const SHOWN: usize = 10;

/// Where it was saved, and the failing replica's own last lines.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) path: Option<String>,
    pub(super) lines: Vec<String>,
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Saves what it can: missing evidence must not stand in the way of an undo, and is told.
    /// While it is undone nothing is saved: the first failure's evidence is the one that counts.
    pub(super) async fn save_evidence(&self, failure: &Failure) -> Evidence {
        if self.rollout.phase() != Phase::Forward {
            return Evidence::default();
        }
        let to = self.rollout.plan().to;
        let logs = self.target.logs(to, KEPT).await.unwrap_or_default();
        let logs: Vec<Log> = logs.into_iter().map(|log| self.cleaned(log)).collect();
        let lines = last_lines(&logs, failure.seen.as_deref(), to);
        let path = match self.write_evidence(failure, &logs) {
            Ok(()) => self.evidence.display().to_string(),
            Err(error) => format!("could not be saved: {error:#}"),
        };
        Evidence {
            path: Some(path),
            lines,
        }
    }

    fn cleaned(&self, log: Log) -> Log {
        let clean = |line: &String| self.redactor.clean(line);
        Log {
            lines: log.lines.iter().map(clean).collect(),
            ..log
        }
    }

    fn write_evidence(&self, failure: &Failure, logs: &[Log]) -> Result<()> {
        let dir = &self.evidence;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let reason = self.redactor.clean(&failure.says);
        fs::write(dir.join("reason.txt"), format!("{reason}\n"))?;
        write_json(&dir.join("seen.json"), &failure.seen)?;
        write_json(&dir.join("verdicts.json"), &failure.verdicts)?;
        for log in logs {
            let name = format!("{}-{}.log", log.release, log.replica);
            fs::write(dir.join(name), log.lines.join("\n") + "\n")?;
        }
        Ok(())
    }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    Ok(fs::write(path, serde_json::to_vec_pretty(value)?)?)
}

/// Of a replica that fails, else of the first.
fn last_lines(logs: &[Log], seen: Option<&Seen>, id: ReleaseId) -> Vec<String> {
    let failing = seen
        .and_then(|seen| seen.releases.get(&id))
        .and_then(|release| release.failing.first())
        .map(|failing| failing.replica);
    let log = logs
        .iter()
        .find(|log| Some(log.replica) == failing)
        .or_else(|| logs.first());
    let lines = log.map(|log| log.lines.as_slice()).unwrap_or_default();
    lines[lines.len().saturating_sub(SHOWN)..].to_vec()
}
