//! BuildKit through the engine's API: one request that builds, and a session beside it on which
//! BuildKit asks back for files, secrets and logins.

mod cancel;
mod filesync;
mod grpc;
mod messages;
mod session;
#[cfg(test)]
mod tests;
mod trace;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use anyhow::{Result, bail};
use hyper::Request;

use super::steps::Steps;
use super::{ImageId, Logins, query};
use crate::docker::{Engine, Lines, empty};
use crate::image::Recipe;
use crate::image::context::Context;

use self::cancel::Running;
use self::session::Session;
use self::trace::Trace;

/// The line that carries what happens, and the one that names the image.
const TRACE: &str = "moby.buildkit.trace";

const INLINE_CACHE: &str = "BUILDKIT_INLINE_CACHE";

/// What BuildKit may ask for while it builds.
struct Offer {
    context: Arc<Context>,
    dockerfile: String,
    secrets: BTreeMap<String, String>,
    logins: Arc<Logins>,
}

pub(super) async fn build(
    engine: &Engine,
    context: &Arc<Context>,
    recipe: &Recipe,
    logins: &Arc<Logins>,
    steps: &mut Steps<'_>,
) -> Result<ImageId> {
    let offer = Offer {
        context: context.clone(),
        dockerfile: recipe.dockerfile.clone(),
        secrets: recipe.secrets.clone(),
        logins: logins.clone(),
    };
    let session = Session::open(engine, offer).await?;
    let id = random();
    let own = [
        ("version", "2"),
        ("remote", "client-session"),
        ("session", &session.id),
        ("buildid", &id),
    ];
    let request = Request::post(query(recipe, &args(recipe), &own)?).body(empty())?;
    let running = Running::new(engine, &id);
    let answer = engine.send(request).await?;
    let built = follow(Lines::new(answer.into_body()), steps).await;
    running.ended();
    built
}

async fn follow(mut lines: Lines, steps: &mut Steps<'_>) -> Result<ImageId> {
    let mut trace = Trace::default();
    let mut image = None;
    while let Some(line) = lines.next().await? {
        image = ImageId::named(&line).or(image);
        if line.id.as_deref() == Some(TRACE) {
            trace.take(messages::status(line.aux.as_ref())?, steps);
        }
    }
    match image {
        Some(id) => Ok(id),
        None => bail!("BuildKit ended the build without naming an image"),
    }
}

/// What the engine is told about the cache, it takes as one of them.
fn args(recipe: &Recipe) -> BTreeMap<String, String> {
    let cache = recipe.is_cache.then_some((INLINE_CACHE, "1"));
    let cache = cache.map(|(name, value)| (name.to_owned(), value.to_owned()));
    recipe.args.clone().into_iter().chain(cache).collect()
}

/// Nobody else's: of this process, this moment, this build.
fn random() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
