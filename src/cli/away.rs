//! A rollout that a pod in the agent's own cluster walks: who began it follows it, and may leave.

use std::rc::Rc;

use anyhow::Result;

use super::exit::{Exit, left_standing};
use super::image::registry;
use super::journaled::events;
use super::objects::is_in_cluster;
use super::show::{Shown, Watching, title};
use super::site::{Project, executable, now, variable};
use super::store::AnyStore;
use crate::advice::{advice, because};
use crate::docker::{Engine, Place};
use crate::edge::program::name_of;
use crate::engine::Audience;
use crate::image::{self, Registry, Repository, Surroundings};
use crate::rollout::{Event, Rollout};
use crate::spec::GateSource;
use crate::target::{Cluster, Order, Runner, Target, program_image};
use crate::ui;

/// All that such a pod needs is there.
pub(crate) struct Away<'a> {
    project: &'a Project,
    cluster: Rc<Cluster>,
    image: String,
}

impl<'a> Away<'a> {
    /// # Errors
    /// Where the pod could not do what this process can.
    pub(crate) async fn ready(project: &'a Project, shown: &mut Shown) -> Result<Self> {
        if !is_in_cluster(project) {
            return Err(advice(
                "only a cluster can walk a rollout by itself, and this agent runs in none",
                "deploy without --in-cluster, or to an environment whose target is kubernetes",
            ));
        }
        asks_nothing_of_here(project)?;
        let cluster = Rc::clone(project.site.cluster().await?);
        may_walk(project, &cluster).await?;
        let image = own_image(project, shown).await?;
        Ok(Self {
            project,
            cluster,
            image,
        })
    }

    /// Nobody holds the lease: the pod is about to.
    pub(crate) async fn walks(
        &self,
        number: u64,
        planned: Rollout,
        store: &AnyStore,
        shown: &mut Shown,
    ) -> Result<Exit> {
        let order = Order {
            agent: &self.project.site.agent,
            namespace: self.cluster.namespace(),
            rollout: number,
            image: &self.image,
            environment: self.project.site.environment.as_deref().unwrap_or_default(),
            pull_secrets: &self.project.loaded.spec.image.pull_secrets,
        };
        let runner = self.cluster.hand_over(&order).await;
        let runner = runner.map_err(|error| left_standing(error, number, ui::next(&planned)))?;
        shown.note(format!(
            "the pod of job/{} walks it: this command may end, and agentctl status shows how it goes",
            runner.name()
        ));
        self.follow(number, planned, store, runner, shown).await
    }

    async fn follow(
        &self,
        number: u64,
        planned: Rollout,
        store: &AnyStore,
        mut runner: Runner,
        shown: &mut Shown,
    ) -> Result<Exit> {
        let site = &self.project.site;
        let target = site.target(0).await?;
        let watching = Watching::new(shown.console(), title(site, number), &planned);
        let mut told = Told::of(planned, &watching);
        let followed = async {
            told.tell(number, store, &watching).await?;
            while told.rollout.outcome().is_none() {
                tokio::select! {
                    news = runner.news() => {
                        news?;
                        told.tell(number, store, &watching).await?;
                        if runner.is_over() && told.rollout.outcome().is_none() {
                            return Err(never_ended(number));
                        }
                    }
                    seen = target.next() => watching.glimpse(&told.rollout, &seen?, &[], now()),
                }
            }
            Ok(())
        };
        let followed = tokio::select! {
            followed = followed => followed,
            never = watching.ticking() => match never {},
        };
        let rollout = told.rollout;
        let exit = rollout.outcome().map_or(Exit::Stalled, Exit::of_outcome);
        let seen = target.observe().await.unwrap_or_default();
        watching.done(&rollout, &seen, exit);
        followed
            .map(|()| exit)
            .map_err(|error| left_standing(error, number, ui::next(&rollout)))
    }
}

fn never_ended(number: u64) -> anyhow::Error {
    advice(
        format!("the pod ended, and rollout {number} has not"),
        "agentctl resume goes on from here; agentctl abort undoes it",
    )
}

/// What of the journal was shown.
struct Told {
    rollout: Rollout,
    events: usize,
}

impl Told {
    fn of(planned: Rollout, to: &Watching<'_>) -> Self {
        let plan = Event::Planned(Box::new((**planned.plan()).clone()));
        to.event(&planned, planned.started(), &plan);
        Self {
            rollout: planned,
            events: 1,
        }
    }

    async fn tell(&mut self, number: u64, store: &AnyStore, to: &Watching<'_>) -> Result<()> {
        for (at, event) in events(store, number).await?.into_iter().skip(self.events) {
            self.events += 1;
            self.rollout.apply(at, event.clone())?;
            to.event(&self.rollout, at, &event);
        }
        Ok(())
    }
}

/// Programs and files beside agent.toml stay where they are, and so does what a judge has spent.
fn asks_nothing_of_here(project: &Project) -> Result<()> {
    let spec = &project.loaded.spec;
    if !spec.judges.is_empty() {
        return Err(because(
            "a pod cannot ask a judge",
            "what [judges] have spent is kept on this machine, and their limit with it",
            "deploy without --in-cluster",
        ));
    }
    let kept_here = |source: &GateSource| match source {
        GateSource::Command { .. } => Some("runs a command"),
        other => {
            let login = other.login()?;
            let is_file = login.ca.is_some() || login.client.is_some();
            is_file.then_some("reads a file of certificates")
        }
    };
    let mut gates = spec.gate.iter();
    let found = gates.find_map(|gate| Some((gate, gate.source.as_ref().and_then(kept_here)?)));
    let Some((gate, what)) = found else {
        return Ok(());
    };
    Err(because(
        format!("a pod cannot judge the gate {}", gate.label()),
        format!("it {what} beside agent.toml, which the pod does not have"),
        "deploy without --in-cluster, or give the gate a source that is asked over the network",
    ))
}

async fn may_walk(project: &Project, cluster: &Cluster) -> Result<()> {
    if cluster.has_deployer().await? {
        return Ok(());
    }
    let environment = project.site.environment.as_deref().unwrap_or_default();
    Err(because(
        "nobody in the cluster may walk the rollout",
        format!(
            "there is no ServiceAccount {} in {}",
            cluster.deployer(),
            cluster.namespace()
        ),
        format!(
            "agentctl render rbac -e {environment} | kubectl apply -f - makes it, with its Role"
        ),
    ))
}

/// This program, beside the agent's images: who may pull those may pull it.
async fn own_image(project: &Project, shown: &mut Shown) -> Result<String> {
    let registry = place_of_images(project)?;
    let name = registry.repository().to_string();
    let program = executable()?;
    let tag = format!("agentctl-{}", name_of(&program)?);
    let known = registry.head(&tag).await?;
    let digest = match known {
        Some(digest) => digest,
        None => {
            shown.note(format!("pushing this agentctl to {name}:{tag}"));
            let engine = Engine::connect(Place::find(&variable)?).await?;
            let made = program_image(&engine, &program).await?;
            image::tag(&engine, &made, &name, std::slice::from_ref(&tag)).await?;
            image::push(&engine, &registry, &tag, &mut |_| {}).await?
        }
    };
    Ok(format!("{name}@{digest}"))
}

fn place_of_images(project: &Project) -> Result<Registry> {
    let image = &project.loaded.spec.image;
    match (&image.repository, &image.image) {
        (None, Some(ready)) => {
            let (repository, _) = Repository::of_image(ready)?;
            Registry::new(repository, Surroundings::find(&variable))
        }
        _ => registry(project),
    }
}
