//! `agentctl check`

use anyhow::{Error, Result};
use serde_json::json;

use super::args::File;
use super::artifact;
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;
use crate::advice::in_a_line;
use crate::spec::{Problems, TargetSpec};

pub(crate) fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    whole(&project)?;
    shown.warnings(&project.loaded.warnings);
    // A file may be meant for a target of another environment, or for rendering alone.
    if let Some(says) = refused(&mut project) {
        shown.note(format!("deploy would refuse it: {says}"));
    }
    if args.environment.is_none() {
        let all = &project.loaded.environments;
        all.iter()
            .try_for_each(|name| other(&project, name, shown))?;
    }
    let file = project.file.display().to_string();
    shown.result("right", format!("{file} is right"), json!({ "file": file }));
    Ok(Exit::Done)
}

fn whole(project: &Project) -> Result<()> {
    super::render::check(project)?;
    super::judges::judges(project)?;
    super::certificates::are_there(project)
}

/// What nobody asked about by name is refused only where the file itself is wrong: variables of
/// production are rarely set on a laptop.
fn other(base: &Project, name: &str, shown: &mut Shown) -> Result<()> {
    let checked = base.in_environment(name).and_then(|project| {
        whole(&project)?;
        Ok(project)
    });
    match checked {
        Ok(mut project) => {
            tell(base, &mut project, name, shown);
            Ok(())
        }
        Err(error) if is_of_here(&error) => {
            shown.note(format!(
                "not checked: {name}, whose variables are not all set here; see agentctl check -e {name}"
            ));
            Ok(())
        }
        Err(error) => {
            shown.note(format!("agentctl check -e {name} says:"));
            Err(error)
        }
    }
}

/// What has not been told of the base already.
fn tell(base: &Project, project: &mut Project, name: &str, shown: &mut Shown) {
    let mut warnings = std::mem::take(&mut project.loaded.warnings);
    warnings.retain(|warning| !base.loaded.warnings.contains(warning));
    shown.warnings(&warnings);
    if let Some(says) = refused(project) {
        shown.note(format!("deploy -e {name} would refuse it: {says}"));
    }
}

/// Why what is right in itself could not be deployed from here.
fn refused(project: &mut Project) -> Option<String> {
    if let Err(problems) = project.loaded.deployable() {
        return Some(problems.first().to_string());
    }
    match project.loaded.target {
        TargetSpec::Process { .. } => {
            let error = artifact::tree(project).is_there().err()?;
            Some(in_a_line(&error))
        }
        _ => None,
    }
}

fn is_of_here(error: &Error) -> bool {
    error
        .downcast_ref::<Problems>()
        .is_some_and(Problems::are_of_here)
}
