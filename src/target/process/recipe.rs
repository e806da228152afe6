//! A release in the edge's words.

use std::collections::BTreeMap;

use anyhow::Result;

use super::StateDir;
use crate::edge::api::{Piece, Place, Recipe};
use crate::release::{Contents, Identity, Release};
use crate::target::orders;

pub(super) fn recipe(
    release: &Release,
    files: &Identity,
    agent: &str,
    dir: &StateDir,
) -> Result<Recipe> {
    let contents = &release.contents;
    Ok(Recipe {
        place: Place::Folder(dir.files(files)),
        command: orders::command(contents)?,
        env: environment(release, files, agent, dir)?,
        health: orders::health(contents),
        drain: orders::drain(&contents.drain),
    })
}

fn environment(
    release: &Release,
    files: &Identity,
    agent: &str,
    dir: &StateDir,
) -> Result<BTreeMap<String, Vec<Piece>>> {
    let contents = &release.contents;
    let mut env = told(release, files, agent, dir);
    for name in contents.secrets.keys() {
        env.insert(name.clone(), vec![Piece::Secret(name.clone())]);
    }
    env.extend(orders::variables(&contents.env)?);
    Ok(env)
}

/// What every agent is told about itself.
fn told(
    release: &Release,
    files: &Identity,
    agent: &str,
    dir: &StateDir,
) -> BTreeMap<String, Vec<Piece>> {
    let config = dir.config(release.id).display().to_string();
    let mut told = BTreeMap::from([
        ("AGENT_NAME", agent.to_owned()),
        ("AGENT_RELEASE", release.id.to_string()),
        ("AGENT_CONFIG", config),
    ]);
    if let Some(prompts) = prompts(&release.contents, files, dir) {
        told.insert("AGENT_PROMPTS", prompts);
    }
    told.into_iter()
        .map(|(name, value)| (name.to_owned(), vec![Piece::Text(value)]))
        .collect()
}

fn prompts(contents: &Contents, files: &Identity, dir: &StateDir) -> Option<String> {
    let folder = contents.config.prompts.as_ref()?;
    Some(dir.files(files).join(folder).display().to_string())
}
