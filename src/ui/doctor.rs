//! `agentctl doctor`: what was looked at, a line each, and what to do about what is wrong.

use serde::Serialize;

use super::console::View;
use super::error::{Trouble, caused, said};
use super::line::{Line, Tone};
use super::table::{Align, aligned};
use super::words::Clock;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    about: &'static str,
    #[serde(flatten)]
    found: Found,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Found {
    Right {
        says: String,
    },
    /// Not there, and this agent does without it.
    Absent {
        says: String,
    },
    Wrong {
        says: String,
        causes: Vec<String>,
        hint: Option<String>,
    },
}

impl Finding {
    pub(crate) fn of(about: &'static str, found: anyhow::Result<String>) -> Self {
        let found = match found {
            Ok(says) => Found::Right { says },
            Err(error) => {
                let trouble = Trouble::of(&error, 0);
                Found::Wrong {
                    says: trouble.message,
                    causes: trouble.causes,
                    hint: trouble.hint,
                }
            }
        };
        Self { about, found }
    }

    pub(crate) fn absent(about: &'static str, says: impl Into<String>) -> Self {
        let found = Found::Absent { says: says.into() };
        Self { about, found }
    }

    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.found, Found::Wrong { .. })
    }

    fn row(&self) -> Vec<Line> {
        let (tone, glyph, says) = match &self.found {
            Found::Right { says } => (Tone::Good, "✓", says),
            Found::Absent { says } => (Tone::Dim, "·", says),
            Found::Wrong { says, .. } => (Tone::Bad, "✗", says),
        };
        let says = says.lines().next().unwrap_or_default();
        vec![
            Line::new(tone, glyph),
            Line::from(self.about),
            Line::from(says),
        ]
    }

    fn more(&self) -> Vec<Line> {
        let Found::Wrong { says, causes, hint } = &self.found else {
            return Vec::new();
        };
        let rest = says.lines().skip(1).map(Line::from);
        let causes = causes.iter().flat_map(|cause| caused("caused by: ", cause));
        let hint = hint
            .iter()
            .flat_map(|hint| said(Tone::Strong, "hint: ", hint));
        let lines = rest.chain(causes).chain(hint);
        lines.map(|line| line.indent(4)).collect()
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct DoctorView {
    pub(crate) findings: Vec<Finding>,
}

impl View for DoctorView {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        let rows = self.findings.iter().map(Finding::row).collect();
        let lines = aligned(&[Align::Left; 3], rows).into_iter();
        let each = lines.zip(&self.findings);
        each.flat_map(|(line, finding)| std::iter::once(line).chain(finding.more()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::because;
    use crate::ui::fixtures::clock;

    #[test]
    fn what_is_wrong_says_why_and_what_to_do() {
        let wrong = because("could not reach it", "refused", "start it");
        let view = DoctorView {
            findings: vec![
                Finding::of("agent.toml", Ok("is right".to_owned())),
                Finding::absent("KEDA", "not there, and not needed"),
                Finding::of("engine", Err(wrong)),
            ],
        };
        let lines: Vec<_> = view
            .lines(&clock(0))
            .iter()
            .map(|line| line.paint(false))
            .collect();
        assert_eq!(
            lines,
            [
                "✓  agent.toml  is right",
                "·  KEDA        not there, and not needed",
                "✗  engine      could not reach it",
                "    caused by: refused",
                "    hint: start it",
            ]
        );
    }
}
