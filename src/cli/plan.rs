//! `agentctl plan`

use anyhow::Result;

use super::args::File;
use super::artifact;
use super::exit::Exit;
use super::journaled;
use super::lease;
use super::proposal::propose;
use super::show::Shown;
use super::site::Project;
use crate::target::Target;

pub(crate) async fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    project.loaded.deployable()?;
    shown.warnings(&project.loaded.warnings);
    let store = project.site.store().await?;
    let past = journaled::read(&store).await?;
    let seen = project.site.target(0).await?.observe().await?;
    let contents = artifact::planned(&project, shown).await?;
    let proposal = propose(&project, contents, &store, &past, &seen, lease::who()).await?;
    match &proposal.plan {
        Some(plan) => shown.plan(&project.site, plan, &proposal.changes),
        None => shown.nothing_changed(&project.site, proposal.release.id, &seen),
    }
    Ok(Exit::Done)
}
