//! `agentctl check`

use anyhow::Result;
use serde_json::json;

use super::args::File;
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;

pub(crate) fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(args)?;
    shown.warnings(&project.loaded.warnings);
    let file = project.file.display().to_string();
    shown.result("right", format!("{file} is right"), json!({ "file": file }));
    Ok(Exit::Done)
}
