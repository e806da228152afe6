//! A release in the edge's words.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::StateDir;
use crate::edge::api::{Drain, Health, Key, Piece, Recipe};
use crate::release::{Artifact, Contents, Release};
use crate::spec::{self, ConversationKey, Part, Template};

pub(super) fn recipe(release: &Release, agent: &str, dir: &StateDir) -> Result<Recipe> {
    let contents = &release.contents;
    let Artifact::Files(files) = &contents.artifact;
    Ok(Recipe {
        command: contents.command.iter().map(pieces).collect::<Result<_>>()?,
        env: environment(release, agent, dir)?,
        dir: dir.files(files),
        health: health(&contents.health),
        drain: drain(&contents.drain),
    })
}

fn environment(
    release: &Release,
    agent: &str,
    dir: &StateDir,
) -> Result<BTreeMap<String, Vec<Piece>>> {
    let contents = &release.contents;
    let mut env = told(release, agent, dir);
    for name in contents.secrets.keys() {
        env.insert(name.clone(), vec![Piece::Secret(name.clone())]);
    }
    for (name, value) in &contents.env {
        env.insert(name.clone(), pieces(value)?);
    }
    Ok(env)
}

/// What every agent is told about itself.
fn told(release: &Release, agent: &str, dir: &StateDir) -> BTreeMap<String, Vec<Piece>> {
    let config = dir.config(release.id).display().to_string();
    let mut told = BTreeMap::from([
        ("AGENT_NAME", agent.to_owned()),
        ("AGENT_RELEASE", release.id.to_string()),
        ("AGENT_CONFIG", config),
    ]);
    if let Some(prompts) = prompts(&release.contents, dir) {
        told.insert("AGENT_PROMPTS", prompts);
    }
    told.into_iter()
        .map(|(name, value)| (name.to_owned(), vec![Piece::Text(value)]))
        .collect()
}

fn prompts(contents: &Contents, dir: &StateDir) -> Option<String> {
    let Artifact::Files(files) = &contents.artifact;
    let folder = contents.config.prompts.as_ref()?;
    Some(dir.files(files).join(folder).display().to_string())
}

fn pieces(template: &Template) -> Result<Vec<Piece>> {
    template.0.iter().map(piece).collect()
}

fn piece(part: &Part) -> Result<Piece> {
    Ok(match part {
        Part::Text(text) => Piece::Text(text.clone()),
        Part::Secret(name) => Piece::Secret(name.clone()),
        Part::Variable(name) if name == "PORT" => Piece::Port,
        Part::Variable(name) => bail!("${{{name}}} was left in the release"),
    })
}

fn health(health: &spec::Health) -> Health {
    Health {
        live: health.live.clone(),
        ready: health.ready.clone(),
        startup: health.startup.path.clone(),
        startup_within: health.startup.within.as_millis(),
        every: health.every.as_millis(),
        timeout: health.timeout.as_millis(),
        failures: health.failures,
    }
}

fn drain(drain: &spec::Drain) -> Drain {
    Drain {
        grace: drain.grace.as_millis(),
        conversations: drain.conversations.as_millis(),
        idle: drain.idle.as_millis(),
    }
}

pub(super) fn key(key: &ConversationKey) -> Key {
    match key.clone() {
        ConversationKey::Header(name) => Key::Header(name),
        ConversationKey::Cookie(name) => Key::Cookie(name),
        ConversationKey::Query(name) => Key::Query(name),
        ConversationKey::Json(field) => Key::Json(field),
    }
}
