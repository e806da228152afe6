//! `agentctl stop`

use anyhow::Result;
use serde_json::json;

use super::args;
use super::exit::Exit;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::Site;

pub(crate) async fn run(args: &args::Stop, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let lease = lease::acquire(&store).await?;
    let work = async |lease: &Lease| site.target(lease.hold.fence()).await?.stop(args.now).await;
    lease.during(&store, work).await?;
    let says = format!("{} is stopped; its history is kept", site.name());
    let more = json!({ "agent": site.agent, "environment": site.environment });
    shown.result("stopped", says, more);
    Ok(Exit::Done)
}
