//! `agentctl watch`: the gates stay on after a rollout, and what fails them is rolled back.
//!
//! It holds no lease while it only looks; under one, everything is looked at anew.

mod asked;

use std::rc::Rc;

use anyhow::Result;
use serde_json::json;
use tokio::time::{Duration, sleep};

use self::asked::Asked;
use super::args::File;
use super::exit::Exit;
use super::journaled::{self, history};
use super::kept;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::{Project, now};
use super::stop_signal::StopSignal;
use super::store::AnyStore;
use super::walk::{BY_HAND, Walk, warn_of_gone};
use crate::advice::{advice, in_a_line};
use crate::analysis::{Finding, Measures, SOME, Sliding, Sources, Verdict, judge};
use crate::engine;
use crate::journal::{Fenced, Held};
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::rollout::{MayGoBack, Plan, back};
use crate::spec::{GateSource, MetricGate, Percent};
use crate::target::{Any, Seen, Target};

/// Until it looks again where it could not.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    project.loaded.deployable()?;
    shown.warnings(&project.loaded.warnings);
    let gates = Rc::new(gates(&project)?);
    let store = project.site.store().await?;
    let window = project.loaded.spec.rollback.window;
    let target = project.site.target(0).await?;
    let sources = sources(&project, &gates, &target).await?;
    let redactor = Redactor::new(&sources.values);
    shown.keep_out(redactor.clone());
    let mut watcher = Watcher {
        asked: Asked::new(Rc::clone(&gates), sources, redactor, window),
        target,
        window: Sliding::new(window.as_millis()),
        release: None,
        told: None,
        project: &project,
        store: &store,
        gates,
        shown,
    };
    watcher.watch().await
}

/// Nothing runs beside the release to compare it with, and a model would be paid for ever.
fn gates(project: &Project) -> Result<Vec<MetricGate>> {
    let is_scored = |gate: &MetricGate| matches!(gate.source, Some(GateSource::Judge { .. }));
    let gates = project.loaded.spec.gate.iter();
    let gates: Vec<_> = gates
        .filter(|gate| gate.against.is_none() && !is_scored(gate))
        .cloned()
        .collect();
    match gates.is_empty() {
        true => Err(advice(
            format!("{} has no gate that could be watched", project.site.name()),
            "add one with max or min: [[gate]] metric = \"error_rate\", max = 0.01",
        )),
        false => Ok(gates),
    }
}

async fn sources(project: &Project, gates: &[MetricGate], target: &Any) -> Result<Sources> {
    let sources = gates.iter().filter_map(|gate| gate.source.as_ref());
    let wanted = sources.flat_map(GateSource::secrets);
    Ok(Sources {
        values: kept::values(project, wanted, target.kept_secrets().await?)?,
        folder: std::path::absolute(project.folder())?,
    })
}

struct Watcher<'a> {
    project: &'a Project,
    store: &'a AnyStore,
    target: Any,
    gates: Rc<Vec<MetricGate>>,
    asked: Asked,
    window: Sliding,
    /// The one that is watched.
    release: Option<ReleaseId>,
    /// So that the same is not said twice.
    told: Option<(&'static str, String)>,
    shown: &'a mut Shown,
}

