//! From the engine to the registry, and the digest that the registry confirms.
//!
//! It is pushed by the content tag and then given its other names, which the next push or rollout
//! gives it where this one was killed in between.

mod answer;
mod failure;
mod silence;
#[cfg(test)]
mod tests;

use anyhow::{Context, Error, Result, bail};
use hyper::Request;

use self::answer::Answer;
use self::silence::heard;
use super::progress::{Ended, Progress};
use super::registry::{Digest, Manifest, Registry};
use crate::advice::{Advise, advice};
use crate::docker::{Engine, Line, Lines, empty};

const TRIES: u32 = 3;
const PUSH_PAST: &str = "what stands before the registry, a proxy say, may have answered for it: push past it, and do it \
     again";

/// What the registry holds afterwards by the content tag, by which the engine has the image.
pub(crate) async fn push(
    engine: &Engine,
    registry: &Registry,
    content: &str,
    watch: &mut dyn FnMut(Progress),
) -> Result<Digest> {
    // By this name the engine can have nothing else, whoever builds and pushes beside this; and a
    // registry takes a tag only once it has all that it names.
    let pushed = patiently(engine, registry, content, watch).await?;
    let confirmed = registry.head(content).await?;
    agreed(registry, pushed, confirmed, content).await
}

/// Whoever made the same and pushed it a moment later has the name: theirs is as good, and one image
/// for all who come. That it is there is shown by its bytes: a proxy may say anything.
async fn agreed(
    registry: &Registry,
    pushed: Digest,
    confirmed: Option<Digest>,
    content: &str,
) -> Result<Digest> {
    let confirmed = confirmed.ok_or_else(|| {
        let says =
            format!("the engine pushed {pushed}, and the registry holds nothing as {content}");
        advice(says, PUSH_PAST)
    })?;
    if confirmed != pushed {
        known(registry, &confirmed).await.advise(
            format!("the engine pushed {pushed}, and the registry calls {content} {confirmed}"),
            PUSH_PAST,
        )?;
    }
    Ok(confirmed)
}

/// Gives an image that is in the registry all its names, and tells which it did not have; those that
/// are right already cost a look.
pub(crate) async fn retag(
    registry: &Registry,
    image: &Digest,
    tags: &[String],
) -> Result<Vec<String>> {
    let mut manifest = None;
    let mut new = Vec::new();
    for (given, tag) in tags.iter().enumerate() {
        let named = name(registry, image, tag, &mut manifest).await;
        let is_new = named.map_err(|why| unnamed(why, registry, image, &tags[given..]))?;
        new.extend(is_new.then(|| tag.clone()));
    }
    Ok(new)
}

/// Whether it had another image, or none.
async fn name(
    registry: &Registry,
    image: &Digest,
    tag: &str,
    manifest: &mut Option<Manifest>,
) -> Result<bool> {
    if registry.head(tag).await?.as_ref() == Some(image) {
        return Ok(false);
    }
    let manifest = match manifest {
        Some(manifest) => manifest,
        None => manifest.insert(known(registry, image).await?),
    };
    registry.put_manifest(tag, manifest).await?;
    Ok(true)
}

fn unnamed(why: Error, registry: &Registry, image: &Digest, left: &[String]) -> Error {
    let says = format!(
        "{}@{image} is in the registry, but not by the name {}",
        registry.repository(),
        left.join(", ")
    );
    why.context(says)
}

async fn known(registry: &Registry, image: &Digest) -> Result<Manifest> {
    let manifest = registry.manifest(image.as_str()).await?;
    manifest.with_context(|| format!("{image} is not in {}", registry.repository()))
}

/// Again, with a login looked up anew, where the registry or the way to it had a bad moment.
async fn patiently(
    engine: &Engine,
    registry: &Registry,
    tag: &str,
    watch: &mut dyn FnMut(Progress),
) -> Result<Digest> {
    let mut answer = Answer::default();
    for tried in 0.. {
        let push = once(engine, registry, tag, &mut answer, watch);
        let error = match engine.attended(push).await {
            Ok(digest) => return Ok(digest),
            Err(error) => error,
        };
        if tried + 1 == TRIES || !failure::is_passing(&error) {
            answer.failed(watch);
            return Err(failure::in_words(error, registry.repository()));
        }
        let wait = registry.pause(tried);
        let step = answer.again(&format!("{error:#}"), wait, watch);
        tokio::time::sleep(wait).await;
        answer.end(step, Ended::Done, watch);
    }
    bail!("the push was never tried")
}

async fn once(
    engine: &Engine,
    registry: &Registry,
    tag: &str,
    answer: &mut Answer,
    watch: &mut dyn FnMut(Progress),
) -> Result<Digest> {
    let repository = registry.repository();
    let login = registry.credentials().await?.header(repository)?;
    let request = Request::post(format!("/images/{repository}/push?tag={tag}"))
        .header("X-Registry-Auth", login)
        .body(empty())?;
    let begun = heard(engine.send(request), registry, watch).await?;
    let mut lines = Lines::new(begun.into_body());
    while let Some(line) = heard(news(&mut lines, answer), registry, watch).await? {
        answer.take(line, watch)?;
    }
    let digest = answer.digest.take();
    digest.context("the engine broke off before it said what it pushed")
}

/// An engine may say the same again and again while it waits.
async fn news(lines: &mut Lines, answer: &mut Answer) -> Result<Option<Line>> {
    while let Some(line) = lines.next().await? {
        if answer.is_news(&line) {
            return Ok(Some(line));
        }
    }
    Ok(None)
}
