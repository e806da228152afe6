//! `agentctl check`

use anyhow::Result;

use super::args::File;
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;

pub(crate) fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(args)?;
    shown.warnings(&project.loaded.warnings);
    shown.note(format!("{} is right", project.file.display()));
    Ok(Exit::Done)
}
