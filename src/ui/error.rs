//! An error in words: what could not be done, each cause once, and what to type next.

use serde::Serialize;

use super::line::{Line, Tone};
use crate::advice;
use crate::image::{Finding, Leaks};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
    /// What the process exits with.
    pub(super) exit: u8,
    /// All secrets that would leave the machine, where that is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

impl Trouble {
    pub(super) fn of(error: &anyhow::Error, exit: u8) -> Self {
        let mut causes = advice::causes(error);
        let message = causes.remove(0);
        Self {
            message,
            causes,
            hint: advice::hint(error).map(str::to_owned),
            exit,
            findings: error
                .downcast_ref::<Leaks>()
                .map_or_else(Vec::new, |leaks| leaks.0.clone()),
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let causes = self
            .causes
            .iter()
            .flat_map(|cause| caused("  caused by: ", cause));
        let hint = self
            .hint
            .iter()
            .flat_map(|hint| said(Tone::Strong, "hint: ", hint));
        said(Tone::Bad, "error: ", &self.message)
            .chain(causes)
            .chain(hint)
            .collect()
    }
}

/// Further lines stay as they are: a problem in agent.toml brings its own picture.
pub(super) fn said(tone: Tone, label: &'static str, text: &str) -> impl Iterator<Item = Line> {
    lines(tone, label, "", text)
}

/// Further lines stand below the cause, so that none is taken for an error of its own.
pub(super) fn caused(label: &'static str, text: &str) -> impl Iterator<Item = Line> {
    let own = label.len() - label.trim_start().len();
    lines(Tone::Dim, label, &"      "[..own + 2], text)
}

fn lines(
    tone: Tone,
    label: &'static str,
    further: &'static str,
    text: &str,
) -> impl Iterator<Item = Line> + use<> {
    let mut labels = std::iter::once(label).chain(std::iter::repeat(further));
    let lines: Vec<_> = text
        .lines()
        .map(|line| Line::new(tone, labels.next().unwrap_or_default()).plain(line))
        .collect();
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Advise, advice};
    use anyhow::Context;

    fn text(error: &anyhow::Error) -> String {
        let lines: Vec<_> = Trouble::of(error, 1)
            .lines()
            .iter()
            .map(|line| line.paint(false))
            .collect();
        lines.join("\n")
    }

    fn refused() -> std::io::Error {
        std::io::Error::other("Connection refused (os error 111)")
    }

    #[test]
    fn causes_are_said_once() {
        let error = Err::<(), _>(refused())
            .context("the edge does not answer: Connection refused (os error 111)")
            .context("the edge does not answer: Connection refused (os error 111)")
            .advise("could not deploy support-agent", "agentctl status")
            .unwrap_err();
        assert_eq!(
            text(&error),
            "error: could not deploy support-agent\n  \
               caused by: the edge does not answer: Connection refused (os error 111)\n\
             hint: agentctl status"
        );
    }

    #[test]
    fn advice_is_found_under_other_errors() {
        let port = advice("port 8000 is in use by another program", "set run.port");
        assert_eq!(
            text(&port.context("could not deploy support-agent")),
            "error: could not deploy support-agent\n  \
               caused by: port 8000 is in use by another program\n\
             hint: set run.port"
        );
    }

    #[test]
    fn a_cause_of_several_lines_stands_together() {
        let error = anyhow::anyhow!("Dockerfile:2: RUN make\n  | no rule\nexit code 2");
        assert_eq!(
            text(&error.context("could not build")),
            "error: could not build\n  \
               caused by: Dockerfile:2: RUN make\n      \
                 | no rule\n    \
               exit code 2"
        );
    }

    #[test]
    fn a_picture_keeps_its_shape() {
        let error = anyhow::anyhow!(
            "agent.toml has a problem\n  3 | prot = 1\n    | ^^^^ did you mean port?"
        );
        assert_eq!(
            text(&error),
            "error: agent.toml has a problem\n  3 | prot = 1\n    | ^^^^ did you mean port?"
        );
    }
}
