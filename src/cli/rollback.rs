//! `agentctl rollback`

use anyhow::Result;

use super::abort;
use super::args;
use super::exit::Exit;
use super::journaled::{self, Journaled, history};
use super::lease::{self, Lease};
use super::shape;
use super::show::Shown;
use super::site::Site;
use super::stop;
use super::store::AnyStore;
use super::walk::{BY_HAND, Walk, wake_beside, warn_of_gone};
use crate::advice::advice;
use crate::engine::{self, ABORT};
use crate::release::{Release, ReleaseId};
use crate::rollout::{Phase, Plan, Rollout, back};
use crate::target::{Seen, Target};
use crate::ui;

const LIST: &str = "agentctl history lists the releases";

/// While a rollout runs, going back is undoing it; afterwards it is a rollout of its own. Said twice it
/// is done once.
pub(crate) async fn run(args: &args::Rollback, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    let running = last.filter(|last| last.rollout.can_go_on());
    let to = args.to.as_deref().map(named).transpose()?;
    let way = running.as_ref().and_then(|running| way(running, to));
    let lease = match (way, running) {
        (Some(Way::Refuse), Some(running)) => return Err(unproven(&running)),
        (Some(Way::Follow), Some(running)) => {
            let to = running.rollout.plan().to;
            shown.note(format!(
                "rollout {} goes back to {to} already",
                running.number
            ));
            return abort::follow(&site, &store, &running, shown).await;
        }
        (Some(Way::Undo), running) => {
            return abort::undo(&site, &store, running, abort::Word::Abort, shown).await;
        }
        (Some(Way::After), Some(running)) => ended(&store, &running, shown).await?,
        _ => lease::acquire(&store).await?,
    };
    let work = async |lease: &Lease| go_back(to, &site, &store, lease, shown).await;
    lease.during(&store, work).await
}

/// What going back means to a rollout that runs or stalled.
enum Way {
    /// It goes back already.
    Follow,
    Undo,
    /// It has to end first: the release that it is about is the one to go back from.
    After,
    /// Going to what it is about would pass by its gates.
    Refuse,
}

/// `None`: it does not stand in the way, or gives way to the release `to`, which a person names.
fn way(running: &Journaled, to: Option<ReleaseId>) -> Option<Way> {
    let rollout = &running.rollout;
    match to {
        None => way_back(rollout),
        Some(to) => way_to(rollout, to),
    }
}

fn way_to(rollout: &Rollout, to: ReleaseId) -> Option<Way> {
    match (rollout.plan(), rollout.phase()) {
        (_, Phase::CleaningUp) => None,
        (plan, _) if plan.is_scale() => None,
        (plan, Phase::Forward) if plan.goes_back && plan.to == to => Some(Way::Follow),
        (plan, _) if plan.goes_back => None,
        (plan, _) if plan.to == to => Some(Way::Refuse),
        (plan, _) => (plan.stable() == Some(to)).then_some(Way::Undo),
    }
}

fn way_back(rollout: &Rollout) -> Option<Way> {
    match (rollout.plan(), rollout.phase()) {
        (plan, Phase::Undoing(_)) if plan.goes_back => Some(Way::After),
        (plan, _) if plan.goes_back => Some(Way::Follow),
        // Past the point of no return.
        (_, Phase::CleaningUp) => None,
        (plan, _) if plan.is_scale() => Some(Way::After),
        _ => Some(Way::Undo),
    }
}

fn unproven(running: &Journaled) -> anyhow::Error {
    let (number, to) = (running.number, running.rollout.plan().to);
    advice(
        format!("rollout {number} has not proven {to} yet: there is nothing to go back to"),
        ui::next(&running.rollout),
    )
}

/// The lease, once whoever walks this rollout has ended it.
async fn ended(store: &AnyStore, running: &Journaled, shown: &mut Shown) -> Result<Lease> {
    let says = format!("asked for the end of rollout {}", running.number);
    match abort::reached(store, running, Some((ABORT, says)), shown).await? {
        abort::Reached::Free(lease) => Ok(lease),
        abort::Reached::Ended(_) => lease::acquire(store).await,
    }
}

async fn go_back(
    to: Option<ReleaseId>,
    site: &Site,
    store: &AnyStore,
    lease: &Lease,
    shown: &mut Shown,
) -> Result<Exit> {
    let target = site.target(lease.hold.fence()).await?;
    let mut past = journaled::read(store).await?;
    let seen = target.observe().await?;
    stop::is_not_ending(site, &seen)?;
    let number = journaled::next(&past);
    let release = engine::release(store, wanted(to, site, &past, &seen)?).await?;
    shape::fits_back(site, &release, store, &seen).await?;
    let plan = plan(&past, &release, &seen)?;
    target.fetch(&release).await?;
    journaled::abandon(store, &lease.hold, &mut past, number).await?;
    wake_beside(&target, shown).await;
    warn_of_gone(&target, &release, shown).await;
    let values = target.kept_secrets().await?;
    let walk = Walk {
        site,
        target: &target,
        store,
        lease,
        shown,
        values: &values,
        notify: None,
        number,
        exit: Exit::of_outcome,
        signals: BY_HAND,
    };
    let outcome = walk.new_rollout(plan).await?;
    target.settle().await?;
    Ok(Exit::of_outcome(&outcome))
}

fn wanted(
    named: Option<ReleaseId>,
    site: &Site,
    past: &[Journaled],
    seen: &Seen,
) -> Result<ReleaseId> {
    let (history, list) = (history(past), LIST);
    match (named.or_else(|| history.last_good()), history.stable()) {
        (Some(release), _) if !known(past, release) => {
            Err(advice(format!("there is no release {release}"), list))
        }
        // What was stopped serves nobody.
        (Some(release), stable) if stable == Some(release) && replicas(seen, release) > 0 => {
            Err(advice(format!("{release} is what serves already"), list))
        }
        (Some(release), _) => Ok(release),
        (None, Some(stable)) => Err(advice(
            format!("there is no good release before {stable}"),
            format!("{list}; --to names one"),
        )),
        (None, None) => Err(advice(
            format!("nothing of {} is deployed here", site.name()),
            "agentctl history shows what was",
        )),
    }
}

fn named(to: &str) -> Result<ReleaseId> {
    to.parse().map_err(|says: String| advice(says, LIST))
}

fn known(past: &[Journaled], release: ReleaseId) -> bool {
    past.iter().any(|past| past.rollout.plan().to == release)
}

fn replicas(seen: &Seen, release: ReleaseId) -> u32 {
    seen.releases.get(&release).map_or(0, |live| live.wanted)
}

fn plan(past: &[Journaled], release: &Release, seen: &Seen) -> Result<Plan> {
    let stable = history(past).stable().filter(|id| *id != release.id);
    let last = past.last().map(|past| past.rollout.plan());
    let plan = back(
        stable.map(|id| (id, replicas(seen, id))),
        release.id,
        release.contents.health.startup.within,
        last.map(|plan| &**plan),
    );
    match () {
        () if release.is_in_place() => Ok(plan.in_place()),
        () if release.is_one_set() => plan.in_turn().map_err(anyhow::Error::msg),
        () => Ok(plan),
    }
}
