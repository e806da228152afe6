//! `agentctl deploy`

use anyhow::Result;

use super::address::{address, fits, moved};
use super::args;
use super::artifact;
use super::away::Away;
use super::exit::Exit;
use super::image::tagged;
use super::journaled::{self, Journaled, history};
use super::lease::{self, Lease};
use super::objects;
use super::proposal::{Proposal, propose};
use super::prune;
use super::saved::Saved;
use super::show::Shown;
use super::site::{Project, now, variable};
use super::stop;
use super::store::AnyStore;
use super::tell;
use super::unchanged;
use super::walk::{BY_HAND, Walk};
use crate::advice::{Advice, advice, in_a_line};
use crate::engine;
use crate::image;
use crate::journal::Store;
use crate::redact::Redactor;
use crate::release::{Artifact, Contents, Identity, Release, ReleaseId};
use crate::rollout::{Outcome, Plan, Rollout, Stamp};
use crate::target::{Any, Target, secrets};

const HOUR: u64 = 3_600_000;

pub(crate) async fn run(args: &args::Deploy, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(&args.file)?;
    project.saved.clone_from(&args.plan);
    project.loaded.deployable()?;
    shown.warnings(&project.loaded.warnings);
    let saved = args.plan.as_deref().map(Saved::read).transpose()?;
    let values = secret_values(&project)?;
    objects::look(&mut project).await?;
    for unseen in fits(&project).await? {
        shown.note(unseen);
    }
    // What a plan was saved for is there already.
    let contents = match saved {
        Some(_) => artifact::planned(&project, shown).await?,
        None => artifact::made(&project, shown).await?,
    };
    make_place(&project, &contents, args.take_over).await?;
    let away = match args.in_cluster {
        true => Some(Away::ready(&project, shown).await?),
        false => None,
    };
    let store = project.site.store().await?;
    let lease = lease::acquire(&store).await?;
    let work = async |lease: &Lease| {
        let deployment = Deployment {
            project: &project,
            store: &store,
            lease,
            shown,
            target: project.site.target(lease.hold.fence()).await?,
            saved: saved.as_ref(),
            is_handed_over: away.is_some(),
        };
        deployment.run(args.again, contents, values).await
    };
    let exit = match (lease.during(&store, work).await?, away) {
        (Ended::HandedOver(number, planned), Some(away)) => {
            away.walks(number, *planned, &store, shown).await?
        }
        (Ended::With(exit), _) => exit,
        (Ended::HandedOver(..), None) => Exit::Stalled,
    };
    if objects::is_in_cluster(&project) {
        let requests = project.site.cluster().await?.requests();
        shown.detail(format!("{requests} requests to the cluster's API"));
    }
    Ok(exit)
}

/// The journal lies where the agent runs, and so that has to be there first.
async fn make_place(project: &Project, contents: &Contents, take_over: bool) -> Result<()> {
    if !objects::is_in_cluster(project) {
        return Ok(());
    }
    let cluster = project.site.cluster().await?;
    cluster.takes_over.set(take_over);
    match (&contents.artifact, cluster.makes_namespace.get()) {
        (Artifact::Image(image), true) => {
            let objects = objects::of(project, &image.name, ReleaseId(0), None).await?;
            cluster.make_namespace(&objects).await
        }
        _ => Ok(()),
    }
}

enum Ended {
    With(Exit),
    /// A pod in the cluster is to walk this rollout.
    HandedOver(u64, Box<Rollout>),
}

struct Deployment<'a> {
    project: &'a Project,
    store: &'a AnyStore,
    lease: &'a Lease,
    shown: &'a mut Shown,
    target: Any,
    saved: Option<&'a Saved>,
    is_handed_over: bool,
}

