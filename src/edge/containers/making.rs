//! A replica's container in the engine's words, with its variables filled in.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::{EDGE, NUMBER, REPLICA};
use crate::edge::api;
use crate::edge::fill::Fill;

/// What one replica's container is made of.
pub(in crate::edge) struct Making<'a> {
    pub(in crate::edge) recipe: &'a api::Recipe,
    pub(in crate::edge) container: &'a api::Container,
    /// `r13-2`
    pub(in crate::edge) replica: String,
    pub(in crate::edge) number: u32,
    pub(in crate::edge) fill: Fill<'a>,
    /// Variables for its OpenTelemetry library.
    pub(in crate::edge) telling: Vec<(&'static str, String)>,
}

impl Making<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.container.prefix, self.replica)
    }

    /// The one that it is reached on.
    pub(super) fn network(&self) -> &str {
        let mode = &self.container.create["HostConfig"]["NetworkMode"];
        mode.as_str().unwrap_or_default()
    }

    pub(super) fn body(&self, owner: &str) -> Result<Value> {
        let mut body = self.container.create.clone();
        let mut variables = self.variables(&self.recipe.env)?;
        variables.push(format!("PORT={}", self.container.port));
        variables.push(format!("AGENT_REPLICA={}", self.number));
        let telling = self.telling.iter();
        variables.extend(telling.map(|(name, value)| format!("{name}={value}")));
        body["Env"] = json!(variables);
        if !self.recipe.command.is_empty() {
            body["Cmd"] = json!(self.fill.words(&self.recipe.command)?);
        }
        body["Labels"][EDGE] = json!(owner);
        body["Labels"][REPLICA] = json!(self.replica);
        body["Labels"][NUMBER] = json!(self.number.to_string());
        Ok(body)
    }

    pub(super) fn variables(&self, env: &BTreeMap<String, Vec<api::Piece>>) -> Result<Vec<String>> {
        let pairs = env.iter();
        let pairs = pairs.map(|(name, value)| Ok(format!("{name}={}", self.fill.text(value)?)));
        pairs.collect()
    }
}
