//! Evidence: what was seen when something failed, saved before anything is undone.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Result;

use super::Engine;
use super::perform::Failure;
use crate::advice::in_a_line;
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::Phase;
use crate::target::{Log, Seen, Target};

/// Lines kept of each replica, and lines shown of the worst one.
const KEPT: usize = 500;
const SHOWN: usize = 10;

/// Characters shown of a line.
const WIDE: usize = 200;

/// Where it was saved, and the failing replica's own last lines.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) path: Option<String>,
    pub(super) lines: Vec<String>,
    /// Why some or all of it could not be saved.
    pub(super) missing: Option<String>,
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Saves what it can: missing evidence must not stand in the way of an undo, and is told.
    /// While it is undone nothing is saved: the first failure's evidence is the one that counts.
    pub(super) async fn save_evidence(&self, failure: &Failure) -> Evidence {
        if self.rollout.phase() != Phase::Forward {
            return Evidence::default();
        }
        let to = self.rollout.plan().to;
        let (logs, unread) = match self.target.logs(to, KEPT).await {
            Ok(logs) => (logs, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let logs: Vec<Log> = logs.into_iter().map(|log| self.cleaned(log)).collect();
        let dir = self.evidence.as_deref();
        let saved = dir.map(|dir| self.write_evidence(dir, failure, &logs));
        let unsaved = saved.and_then(Result::err);
        let path = dir.map(|dir| dir.display().to_string());
        Evidence {
            path: path.filter(|_| unsaved.is_none()),
            lines: last_lines(&logs, failure.seen.as_deref(), to),
            missing: unread.or(unsaved).map(|error| in_a_line(&error)),
        }
    }

    fn cleaned(&self, log: Log) -> Log {
        let clean = |line: &String| self.redactor.clean(line);
        Log {
            lines: log.lines.iter().map(clean).collect(),
            ..log
        }
    }

    fn write_evidence(&self, dir: &Path, failure: &Failure, logs: &[Log]) -> Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let reason = self.redactor.clean(&failure.says);
        fs::write(dir.join("reason.txt"), format!("{reason}\n"))?;
        self.write_json(&dir.join("seen.json"), &failure.seen)?;
        self.write_json(&dir.join("verdicts.json"), &failure.verdicts)?;
        for log in logs {
            let file = dir.join(format!("{}.log", log.name()));
            fs::write(file, log.lines.join("\n") + "\n")?;
        }
        Ok(())
    }

    fn write_json(&self, file: &Path, value: &impl serde::Serialize) -> Result<()> {
        let value = self.redactor.redact_json(serde_json::to_value(value)?);
        let json = serde_json::to_vec_pretty(&value)?;
        Ok(fs::write(file, json)?)
    }
}

/// Whole lines are in the evidence.
fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Of a replica that fails, else of the first.
fn last_lines(logs: &[Log], seen: Option<&Seen>, id: ReleaseId) -> Vec<String> {
    let failing = seen
        .and_then(|seen| seen.releases.get(&id))
        .and_then(|release| release.failing.first())
        .map(|failing| failing.replica);
    let of = |replica: u32| logs.iter().filter(move |log| log.replica == replica);
    let failing = failing.filter(|replica| of(*replica).next().is_some());
    let replica = failing.or_else(|| Some(logs.first()?.replica));
    replica.into_iter().flat_map(of).flat_map(last_of).collect()
}

fn last_of(log: &Log) -> impl Iterator<Item = String> {
    let last = &log.lines[log.lines.len().saturating_sub(SHOWN)..];
    last.iter().map(|line| match &log.sidecar {
        Some(sidecar) => cut(&format!("{sidecar}: {line}")),
        None => cut(line),
    })
}
