//! `agentctl plan`

use anyhow::Result;

use super::address;
use super::args;
use super::artifact;
use super::exit::Exit;
use super::journaled;
use super::lease;
use super::objects;
use super::proposal::propose;
use super::saved::{self, Saved};
use super::show::Shown;
use super::site::Project;
use super::unchanged;
use crate::spec::Router;
use crate::target::Target;

pub(crate) async fn run(args: &args::Plan, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(&args.file)?;
    project.saved.clone_from(&args.save);
    project.loaded.deployable()?;
    shown.warnings(&project.loaded.warnings);
    let leaves_router = project.loaded.spec.network.router == Router::Auto;
    objects::look(&mut project).await?;
    let is_called = project.loaded.spec.agent.kind.is_called();
    if leaves_router && is_called && objects::is_in_cluster(&project) {
        shown.note(objects::routed(&project.loaded.spec));
    }
    for unseen in address::fits(&project).await? {
        shown.note(unseen);
    }
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
    if let Some(moved) = address::moved(&project, &seen) {
        shown.note(moved);
    }
    let mut exit = Exit::Done;
    match &proposal.plan {
        Some(plan) => {
            target.has_room(spec, plan.most()).await?;
            let release = objects::filled(&project, proposal.release.clone()).await?;
            for line in target.differences(&release).await? {
                shown.note(line);
            }
            shown.plan(&project.site, plan, &proposal.changes);
        }
        None => {
            let release = &proposal.release;
            let due = unchanged::due(&project, &target, release).await?;
            exit = unchanged::told(&project, &target, release.id, &due, shown).await?;
        }
    }
    if let Some(path) = &args.save {
        saved::is_certain(&proposal)?;
        objects::can_be_saved(&project).await?;
        Saved::of(&project.site, journaled::next(&past), &proposal, &seen).write(path)?;
        let path = path.display();
        shown.note(format!(
            "saved; walk it with: agentctl deploy --plan {path}"
        ));
    }
    Ok(exit)
}
