//! The judges of agent.toml with their rubrics, as they are read now.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;

use super::site::Project;
use crate::advice::{Advise, advice};
use crate::spec::{LlmJudge, Rubric};

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
