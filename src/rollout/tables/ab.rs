//! A/B: both releases whole, and who has which is told by what users say, until a person decides.

use super::{Gate, Step, Table, Wish};

/// What the person is asked, who then promotes one of them.
const DECIDE: &str = "which arm stays";

pub(super) fn table(wish: &Wish, now: u32) -> Table {
    let trial = wish.trial(now, wish.replicas).into_iter();
    let arms = Step {
        gates: vec![Gate::Approve(DECIDE.to_owned())],
        ..Step::new(now, wish.replicas, wish.rollout.split)
    };
    let rows = [arms, wish.bake(now), wish.clean_up()];
    Table::whole(trial.chain(rows).collect(), now)
}
