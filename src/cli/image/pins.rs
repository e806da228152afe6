//! The digests of the images that an agent is built on.

use anyhow::{Context, Result};

use super::super::render::buildable;
use super::super::show::Shown;
use super::super::site::{Project, variable};
use crate::image::{self, Dockerfile, LOCK, Registry, Repository, Surroundings};
use crate::render;

/// Notes in agent.lock what the registries say now.
pub(crate) async fn pin(project: &Project, shown: &mut Shown) -> Result<()> {
    super::subject::build(project)?;
    let buildable = buildable(project, render::Engine::BuildKit)?;
    let dockerfile = Dockerfile::parse(&buildable.dockerfile);
    let lock = image::pin(&dockerfile, &buildable.args, digest).await?;
    lock.write(project.folder())?;
    let count = lock.bases.len();
    shown.note(format!("{LOCK} names {count} base images by digest"));
    Ok(())
}

/// What the registry of a base says that its tag is now.
async fn digest(base: &str) -> Result<String> {
    let (repository, tag) = Repository::of_image(base)?;
    let registry = Registry::new(repository, Surroundings::find(&variable))?;
    let found = registry.head(tag).await?;
    let digest = found.with_context(|| format!("its registry has no {base}"))?;
    Ok(digest.to_string())
}
