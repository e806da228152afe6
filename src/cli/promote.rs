//! `agentctl promote a|b`

use anyhow::Result;

use super::args::{Arm, Promote};
use super::exit::Exit;
use super::show::Shown;
use super::site::Site;
use super::{abort, approve, journaled};
use crate::advice::advice;

/// Ends an A/B test: all go to the new release, or back to the old one.
pub(crate) async fn run(args: &Promote, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    let asked = last.as_ref().and_then(|last| {
        let rollout = &last.rollout;
        let is_test = rollout.can_go_on() && rollout.is_test();
        let what = last.asks().filter(|_| is_test)?;
        Some((last.number, what.to_owned()))
    });
    match (asked, args.arm) {
        (None, _) => Err(advice(
            format!("no A/B test of {} waits to be decided", site.name()),
            "agentctl status shows where it stands",
        )),
        (Some(_), Arm::A) => abort::undo(&site, &store, last, abort::Word::Keep, shown).await,
        (Some((number, what)), Arm::B) => {
            approve::say_yes(&site, &store, number, &what, shown).await
        }
    }
}
