//! `agentctl probe`

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::args::File;
use super::exit::Exit;
use super::judges;
use super::show::Shown;
use super::site::{Project, now};
use crate::advice::{Advise, advice};
use crate::analysis::{Probed, Sources};
use crate::engine::{Jury, Purses, probe};
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::spec::Probe;
use crate::target::secrets::Values;
use crate::target::{Seen, Target};
use crate::ui;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    pub(crate) file: File,
    /// Only those of this suite
    #[arg(long, value_name = "NAME")]
    pub(crate) suite: Option<String>,
    /// To this release [default: the one with the most traffic]
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
    /// Write a report as CI systems read it
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

/// Past the proxy: what is sent is in no figure, and no rollout begins or ends by it.
pub(crate) async fn run(args: &Asked, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(&args.file)?;
    let probes = wanted(args, &project)?;
    let target = project.site.target(0).await?;
    let values = values(&project, &probes, target.kept_secrets().await?)?;
    let redactor = Redactor::new(&values);
    shown.keep_out(redactor.clone());
    let jury = Jury {
        judges: &judges::judges(&project)?,
        sources: &Sources {
            values,
            folder: project.folder().to_owned(),
        },
        redactor: &redactor,
        purses: &Purses::default(),
    };
    let release = release(args, &project, &target.observe().await?)?;
    let mut all = Vec::new();
    for (at, probe) in probes.iter().enumerate() {
        let conversation = format!("probe-{}-{at}", now().0);
        all.push(probe::run(&target, release, probe, &conversation, &jury).await?);
    }
    if let Some(path) = &args.junit {
        let report = ui::junit(project.site.name().as_str(), &all);
        let says = format!("could not write {}", path.display());
        fs::write(path, report).advise(says, "name a file that can be written: --junit FILE")?;
    }
    Ok(told(release, &all, shown))
}

fn wanted(args: &Asked, project: &Project) -> Result<Vec<Probe>> {
    let probes = project.loaded.spec.rollout.probe.iter();
    let suite = args.suite.as_deref();
    let mine = probes.filter(|probe| suite.is_none() || probe.suite.as_deref() == suite);
    let mine: Vec<Probe> = mine.cloned().collect();
    match (mine.is_empty(), suite) {
        (false, _) => Ok(mine),
        (true, Some(suite)) => Err(advice(
            format!("no probe belongs to the suite \"{suite}\""),
            "suite = \"…\" in a [[rollout.probe]] says which one it belongs to",
        )),
        (true, None) => Err(advice(
            format!("{} has no probes", project.file.display()),
            "add a [[rollout.probe]] with a request and what is expected",
        )),
    }
}

/// Of the judges that these probes ask.
fn values(project: &Project, probes: &[Probe], kept: Values) -> Result<Values> {
    let turns = probes.iter().flat_map(Probe::turns);
    let names: BTreeSet<&String> = turns.flat_map(|(_, expect)| expect.judge.keys()).collect();
    let all = &project.loaded.spec.judges;
    let judges = names.into_iter().filter_map(|name| all.get(name));
    judges::values(project, judges, kept)
}

fn release(args: &Asked, project: &Project, seen: &Seen) -> Result<ReleaseId> {
    let hint = "agentctl status shows what runs";
    if let Some(named) = &args.release {
        let id: ReleaseId = named.parse().map_err(|says: String| advice(says, hint))?;
        let side = seen.releases.get(&id);
        return match side.is_some_and(|side| side.ready > 0) {
            true => Ok(id),
            false => Err(advice(
                format!(
                    "{id} of {} has no replica that is ready",
                    project.site.name()
                ),
                hint,
            )),
        };
    }
    let most = seen.shares.iter().max_by_key(|(_, share)| **share);
    let says = || {
        advice(
            format!("nothing of {} runs here", project.site.name()),
            hint,
        )
    };
    most.map(|(id, _)| *id).ok_or_else(says)
}

fn told(release: ReleaseId, all: &[Probed], shown: &mut Shown) -> Exit {
    let failed = all.iter().filter(|probed| probed.failure.is_some()).count();
    let (outcome, exit) = match failed {
        0 => ("passed", Exit::Done),
        _ => ("failed", Exit::Undone),
    };
    let more = json!({ "release": release, "probes": all });
    shown.result_with(outcome, exit, &ui::probed(release, all), more);
    exit
}
