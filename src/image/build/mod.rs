//! A context and a recipe become an image in the engine, by BuildKit or by the classic builder.
//!
//! Invariants: the tag is given by the engine in one act once everything is done, so nothing that
//! failed has one; whoever drops the future stops the build, on the engine too; a secret's value
//! goes over the session only, never into the context, an argument or an error.

mod buildkit;
mod classic;
mod failure;
mod logins;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use reqwest::Url;

use super::context::Context;
use super::{Progress, Recipe};
use crate::advice::advice;
use crate::docker::{Engine, Line};
use crate::redact::Redactor;

pub(crate) use self::logins::Logins;
use self::steps::Steps;

/// `sha256:…`: the image as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageId(pub(crate) String);

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ImageId {
    /// Both builders name the image in the end.
    fn named(line: &Line) -> Option<Self> {
        let id = line.aux.as_ref()?.get("ID")?.as_str()?;
        Some(Self(id.to_owned()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    BuildKit,
    Classic,
}

impl Builder {
    /// `wish` is what `DOCKER_BUILDKIT` says, which decides as it does for `docker build`.
    pub(crate) fn choose(engine: &Engine, wish: Option<&str>) -> Result<Self> {
        match (wish.unwrap_or_default(), engine.has_buildkit) {
            ("0" | "false", _) => Ok(Self::Classic),
            ("1" | "true", false) => Err(advice(
                "DOCKER_BUILDKIT asks for BuildKit, and this engine has none",
                "unset DOCKER_BUILDKIT",
            )),
            (_, true) => Ok(Self::BuildKit),
            (_, false) => Ok(Self::Classic),
        }
    }
}

/// Dropping the future stops the build.
pub(crate) async fn build(
    engine: &Engine,
    context: &Arc<Context>,
    recipe: &Recipe,
    by: (Builder, Logins),
    watch: &mut dyn FnMut(Progress),
) -> Result<ImageId> {
    let mut steps = Steps::new(watch, Redactor::new(&recipe.secrets));
    let (builder, logins) = by;
    let logins = Arc::new(logins);
    let work = async {
        match builder {
            Builder::BuildKit => {
                buildkit::build(engine, context, recipe, &logins, &mut steps).await
            }
            Builder::Classic => classic::build(engine, context, recipe, &logins, &mut steps).await,
        }
    };
    let built = engine.attended(work).await;
    built.map_err(|error| failure::explain(error, recipe, &steps, logins.trouble()))
}

/// What both builders are asked for, as the engine's API writes it.
fn query(recipe: &Recipe, args: &BTreeMap<String, String>, own: &[(&str, &str)]) -> Result<String> {
    let mut url = Url::parse("http://engine/build")?;
    let mut pairs = url.query_pairs_mut();
    pairs.extend_pairs(own).append_pair("t", &recipe.tag);
    pairs.append_pair("buildargs", &serde_json::to_string(args)?);
    pairs.append_pair("labels", &serde_json::to_string(&recipe.labels)?);
    pairs.append_pair("cachefrom", &serde_json::to_string(&recipe.cache_from)?);
    if let Some(platform) = &recipe.platform {
        pairs.append_pair("platform", platform);
    }
    let query = pairs.finish().query().unwrap_or_default();
    Ok(format!("/build?{query}"))
}
