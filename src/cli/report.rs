//! `agentctl report`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::args;
use super::exit::Exit;
use super::journaled;
use super::render::own_templates;
use super::show::Shown;
use super::site::Site;
use crate::advice::{Advise, advice};
use crate::journal::Store;
use crate::render::Templates;
use crate::ui::{Known, ReplicaLog, Report};

/// Of each replica's log.
const LINES: usize = 200;

pub(crate) async fn run(args: &args::Report, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let rollout = wanted(args.rollout, &store.list().await?, &site)?;
    let report = Report::of(Known {
        agent: site.agent.clone(),
        environment: site.environment.clone(),
        rollout,
        events: journaled::events(&store, rollout).await?,
        logs: logs(&site.dir()?.evidence(rollout))?,
    })?;
    if shown.is_json() && args.out.is_none() {
        shown.json("report", serde_json::to_value(&report)?);
        return Ok(Exit::Done);
    }
    let page = report.page(
        &templates(args)?,
        &shown.console().clock(super::site::now()),
    );
    let page = page.advise(
        "could not make the page",
        "mend templates/report/page.html, or remove it",
    )?;
    let file = file(args, &site, rollout);
    fs::write(&file, page).with_context(|| format!("could not write {}", file.display()))?;
    let file = file.display().to_string();
    let says = format!("rollout {rollout} of {} is told in {file}", site.name());
    shown.result("written", says, json!({ "rollout": rollout, "file": file }));
    Ok(Exit::Done)
}

fn wanted(asked: Option<u64>, there: &[u64], site: &Site) -> Result<u64> {
    match (asked, there.last()) {
        (Some(number), Some(_)) if there.contains(&number) => Ok(number),
        (None, Some(last)) => Ok(*last),
        (Some(number), Some(last)) => Err(advice(
            format!("there is no rollout {number} of {}", site.name()),
            format!("the last one is {last}; agentctl history lists them"),
        )),
        (_, None) => Err(advice(
            format!("nothing of {} was ever deployed here", site.name()),
            "deploy it first: agentctl deploy",
        )),
    }
}

/// A user's own page, where it lies beside agent.toml.
fn templates(args: &args::Report) -> Result<Templates> {
    let file = args.which.file.file.as_deref();
    let folder = file.and_then(Path::parent).unwrap_or(Path::new("."));
    let own = match args.which.agent {
        Some(_) => BTreeMap::new(),
        None => own_templates(folder)?,
    };
    Ok(Templates::new(own))
}

fn file(args: &args::Report, site: &Site, rollout: u64) -> PathBuf {
    let environment = site.environment.iter().map(|name| format!(".{name}"));
    let usual = format!(
        "{}{}-{rollout}.html",
        site.agent,
        environment.collect::<String>()
    );
    args.out.clone().unwrap_or_else(|| usual.into())
}

/// What was saved of the new release's replicas before it was undone, without its secrets.
fn logs(folder: &Path) -> Result<Vec<ReplicaLog>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
        .collect();
    paths.sort();
    paths.iter().map(|path| log(path)).collect()
}

fn log(path: &Path) -> Result<ReplicaLog> {
    let text = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let replica = path.file_stem().unwrap_or_default();
    Ok(ReplicaLog {
        replica: replica.to_string_lossy().into_owned(),
        lines: last.iter().map(|line| (*line).to_owned()).collect(),
    })
}
