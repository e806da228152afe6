//! `agentctl logs`

use anyhow::Result;

use super::args;
use super::exit::Exit;
use super::show::Shown;
use super::site::Site;
use crate::advice::advice;
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::target::Target;

pub(crate) async fn run(args: &args::Logs, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let target = site.target(0).await?;
    let values = target.all_values().await?;
    shown.keep_out(Redactor::of(
        values.iter().map(|(name, value)| (name, value)),
    ));
    let releases = match &args.release {
        Some(named) => vec![release(named)?],
        None => target.observe().await?.releases.into_keys().collect(),
    };
    let mut logs = Vec::new();
    for release in releases {
        logs.extend(target.logs(release, args.lines).await?);
    }
    if logs.is_empty() {
        return Err(advice(
            format!("no replica of {} wrote anything that is kept", site.name()),
            "agentctl history lists the releases; --release names one",
        ));
    }
    shown.console().logs(&logs);
    Ok(Exit::Done)
}

fn release(named: &str) -> Result<ReleaseId> {
    named
        .parse()
        .map_err(|says: String| advice(says, "agentctl history lists the releases"))
}
