//! `agentctl destroy`

use anyhow::Result;
use serde_json::json;

use super::args;
use super::exit::Exit;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::Site;
use crate::advice::advice;

pub(crate) async fn run(args: &args::Destroy, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let target = site.target(0).await?;
    if !target.is_there().await? {
        return Ok(gone(&site, "there is nothing of", shown));
    }
    if !agreed(args, &site, shown)? {
        shown.note("nothing was changed");
        return Ok(Exit::WrongInput);
    }
    let store = site.store().await?;
    let lease = lease::acquire(&store).await?;
    let work = async |lease: &Lease| {
        let target = site.target(lease.hold.fence()).await?;
        target.stop_to_remove(args.now).await
    };
    lease.during(&store, work).await?;
    // The lease itself lies in what is removed.
    target.remove_everything().await?;
    site.dir()?.forget_evidence()?;
    Ok(gone(&site, "nothing is left of", shown))
}

/// # Errors
/// Where nobody can be asked.
fn agreed(args: &args::Destroy, site: &Site, shown: &mut Shown) -> Result<bool> {
    if args.yes {
        return Ok(true);
    }
    let question = format!(
        "remove {} with its history, its secrets and the data of its services?",
        site.name()
    );
    let answer = shown.console().ask(&question);
    answer.ok_or_else(|| {
        advice(
            format!("nobody can be asked whether {} is to go", site.name()),
            "agentctl destroy --yes does not ask",
        )
    })
}

fn gone(site: &Site, says: &str, shown: &mut Shown) -> Exit {
    let more = json!({ "agent": site.agent, "environment": site.environment });
    shown.result("destroyed", format!("{says} {}", site.name()), more);
    Exit::Done
}
