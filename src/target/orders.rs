//! What is wanted, in the edge's words.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Arms, Mirror, Traffic};
use crate::edge::api::{self, Drain, Health, Key, Piece};
use crate::release::Contents;
use crate::spec::{self, ConversationKey, Part, Period, ProbeRequest, Template};

pub(super) fn traffic(traffic: &Traffic, fence: u64) -> api::Traffic {
    let shares = traffic.shares.iter();
    api::Traffic {
        fence,
        shares: shares
            .map(|(release, share)| (release.to_string(), share.hundredths()))
            .collect(),
        keys: traffic.keys.iter().map(key).collect(),
        sticky: traffic.sticky,
        settle: traffic.settle.map(Period::as_millis),
        mirror: traffic.mirror.as_ref().map(mirror),
        arms: traffic.arms.as_ref().map(arms),
    }
}

fn arms(arms: &Arms) -> api::Arms {
    let says = arms.ab.says.iter();
    api::Arms {
        pool: arms.to.to_string(),
        rest: arms.rest.to_string(),
        says: says
            .map(|says| (key(&says.key), says.value.clone()))
            .collect(),
        user: arms.ab.user.as_ref().map(key),
        share: arms.ab.split.hundredths(),
    }
}

fn mirror(mirror: &Mirror) -> api::Mirror {
    let shadow = &mirror.shadow;
    let capture = shadow.capture.as_ref().map(|file| api::Capture {
        file: file.clone(),
        redact: shadow.redact.iter().map(key).collect(),
    });
    api::Mirror {
        pool: mirror.to.to_string(),
        share: mirror.share.hundredths(),
        at_most: shadow.at_most.map(Period::as_millis),
        most_cost: shadow.max_cost.map(|cost| (cost * 1e6).round() as u64),
        capture,
    }
}

pub(super) fn request(request: &ProbeRequest, within: u64, replica: Option<u32>) -> api::Request {
    let mut headers = request.headers.clone();
    if request.json.is_some() {
        headers
            .entry("content-type".to_owned())
            .or_insert_with(|| "application/json".to_owned());
    }
    api::Request {
        method: request.method.clone(),
        path: request.path.clone(),
        headers,
        body: request
            .json
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        within,
        replica,
    }
}

/// What a release is started with.
pub(super) fn command(contents: &Contents) -> Result<Vec<Vec<Piece>>> {
    contents.command.iter().map(pieces).collect()
}

pub(super) fn variables(all: &BTreeMap<String, Template>) -> Result<BTreeMap<String, Vec<Piece>>> {
    let all = all.iter();
    all.map(|(name, value)| Ok((name.clone(), pieces(value)?)))
        .collect()
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

pub(super) fn health(contents: &Contents) -> Health {
    let health = &contents.health;
    Health {
        is_mute: !contents.kind.serves(),
        live: health.live.clone(),
        ready: health.ready.clone(),
        startup: health.startup.path.clone(),
        startup_within: health.startup.within.as_millis(),
        every: health.every.as_millis(),
        timeout: health.timeout.as_millis(),
        failures: health.failures,
    }
}

pub(super) fn drain(drain: &spec::Drain) -> Drain {
    Drain {
        grace: drain.grace.as_millis(),
        conversations: drain.conversations.as_millis(),
        idle: drain.idle.as_millis(),
    }
}

fn key(key: &ConversationKey) -> Key {
    match key.clone() {
        ConversationKey::Header(name) => Key::Header(name),
        ConversationKey::Cookie(name) => Key::Cookie(name),
        ConversationKey::Query(name) => Key::Query(name),
        ConversationKey::Json(field) => Key::Json(field),
    }
}
