//! The files that gates and judges are asked with: found missing before a rollout is.

use std::fs;

use anyhow::Result;

use super::site::Project;
use crate::advice::Advise;
use crate::spec::Login;

/// # Errors
/// Where one cannot be read.
pub(crate) fn are_there(project: &Project) -> Result<()> {
    let spec = &project.loaded.spec;
    let gates = spec.gate.iter().filter_map(|gate| {
        let login = gate.source.as_ref()?.login()?;
        Some((format!("the gate {}", gate.label()), login))
    });
    let judges = spec.judges.iter();
    let judges = judges.map(|(name, judge)| (format!("the judge {name}"), &judge.login));
    for (who, login) in gates.chain(judges) {
        of(project, &who, login)?;
    }
    Ok(())
}

fn of(project: &Project, who: &str, login: &Login) -> Result<()> {
    let files = [("ca", &login.ca), ("client", &login.client)];
    for (key, file) in files {
        let Some(file) = file else { continue };
        fs::read(project.folder().join(file)).advise(
            format!("could not read {file}, the {key} of {who}"),
            "put it there, a path beside agent.toml or a whole one",
        )?;
    }
    Ok(())
}
