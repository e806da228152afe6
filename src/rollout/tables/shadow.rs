//! Shadow: the candidate is asked what stable is asked, and nobody hears its answers.
//!
//! A yes before the first traffic is asked for when the copies have shown something. Then one
//! switch, or the steps of a canary where there are any.

use super::canary::{self, candidates};
use super::{Gate, Percent, Step, Table, Wish};

pub(super) fn table(wish: &Wish, now: u32) -> Table {
    let mut rows: Vec<Step> = probed(wish, now).into_iter().collect();
    rows.push(copied(wish, now));
    match wish.rollout.steps.is_empty() {
        true => rows.extend([wish.bake(now), wish.clean_up()]),
        false => rows.extend(
            canary::steps(wish, now)
                .into_iter()
                .map(|row| kept(wish, row)),
        ),
    }
    Table::whole(rows, now)
}

/// Candidates that are there for the copies stay: they will be needed.
fn kept(wish: &Wish, row: Step) -> Step {
    Step {
        candidate: row.candidate.max(candidates(wish, wish.rollout.mirror)),
        ..row
    }
}

fn probed(wish: &Wish, now: u32) -> Option<Step> {
    let probes = !wish.rollout.probe.is_empty();
    probes.then(|| Step {
        gates: vec![Gate::Probe],
        ..Step::new(now, candidates(wish, wish.rollout.mirror), Percent::ZERO)
    })
}

fn copied(wish: &Wish, now: u32) -> Step {
    let mut gates = wish.holds(&[wish.rollout.shadow.hold]);
    let asks = wish.first_gates().into_iter();
    gates.extend(asks.filter(|gate| matches!(gate, Gate::Approve(_))));
    let mirror = wish.rollout.mirror;
    Step {
        mirror,
        gates,
        ..Step::new(now, candidates(wish, mirror), Percent::ZERO)
    }
}