impl Deployment<'_> {
    async fn run(
        mut self,
        again: bool,
        contents: Contents,
        values: secrets::Values,
    ) -> Result<Ended> {
        let mut past = journaled::read(self.store).await?;
        let number = journaled::next(&past);
        let seen = self.target.observe().await?;
        stop::is_not_ending(&self.project.site, &seen)?;
        let by = self.lease.who.clone();
        let proposal = propose(self.project, contents, self.store, &past, &seen, by).await?;
        if let Some(saved) = self.saved {
            saved.holds(&Saved::of(&self.project.site, number, &proposal, &seen))?;
        }
        if let Some(moved) = moved(self.project, &seen) {
            self.shown.note(moved);
        }
        let Some(plan) = proposal.plan.clone() else {
            return self.nothing(proposal, values).await.map(Ended::With);
        };
        if !again && plan.stable().is_some() {
            self.hold_down(&past, &proposal.release)?;
        }
        let spec = &self.project.loaded.spec;
        self.target.has_room(spec, plan.most()).await?;
        journaled::abandon(self.store, &self.lease.hold, &mut past, number).await?;
        self.project.site.keep_target()?;
        self.target.keep_secrets(&values).await?;
        self.keep(&proposal).await?;
        let notify = self.project.loaded.spec.notify.as_ref();
        tell::keep(self.store, &self.lease.hold, notify).await?;
        self.stand_by(&values, plan.from.is_none()).await?;
        if seen.url.is_none() {
            let opened = self.target.listen(address(self.project)).await;
            self.or_nothing_runs(plan.from.is_none(), opened).await?;
        }
        match self.is_handed_over {
            true => self.hand_over(plan, number).await,
            false => self.walk(plan, number, &values).await.map(Ended::With),
        }
    }

    /// Written down, and begun by nobody yet.
    async fn hand_over(self, mut plan: Plan, number: u64) -> Result<Ended> {
        plan.by.clone_from(&self.lease.who);
        let planned = engine::begin(self.store, &self.lease.hold, number, now(), plan).await?;
        Ok(Ended::HandedOver(number, Box::new(planned)))
    }

    async fn nothing(mut self, proposal: Proposal, values: secrets::Values) -> Result<Exit> {
        if self.target.keep_secrets(&values).await? {
            self.shown.warn(
                "a secret has a new value: replicas take it when they are started the next time",
            );
        }
        let due = unchanged::due(self.project, &self.target, &proposal.release).await?;
        if objects::is_in_cluster(self.project) {
            // What all releases share may have changed.
            self.keep(&proposal).await?;
            self.target.settle().await?;
        } else {
            self.keep_beside(&proposal.release).await?;
        }
        self.stand_by(&values, false).await?;
        self.leave().await?;
        self.target.listen(address(self.project)).await?;
        unchanged::told(
            self.project,
            &self.target,
            proposal.release.id,
            &due,
            self.shown,
        )
        .await
    }

    /// What the agent needs beside it is there before the agent.
    async fn stand_by(&mut self, values: &secrets::Values, first: bool) -> Result<()> {
        let spec = &self.project.loaded.spec;
        self.shown.keep_out(Redactor::new(values));
        let mut say = |text: String| self.shown.note(text);
        let stood = self.target.stand_by(spec, values, &mut say).await;
        self.or_nothing_runs(first, stood).await
    }

    /// If a first deploy ends with that, nothing is left running.
    async fn or_nothing_runs(&mut self, first: bool, done: Result<()>) -> Result<()> {
        if first && done.is_err() {
            self.stop().await?;
        }
        done
    }

    async fn stop(&mut self) -> Result<()> {
        self.target.stop(true).await?;
        let mut say = |text: String| self.shown.note(text);
        self.target.stop_beside(&mut say).await
    }

    async fn leave(&mut self) -> Result<()> {
        let spec = &self.project.loaded.spec;
        let mut say = |text: String| self.shown.note(text);
        self.target.leave(spec, &mut say).await
    }

    /// While another one serves, a release that was undone by a failure is not tried again at once,
    /// nor one after the other.
    fn hold_down(&self, past: &[Journaled], release: &Release) -> Result<()> {
        let rollback = &self.project.loaded.spec.rollback;
        let history = history(past);
        let ago = |period: u64| Stamp(now().0.saturating_sub(period));
        if history.undone_since(ago(HOUR)) >= rollback.max_per_hour as usize {
            return Err(advice(
                format!(
                    "{} rollouts were undone within the last hour (rollback.max_per_hour)",
                    rollback.max_per_hour
                ),
                "look at them: agentctl history; to deploy all the same: agentctl deploy --again",
            ));
        }
        if history.is_held_down(release.id) {
            return Err(advice(
                format!(
                    "{} was rolled back by agentctl watch, and nothing has changed since",
                    release.id
                ),
                "change something, or deploy it all the same: agentctl deploy --again",
            ));
        }
        match history.undone(release.id) {
            Some(at) if at > ago(rollback.cooldown.as_millis()) => Err(advice(
                format!(
                    "{} was undone less than {} ago (rollback.cooldown), and nothing has changed since",
                    release.id, rollback.cooldown
                ),
                "change something, or deploy it all the same: agentctl deploy --again",
            )),
            _ => Ok(()),
        }
    }

    /// What stands beside a release may change without it.
    async fn keep_beside(&self, release: &Release) -> Result<()> {
        let kept = engine::release(self.store, release.id).await?;
        match kept.beside == release.beside {
            true => Ok(()),
            false => self.put(release).await,
        }
    }

    /// Keeps what the release runs from, so that no later edit reaches it.
    async fn keep(&self, proposal: &Proposal) -> Result<()> {
        let mut release = objects::filled(self.project, proposal.release.clone()).await?;
        match &release.contents.artifact {
            Artifact::Files(files) => self.keep_files(files)?,
            Artifact::Image(_) if objects::is_in_cluster(self.project) => {
                if proposal.plan.is_some() {
                    self.target.may_route(&release).await?;
                }
                self.put(&release).await?;
                return self.target.fetch(&release).await;
            }
            Artifact::Image(image) => {
                tagged(self.project, &image.name).await?;
                self.target.fetch(&release).await?;
                release.base = self.what_is_in(&image.name).await?;
            }
        }
        self.put(&release).await
    }

    async fn put(&self, release: &Release) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(release)?;
        self.store
            .put(&self.lease.hold, &engine::document(release.id), &bytes)
            .await
    }

    /// Keeps the list of the image's packages, once for each image; the answer is its base.
    async fn what_is_in(&self, name: &str) -> Result<Option<String>> {
        let engine = self.project.site.engine().await?;
        let digest = name.split_once('@').map_or(name, |(_, digest)| digest);
        let document = engine::packages(digest);
        if self.store.get(&document).await?.is_none() {
            let list = image::sbom(engine, name, digest).await?;
            let bytes = serde_json::to_vec(&list)?;
            self.store.put(&self.lease.hold, &document, &bytes).await?;
        }
        image::base(engine, name).await
    }

    fn keep_files(&self, files: &Identity) -> Result<()> {
        match artifact::tree(self.project).keep(&self.project.site.dir()?)? == *files {
            true => Ok(()),
            false => Err(advice(
                "the agent's files changed while they were copied",
                "deploy once more: agentctl deploy",
            )),
        }
    }

    async fn walk(mut self, plan: Plan, number: u64, values: &secrets::Values) -> Result<Exit> {
        let first = plan.from.is_none();
        let walk = Walk {
            site: &self.project.site,
            target: &self.target,
            store: self.store,
            lease: self.lease,
            shown: self.shown,
            values,
            notify: self.project.loaded.spec.notify.as_ref(),
            number,
            exit: Exit::of_outcome,
            signals: BY_HAND,
        };
        // A changed address is opened now, so that a release that is undone takes none away.
        let mut opened = Ok(());
        let open = async |outcome: &Outcome| {
            if matches!(outcome, Outcome::Completed) {
                opened = self.target.listen(address(self.project)).await;
            }
        };
        let outcome = walk.new_rollout_then(plan, open).await?;
        let done = self.afterwards(&outcome, first).await;
        for error in [opened, done].into_iter().filter_map(Result::err) {
            self.shown
                .warn(&format!("afterwards: {}", in_words(&error)));
        }
        Ok(Exit::of_outcome(&outcome))
    }

    /// Old files make room; a first deploy that came to nothing leaves nothing running.
    async fn afterwards(&mut self, outcome: &Outcome, first: bool) -> Result<()> {
        self.target.settle().await?;
        match outcome {
            Outcome::Completed => {
                self.leave().await?;
                let seen = self.target.observe().await?;
                prune::run(&self.target, self.store, &seen).await
            }
            Outcome::RolledBack(_) if first => self.stop().await,
            _ => Ok(()),
        }
    }
}

/// With what to type next, where that is known.
fn in_words(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Advice>() {
        Some(advice) => format!("{}; {}", in_a_line(error), advice.hint),
        None => in_a_line(error),
    }
}

pub(crate) fn secret_values(project: &Project) -> Result<secrets::Values> {
    if objects::is_in_cluster(project) {
        return objects::values(project);
    }
    secrets::fetch(&project.loaded.spec.secrets, project.folder(), &variable)
}
