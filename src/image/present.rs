//! What an engine has already.

use anyhow::Result;
use bollard::errors::Error;
use bollard::query_parameters::TagImageOptionsBuilder;

use crate::docker::Engine;

pub(crate) async fn is_there(engine: &Engine, name: &str) -> Result<bool> {
    match engine.docker.inspect_image(name).await {
        Ok(_) => Ok(true),
        Err(Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(false),
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
