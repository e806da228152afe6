//! `agentctl logs`: what replicas wrote, each line with who wrote it.

use serde::Serialize;

use super::console::{Console, Output};
use super::line::Line;
use crate::release::ReleaseId;
use crate::target::Log;

#[derive(Serialize)]
struct Written<'a> {
    release: ReleaseId,
    replica: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sidecar: Option<&'a str>,
    line: &'a str,
}

impl Console {
    /// Replica by replica, and its sidecars: `r13-2 │ line`, or one JSON object per line.
    pub(crate) fn logs(&mut self, logs: &[Log]) {
        let width = logs.iter().map(|log| log.name().len()).max().unwrap_or(0);
        for log in logs {
            match self.wishes.output {
                Output::Json => self.logged(log),
                Output::Text => {
                    let prefix = format!("{:<width$} │ ", log.name());
                    self.data(
                        log.lines
                            .iter()
                            .map(|line| Line::default().dim(&prefix).plain(line)),
                    );
                }
            }
        }
    }

    fn logged(&mut self, log: &Log) {
        for line in &log.lines {
            self.json(&Written {
                release: log.release,
                replica: log.replica,
                sidecar: log.sidecar.as_deref(),
                line,
            });
        }
    }
}
