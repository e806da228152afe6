//! `agentctl autoscale`

mod look;
mod sources;
mod watch;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::args;
use super::exit::Exit;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::Project;
use super::store::AnyStore;
use super::walk::{BY_HAND, Walk};
use crate::advice::advice;
use crate::analysis::{Less, Turn, Work};
use crate::engine;
use crate::journal::{Held, Store};
use crate::redact::Redactor;
use crate::rollout::{Plan, Wish};
use crate::spec::{Period, Scale};
use crate::target::secrets;
use look::{Decided, Look};

/// What the next look has to know of this one.
const LESS: &str = "autoscale.json";

pub(crate) async fn run(args: &args::Autoscale, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(&args.file)?;
    project.loaded.deployable()?;
    let scale = followed(&project)?;
    let values = sources::values(&project, &scale)?;
    shown.keep_out(Redactor::new(&values));
    let store = project.site.store().await?;
    let every = args.every.unwrap_or(scale.every);
    let mut scaler = Scaler {
        sources: sources::of(&project, &scale, &values)?,
        store: &store,
        project: &project,
        scale,
        values,
        shown,
        dry_run: args.dry_run,
    };
    match args.watch {
        true => scaler.watch(every).await,
        false => scaler.once().await,
    }
}

fn followed(project: &Project) -> Result<Scale> {
    let scale = project.loaded.spec.scale.clone();
    scale.filter(Scale::is_asked).ok_or_else(|| {
        advice(
            format!(
                "nothing says when replicas of {} are added",
                project.site.name()
            ),
            "queue = { kind = \"redis-list\", … }, metrics = [{ … }] or schedule = [{ … }] under [scale]",
        )
    })
}

struct Scaler<'a> {
    project: &'a Project,
    scale: Scale,
    sources: Vec<sources::Asked>,
    values: secrets::Values,
    store: &'a AnyStore,
    shown: &'a mut Shown,
    dry_run: bool,
}

/// What came of a look.
enum Followed {
    /// Nothing but words.
    Told(Look),
    /// A rollout, which has said all.
    Walked(Exit),
}

impl Scaler<'_> {
    async fn once(&mut self) -> Result<Exit> {
        let work = self.ask().await?;
        match self.follow(&work).await? {
            Followed::Told(look) => {
                self.shown
                    .result(look.outcome(), look.says(), look.as_json());
                Ok(Exit::Done)
            }
            Followed::Walked(exit) => Ok(exit),
        }
    }

    /// Looks, and does what is decided.
    async fn follow(&mut self, work: &[Work]) -> Result<Followed> {
        let look = self.look(work, 0).await?;
        match self.dry_run || !look.acts() {
            true => Ok(Followed::Told(look)),
            false => self.act(work).await,
        }
    }

    /// All of them, or nothing is decided.
    async fn ask(&self) -> Result<Vec<Work>> {
        try_join_all(self.sources.iter().map(sources::Asked::work)).await
    }

    /// Under the lease all may look different.
    async fn act(&mut self, work: &[Work]) -> Result<Followed> {
        let store = self.store;
        let lease = match lease::acquire(store).await {
            Err(error) if error.is::<Held>() => {
                let busy = Look::Busy(format!("{error}: nothing is scaled"));
                return Ok(Followed::Told(busy));
            }
            lease => lease?,
        };
        let act = async |lease: &Lease| self.act_under(lease, work).await;
        lease.during(store, act).await
    }

    async fn act_under(&mut self, lease: &Lease, work: &[Work]) -> Result<Followed> {
        let look = self.look(work, lease.hold.fence()).await?;
        let Look::Decided(decided) = &look else {
            return Ok(Followed::Told(look));
        };
        self.remember(lease, decided).await?;
        match decided.decision.turn {
            Turn::Keep | Turn::Wait => Ok(Followed::Told(look)),
            Turn::Up | Turn::Down => {
                self.shown
                    .decision("scale", look.outcome(), &look.says(), look.as_json());
                self.walk(lease, decided).await.map(Followed::Walked)
            }
        }
    }

    async fn remember(&self, lease: &Lease, decided: &Decided) -> Result<()> {
        let less = decided.decision.less;
        match less == decided.before {
            true => Ok(()),
            false => {
                let bytes = serde_json::to_vec(&less)?;
                self.store.put(&lease.hold, LESS, &bytes).await
            }
        }
    }

    async fn walk(&mut self, lease: &Lease, decided: &Decided) -> Result<Exit> {
        let site = &self.project.site;
        let target = site.target(lease.hold.fence()).await?;
        let release = engine::release(self.store, decided.release).await?;
        target.fetch(&release).await?;
        let mut values = target.kept_secrets().await?;
        values.extend(self.values.clone());
        let plan = self.plan(decided, release.contents.health.startup.within);
        let walk = Walk {
            site,
            target: &target,
            store: self.store,
            lease,
            shown: self.shown,
            values: &values,
            notify: None,
            number: decided.number,
            exit: Exit::of_outcome,
            signals: BY_HAND,
        };
        let outcome = walk.new_rollout(plan).await?;
        Ok(Exit::of_outcome(&outcome))
    }

    fn plan(&self, decided: &Decided, startup: Period) -> Plan {
        let spec = &self.project.loaded.spec;
        Plan {
            because: Some(decided.says()),
            ..Plan::new(&Wish {
                from: Some((decided.release, decided.live)),
                to: decided.release,
                replicas: decided.decision.replicas,
                rollout: &spec.rollout,
                gates: &[],
                approve: false,
                auto_undo: spec.rollback.auto,
                startup,
            })
        }
    }
}
