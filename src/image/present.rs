//! What an engine has already.

use anyhow::Result;
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::TagImageOptionsBuilder;

use super::Repository;
use super::provenance::{BASE_DIGEST, BASE_NAME, CONTENT};
use crate::docker::Engine;

pub(crate) async fn is_there(engine: &Engine, name: &str) -> Result<bool> {
    Ok(inspected(engine, name).await?.is_some())
}

/// Whether it is what agentctl made of these contents: anybody can give any image such a tag.
pub(crate) async fn is_made(engine: &Engine, name: &str, content: &str) -> Result<bool> {
    let image = inspected(engine, name).await?;
    let labels = image.and_then(|image| image.config?.labels);
    Ok(labels.is_some_and(|labels| labels.get(CONTENT).is_some_and(|said| said == content)))
}

/// The id of an image that the engine has under this name, and that was never pulled or pushed under
/// it: no registry can say what it is.
pub(crate) async fn no_registrys(engine: &Engine, name: &str) -> Result<Option<String>> {
    let (repository, _) = Repository::of_image(name)?;
    let is_of_it =
        |known: &String| Repository::of_image(known).is_ok_and(|(other, _)| other == repository);
    let image = inspected(engine, name).await?;
    let image = image.filter(|image| !image.repo_digests.iter().flatten().any(is_of_it));
    Ok(image.and_then(|image| image.id))
}

async fn inspected(engine: &Engine, name: &str) -> Result<Option<ImageInspect>> {
    match engine.docker.inspect_image(name).await {
        Ok(image) => Ok(Some(image)),
        Err(Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(error) => Err(engine.failure(error)),
    }
}

/// Gives an image that the engine has more names there.
pub(crate) async fn tag(
    engine: &Engine,
    name: &str,
    repository: &str,
    tags: &[String],
) -> Result<()> {
    for tag in tags {
        let options = TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        let tagged = engine.docker.tag_image(name, Some(options)).await;
        tagged.map_err(|error| engine.failure(error))?;
    }
    Ok(())
}

/// What an image that the engine has was built on: as its label says, by the digest that the label
/// or the engine knows.
pub(crate) async fn base(engine: &Engine, name: &str) -> Result<Option<String>> {
    let image = engine.docker.inspect_image(name).await;
    let image = image.map_err(|error| engine.failure(error))?;
    let labels = image.config.and_then(|config| config.labels);
    let labels = labels.unwrap_or_default();
    let Some(base) = labels.get(BASE_NAME) else {
        return Ok(None);
    };
    if let Some(digest) = labels.get(BASE_DIGEST) {
        return Ok(Some(format!("{base}@{digest}")));
    }
    let there = engine.docker.inspect_image(base).await.ok();
    let digests = there.and_then(|base| base.repo_digests);
    let digest = digests.and_then(|all| Some(all.first()?.rsplit_once('@')?.1.to_owned()));
    Ok(Some(match digest {
        Some(digest) => format!("{base}@{digest}"),
        None => base.clone(),
    }))
}
