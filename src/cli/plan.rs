//! `agentctl plan`

use anyhow::Result;

use super::args::File;
use super::artifact;
use super::deploy;
use super::exit::Exit;
use super::journaled;
use super::lease;
use super::objects;
use super::proposal::propose;
use super::show::Shown;
use super::site::Project;
use crate::target::Target;

pub(crate) async fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    project.loaded.deployable()?;
    shown.warnings(&project.loaded.warnings);
    deploy::fits(&project).await?;
    let store = project.site.store().await?;
    let past = journaled::read(&store).await?;
    let target = project.site.target(0).await?;
    let seen = target.observe().await?;
    let contents = artifact::planned(&project, shown).await?;
    let proposal = propose(&project, contents, &store, &past, &seen, lease::who()).await?;
    let spec = &project.loaded.spec;
    for line in target.due_beside(spec).await? {
        shown.note(line);
    }
    match &proposal.plan {
        Some(plan) => {
            target.has_room(spec, plan.most()).await?;
            let release = objects::filled(&project, proposal.release.clone())?;
            for line in target.differences(&release).await? {
                shown.note(line);
            }
            shown.plan(&project.site, plan, &proposal.changes);
        }
        None => shown.nothing_changed(&project.site, proposal.release.id, &seen),
    }
    Ok(Exit::Done)
}
