//! An error in words: what could not be done, each cause once, and what to type next.

use serde::Serialize;

use super::line::{Line, Tone};
use crate::advice;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
    /// What the process exits with.
    pub(super) exit: u8,
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
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let causes = self
            .causes
            .iter()
            .flat_map(|cause| said(Tone::Dim, "  caused by: ", cause));
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
    let mut labels = std::iter::once(label).chain(std::iter::repeat(""));
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
