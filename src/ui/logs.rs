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
    line: &'a str,
}

impl Console {
    /// Replica by replica: `r13-2 │ line`, or one JSON object per line.
    pub(crate) fn logs(&mut self, logs: &[Log]) {
        let name = |log: &Log| format!("{}-{}", log.release, log.replica);
        let width = logs.iter().map(|log| name(log).len()).max().unwrap_or(0);
        for log in logs {
            match self.wishes.output {
                Output::Json => self.logged(log),
                Output::Text => {
                    let prefix = format!("{:<width$} │ ", name(log));
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
                line,
            });
        }
    }
}
