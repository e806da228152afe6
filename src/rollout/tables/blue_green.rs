use super::{Table, Wish};

/// All of both beside each other, and one switch.
pub(super) fn table(wish: &Wish, now: u32) -> Table {
    let trial = wish.trial(now, wish.replicas).into_iter();
    let rows = [wish.bake(now), wish.clean_up()];
    Table::whole(trial.chain(rows).collect(), now)
}
