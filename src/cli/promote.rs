//! `agentctl promote a|b`

use anyhow::Result;

use super::args::{Arm, Promote};
use super::exit::Exit;
use super::show::Shown;
use super::site::{Site, now};
use super::{abort, approve, journaled};
use crate::advice::advice;

/// Ends an A/B test: all go to the new release, or back to the old one.
pub(crate) async fn run(args: &Promote, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    let is_asked = last.as_ref().is_some_and(|last| {
        let rollout = &last.rollout;
        rollout.can_go_on() && rollout.is_test() && rollout.asks(now()).is_some()
    });
    match (is_asked, args.arm) {
        (false, _) => Err(advice(
            format!("no A/B test of {} waits to be decided", site.name()),
            "agentctl status shows where it stands",
        )),
        (true, Arm::A) => abort::undo(&site, &store, last, abort::Word::Keep, shown).await,
        (true, Arm::B) => approve::run(&args.which, shown).await,
    }
}
