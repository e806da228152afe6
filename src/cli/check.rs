//! `agentctl check`

use anyhow::Result;
use serde_json::json;

use super::args::File;
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;

pub(crate) fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    super::render::check(&project)?;
    super::judges::judges(&project)?;
    super::certificates::are_there(&project)?;
    shown.warnings(&project.loaded.warnings);
    // A file may be meant for a target of another environment, or for rendering alone.
    if let Err(problems) = project.loaded.deployable() {
        shown.note(format!("deploy would refuse it: {}", problems.first()));
    }
    let file = project.file.display().to_string();
    shown.result("right", format!("{file} is right"), json!({ "file": file }));
    Ok(Exit::Done)
}
