//! What a deploy of this agent.toml would do now: nothing, or this plan.

use anyhow::Result;

use super::journaled::{Journaled, history};
use super::objects;
use super::origin::origin;
use super::shape;
use super::site::Project;
use crate::advice::because;
use crate::engine;
use crate::journal::Store;
use crate::release::{Choice, Contents, Release, ReleaseId, changes, choose};
use crate::render::beside;
use crate::rollout::{Plan, Wish};
use crate::spec::{Percent, Scale, Strategy};
use crate::target::Seen;

pub(crate) struct Proposal {
    pub(crate) release: Release,
    /// `None`: it runs already, exactly so.
    pub(crate) plan: Option<Plan>,
    /// Against the release in force, in words.
    pub(crate) changes: Vec<String>,
}

/// `by` is whoever would make the release.
pub(crate) async fn propose<S: Store>(
    project: &Project,
    mut contents: Contents,
    store: &S,
    past: &[Journaled],
    seen: &Seen,
    by: String,
) -> Result<Proposal> {
    shape::fits(project, &contents, store, seen).await?;
    let known = releases(store, past).await?;
    let in_force = history(past).stable();
    let stable = known.iter().find(|release| Some(release.id) == in_force);
    let changes = match stable {
        Some(stable) => {
            contents.unseen_as_in(&stable.contents);
            changes(&stable.contents, &contents)?
        }
        None => Vec::new(),
    };
    let identity = contents.identity()?;
    let same = known.iter().find(|release| release.identity == identity);
    let spec = &project.loaded.spec;
    let beside = beside(spec).iter().map(|one| one.name.to_owned()).collect();
    let release = match same {
        Some(same) => Release {
            beside,
            ..same.clone()
        },
        None => Release {
            id: next(&known, seen),
            identity,
            made: super::site::now().0,
            by,
            base: None,
            objects: Vec::new(),
            origin: origin(project)?,
            beside,
            contents,
        },
    };
    let choice = match spec.rollout.strategy {
        Strategy::Auto => {
            let choose = |stable| choose(stable, &release, spec.agent.risk);
            let choice = stable.map(choose).transpose()?;
            match objects::is_one_set(project) {
                true => choice.map(Choice::in_one_set),
                false => choice,
            }
        }
        _ => None,
    };
    let replicas = replicas(project, &release, in_force, seen);
    let plan = match runs_already(&release, replicas, in_force, seen) {
        true => None,
        false => {
            let plan = plan(project, &release, replicas, in_force, seen, choice);
            super::certificates::are_there(project)?;
            let judges = super::judges::judges(project)?;
            Some(Plan {
                judges,
                ..fitted(project, plan)?
            })
        }
    };
    Ok(Proposal {
        release,
        plan,
        changes,
    })
}

/// What runs counts too: a journal may have been moved away, and what it was about is still there.
fn next(known: &[Release], seen: &Seen) -> ReleaseId {
    let known = known.iter().map(|release| release.id);
    let last = known.chain(seen.releases.keys().copied()).max();
    ReleaseId(last.map_or(0, |id| id.0) + 1)
}

/// Every release that a rollout was about, newest first.
pub(crate) async fn releases<S: Store>(store: &S, past: &[Journaled]) -> Result<Vec<Release>> {
    let mut ids: Vec<ReleaseId> = past.iter().map(|past| past.rollout.plan().to).collect();
    ids.sort_by(|a, b| b.cmp(a));
    ids.dedup();
    let mut releases = Vec::new();
    for id in ids {
        if store.get(&engine::document(id)).await?.is_some() {
            releases.push(engine::release(store, id).await?);
        }
    }
    Ok(releases)
}

/// Where something follows the work, its number is kept.
fn replicas(project: &Project, release: &Release, in_force: Option<ReleaseId>, seen: &Seen) -> u32 {
    let usual = objects::counted(project);
    let scale = project.loaded.spec.scale.as_ref();
    let follows = |scale: &&Scale| scale.is_asked() || objects::is_scaled(project, scale);
    let Some(scale) = scale.filter(follows) else {
        return usual;
    };
    let stable = in_force.and_then(|id| seen.releases.get(&id));
    let live = stable.map_or(0, |live| live.wanted);
    let is_idle = live == 0 && scale.idle_to_zero && in_force == Some(release.id);
    match is_idle && seen.shares.contains_key(&release.id) {
        true => 0,
        false => scale.kept(live, usual),
    }
}

fn runs_already(
    release: &Release,
    replicas: u32,
    in_force: Option<ReleaseId>,
    seen: &Seen,
) -> bool {
    let live = seen.releases.get(&release.id);
    let others = seen
        .releases
        .iter()
        .any(|(id, other)| *id != release.id && other.wanted > 0);
    in_force == Some(release.id)
        && live.is_some_and(|live| live.wanted == replicas)
        && seen.shares.get(&release.id) == Some(&Percent::FULL)
        && !others
}

/// # Errors
/// A share that replicas cannot make up, where nothing else splits requests.
fn fitted(project: &Project, plan: Plan) -> Result<Plan> {
    if objects::in_place(project) {
        return Ok(plan.in_place());
    }
    let refused = |cause, hint| {
        let what = format!("{} cannot be rolled out like this", project.site.name());
        because(what, cause, hint)
    };
    if objects::is_one_set(project) {
        let hint = "such weights in rollout.steps, or more replicas";
        return plan.in_turn().map_err(|cause| refused(cause, hint));
    }
    if !objects::split_by_replicas(project) {
        return Ok(plan);
    }
    let scale = project.loaded.spec.scale.as_ref();
    let hint = match scale.is_some_and(|scale| objects::is_scaled(project, scale)) {
        true => {
            "the autoscaler changes the number of replicas, and with it the weights that there can \
             be: rollout.strategy = \"rolling\", or network.router = \"gateway\", which splits by weight"
        }
        false => {
            "such weights in rollout.steps, more replicas, or network.router = \"gateway\", which \
             splits by weight"
        }
    };
    plan.by_replicas().map_err(|cause| refused(cause, hint))
}

fn plan(
    project: &Project,
    release: &Release,
    replicas: u32,
    in_force: Option<ReleaseId>,
    seen: &Seen,
    choice: Option<Choice>,
) -> Plan {
    let spec = &project.loaded.spec;
    let wanted = |id| seen.releases.get(&id).map_or(0, |live| live.wanted);
    let mut rollout = spec.rollout.clone();
    let chosen = choice.map(|choice| {
        rollout.strategy = choice.strategy;
        choice.why
    });
    let mut plan = Plan::new(&Wish {
        from: in_force.map(|id| (id, wanted(id))),
        to: release.id,
        replicas,
        rollout: &rollout,
        gates: &spec.gate,
        approve: project.loaded.approve,
        auto_undo: spec.rollback.auto,
        startup: spec.health.startup.within,
    });
    if spec.gate.iter().any(|gate| gate.source.is_some()) || !spec.judges.is_empty() {
        let folder = std::path::absolute(project.folder());
        plan.folder = folder.map_or_else(|_| String::new(), |path| path.display().to_string());
    }
    Plan { chosen, ..plan }
}
