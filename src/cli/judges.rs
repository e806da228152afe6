//! The judges of agent.toml with their rubrics, as they are read now.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;

use super::kept;
use super::site::Project;
use crate::advice::{Advise, advice};
use crate::spec::{LlmJudge, Rubric};
use crate::target::secrets::Values;

/// A rubric is what a person can read; a judge pays for it with every call.
const LONGEST: usize = 64 << 10;

/// # Errors
/// Where a rubric's file cannot be read.
pub(crate) fn judges(project: &Project) -> Result<BTreeMap<String, LlmJudge>> {
    let judges = project.loaded.spec.judges.iter();
    judges
        .map(|(name, judge)| Ok((name.clone(), whole(project, name, judge)?)))
        .collect()
}

/// What was kept at the last deploy, and of judges that are newer what they need now.
pub(crate) fn values<'j>(
    project: &Project,
    judges: impl Iterator<Item = &'j LlmJudge>,
    kept: Values,
) -> Result<Values> {
    let texts = judges.flat_map(|judge| judge.login.templates());
    kept::values(project, texts.flat_map(|(_, text)| text.secrets()), kept)
}

fn whole(project: &Project, name: &str, judge: &LlmJudge) -> Result<LlmJudge> {
    let Rubric::File { file } = &judge.rubric else {
        return Ok(judge.clone());
    };
    let hint = "write into that file, beside agent.toml, what a good reply is";
    let text = fs::read_to_string(project.folder().join(file)).advise(
        format!("could not read {file}, the rubric of the judge {name}"),
        hint,
    )?;
    if text.trim().is_empty() || text.len() > LONGEST {
        let says = format!("{file}, the rubric of the judge {name}, is empty or beyond 64 KiB");
        return Err(advice(says, hint));
    }
    Ok(LlmJudge {
        rubric: Rubric::Text(text),
        ..judge.clone()
    })
}
