//! The walk: the one rule that leads from any world to a wanted one.
//!
//! Grow, wait until ready, move traffic, shrink. The rules are asked in this order and the first
//! that has something to do is the answer, so each may lean on those before it. What is not wanted
//! goes as soon as it carries no traffic: it may hold the room that growth needs.

use super::event::{Effect, Live, Side, Slot};
use super::plan::Step;
use crate::spec::Percent;

/// What a rule sees: the world, the row that is wanted, and the most replicas that may be alive.
pub(super) struct View<'a> {
    pub(super) live: &'a Live,
    pub(super) want: &'a Step,
    pub(super) limit: Option<u32>,
}

pub(super) type Rule = fn(&View) -> Option<Effect>;

pub(super) const RULES: [Rule; 9] = [
    retire,
    dismiss,
    grow_candidate,
    await_candidate,
    grow_stable,
    await_stable,
    route,
    shrink_stable,
    shrink_candidate,
];

/// The next effect on the way to the wanted world; `None`: this is it.
pub(super) fn towards(rules: &[Rule], view: &View) -> Option<Effect> {
    rules.iter().find_map(|rule| rule(view))
}

pub(super) fn retire(view: &View) -> Option<Effect> {
    view.live.weight?;
    view.live.others.first().copied().map(Effect::Retire)
}

pub(super) fn dismiss(view: &View) -> Option<Effect> {
    let live = view.live;
    let idle = live.weight == Some(Percent::ZERO) && live.mirror == Percent::ZERO;
    idle.then(|| shrink_candidate(view)).flatten()
}

pub(super) fn grow_candidate(view: &View) -> Option<Effect> {
    grow(
        view,
        Slot::Candidate,
        view.live.candidate,
        view.want.candidate,
    )
}

pub(super) fn await_candidate(view: &View) -> Option<Effect> {
    let want = view.want.candidate;
    (view.live.candidate.ready < want).then_some(Effect::AwaitReady(Slot::Candidate, want))
}

/// Only an undo has to: a walk forward begins with all of stable.
pub(super) fn grow_stable(view: &View) -> Option<Effect> {
    grow(view, Slot::Stable, view.live.stable, view.want.stable)
}

/// Waits for those that are coming, and for one where none is ready. Replicas that stable lost by
/// itself hold up neither the walk nor the undo.
pub(super) fn await_stable(view: &View) -> Option<Effect> {
    let Side { ready, coming, .. } = view.live.stable;
    let short = coming > 0 || ready == 0;
    (short && leans_on_stable(view))
        .then(|| Effect::AwaitReady(Slot::Stable, (ready + coming).max(1)))
}

pub(super) fn route(view: &View) -> Option<Effect> {
    let View { live, want, .. } = view;
    let stays = live.weight == Some(want.weight);
    let is_there = stays && live.mirror == want.mirror;
    // Copies end whoever is there.
    let is_due = is_served(view) || (stays && want.mirror.is_zero());
    (is_due && !is_there).then_some(match want.mirror {
        Percent::ZERO => Effect::Route(want.weight),
        share => Effect::Mirror(share),
    })
}

/// Whether each side that is to have a share has somebody, or is going to.
fn is_served(view: &View) -> bool {
    let View { live, want, .. } = view;
    let stable = want.stable > 0 || live.stable.ready > 0;
    let candidate = want.candidate > 0 || live.candidate.ready > 0;
    (stable || want.weight == Percent::FULL) && (candidate || want.weight == Percent::ZERO)
}

pub(super) fn shrink_stable(view: &View) -> Option<Effect> {
    shrink(Slot::Stable, view.live.stable, view.want.stable)
}

pub(super) fn shrink_candidate(view: &View) -> Option<Effect> {
    shrink(Slot::Candidate, view.live.candidate, view.want.candidate)
}

/// Stable is to get more traffic than it has, or there is nobody else.
fn leans_on_stable(view: &View) -> bool {
    let weight = view.live.weight.unwrap_or(Percent::FULL);
    view.want.stable > 0 && (view.want.weight < weight || view.want.candidate == 0)
}

fn grow(view: &View, slot: Slot, side: Side, want: u32) -> Option<Effect> {
    let more = want.checked_sub(side.wanted).filter(|more| *more > 0)?;
    let room = view.limit.map(|limit| limit.saturating_sub(more));
    Some(match room {
        Some(room) if view.live.alive() > room => Effect::AwaitGone(room),
        _ => Effect::Scale(slot, want),
    })
}

fn shrink(slot: Slot, side: Side, want: u32) -> Option<Effect> {
    (side.wanted > want).then_some(Effect::Scale(slot, want))
}