impl Watcher<'_> {
    async fn watch(&mut self) -> Result<Exit> {
        let mut stop = StopSignal::new()?;
        let mut seen = self.target.observe().await;
        loop {
            if let Err(error) = self.follow(seen).await {
                if ends(&error) {
                    return Err(error);
                }
                self.tell("trouble", in_a_line(&error), None);
                tokio::select! {
                    () = sleep(AGAIN) => {}
                    () = stop.said() => return Ok(Exit::Done),
                }
            }
            seen = loop {
                tokio::select! {
                    seen = self.target.next() => break seen,
                    down = self.asked.next() => self.is_down(down),
                    () = stop.said() => return Ok(Exit::Done),
                }
            };
        }
    }

    fn is_down(&mut self, says: Option<String>) {
        if let Some(says) = says {
            self.tell("unclear", says, self.release);
        }
    }

    async fn follow(&mut self, seen: Result<Seen>) -> Result<()> {
        let seen = seen?;
        let Some(release) = alone(&seen) else {
            // A rollout moves traffic, or nothing runs: whoever does that has gates of its own.
            self.release = None;
            self.asked.end();
            return Ok(());
        };
        if self.release.replace(release) != Some(release) {
            self.window.clear();
            self.asked.begin(release);
            let says = format!("watching {release}");
            self.tell("watching", says, Some(release));
        }
        let verdicts = self.verdicts(release, &seen);
        match verdicts
            .into_iter()
            .find(|verdict| verdict.finding == Finding::Fail)
        {
            Some(failed) => self.go_back(release, &failed).await,
            None => Ok(()),
        }
    }

    fn verdicts(&mut self, release: ReleaseId, seen: &Seen) -> Vec<Verdict> {
        let total = seen.releases.get(&release).map(|seen| &seen.total);
        let Some(total) = total else {
            return Vec::new();
        };
        let window = self.window.see(now().0, total);
        let verdict = |(at, gate): (usize, &MetricGate)| match gate.source {
            Some(_) => self.asked.judge(at, gate),
            None => judge(gate, &window),
        };
        let verdicts = self.gates.iter().enumerate().map(verdict);
        verdicts.chain(half_fails(release, &window)).collect()
    }

    async fn go_back(&mut self, release: ReleaseId, failed: &Verdict) -> Result<()> {
        let lease = match lease::try_acquire(self.store).await {
            Err(error) if error.is::<Held>() => {
                self.tell(
                    "busy",
                    format!("{}, but {error}", failed.says),
                    Some(release),
                );
                return Ok(());
            }
            lease => lease?,
        };
        let store = self.store;
        let work = async |lease: &Lease| self.go_back_under(lease, release, failed).await;
        lease.during(store, work).await
    }

    async fn go_back_under(
        &mut self,
        lease: &Lease,
        release: ReleaseId,
        failed: &Verdict,
    ) -> Result<()> {
        let past = journaled::read(self.store).await?;
        let unfinished = past.last().is_some_and(|last| last.rollout.can_go_on());
        let history = history(&past);
        if history.stable() != Some(release) {
            // Somebody was faster.
            return self.look_anew().await;
        }
        if unfinished {
            let says = format!("{}, but a rollout was left standing", failed.says);
            self.tell("busy", says, Some(release));
            return Ok(());
        }
        let rollback = &self.project.loaded.spec.rollback;
        let to = match history.may_go_back(rollback, now()) {
            MayGoBack::To(to) => to,
            MayGoBack::Not(why) => {
                self.tell("hold", format!("{}, but {why}", failed.says), Some(release));
                return Ok(());
            }
        };
        let says = format!("{}: going back from {release} to {to}", failed.says);
        self.tell("rollback", says, Some(release));
        let target = self.project.site.target(lease.hold.fence()).await?;
        let seen = target.observe().await?;
        let good = engine::release(self.store, to).await?;
        target.fetch(&good).await?;
        warn_of_gone(&target, &good, self.shown).await;
        let wanted = seen.releases.get(&release).map_or(0, |live| live.wanted);
        let last = past.last().map(|past| &**past.rollout.plan());
        let startup = good.contents.health.startup.within;
        let plan = Plan {
            because: Some(format!("watch: {}", failed.says)),
            ..back(Some((release, wanted)), to, startup, last)
        };
        let values = target.kept_secrets().await?;
        let walk = Walk {
            site: &self.project.site,
            store: self.store,
            lease,
            shown: self.shown,
            values: &values,
            notify: None,
            target: &target,
            number: past.last().map_or(1, |past| past.number + 1),
            exit: Exit::of_outcome,
            signals: BY_HAND,
        };
        walk.new_rollout(plan).await?;
        self.look_anew().await
    }

    /// What the edge told meanwhile is old by now.
    async fn look_anew(&mut self) -> Result<()> {
        self.release = None;
        self.target = self.project.site.target(0).await?;
        Ok(())
    }

    fn tell(&mut self, outcome: &'static str, says: String, release: Option<ReleaseId>) {
        let is_new = match &self.told {
            // Figures move with each look; what follows from them does not.
            Some((told, _)) if ["busy", "hold"].contains(&outcome) => *told != outcome,
            Some((told, before)) => *told != outcome || *before != says,
            None => true,
        };
        if is_new {
            self.shown.decision(
                "watch",
                outcome,
                &says,
                json!({ "release": release, "says": says }),
            );
            self.told = Some((outcome, says));
        }
    }
}

/// What needs no gate: half of the requests fail.
fn half_fails(release: ReleaseId, window: &Measures) -> Option<Verdict> {
    let Measures {
        requests, errors, ..
    } = *window;
    window.fails(2, SOME).then(|| Verdict {
        gate: "requests".to_owned(),
        finding: Finding::Fail,
        figure: window.error_rate(),
        says: format!("{errors} of {requests} requests to {release} failed"),
        evidence: None,
        both: false,
    })
}

/// The one release that has all traffic.
fn alone(seen: &Seen) -> Option<ReleaseId> {
    let mut shares = seen.shares.iter();
    let (release, share) = shares.next()?;
    (shares.next().is_none() && *share == Percent::FULL).then_some(*release)
}

/// What cannot be got over by looking again: a person said stop.
fn ends(error: &anyhow::Error) -> bool {
    error.is::<engine::Left>() || error.is::<super::exit::Standing>() && !error.is::<Fenced>()
}
