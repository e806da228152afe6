//! An image that the engine is to have before it is started from.

use std::path::Path;

use anyhow::Result;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::present::is_there;
use super::{Credentials, Repository};
use crate::advice::Advise;
use crate::docker::Engine;

/// `folder` holds Docker's `config.json`. Nothing is asked of a registry if the engine has it.
pub(crate) async fn pull(engine: &Engine, name: &str, folder: Option<&Path>) -> Result<()> {
    if is_there(engine, name).await? {
        return Ok(());
    }
    let fetch = fetch(engine, name, folder);
    let fetched = engine.attended(fetch).await;
    fetched.advise(
        format!("could not pull {name}"),
        "see whether the name is right, and whether the host may have it: docker pull shows it there",
    )
}

async fn fetch(engine: &Engine, name: &str, folder: Option<&Path>) -> Result<()> {
    let (repository, _) = Repository::of_image(name)?;
    let login = Credentials::find(folder, &repository).await?;
    let login = login.for_engine(&repository);
    let options = CreateImageOptionsBuilder::new().from_image(name).build();
    let mut steps = engine.docker.create_image(Some(options), None, Some(login));
    while let Some(step) = steps.next().await {
        step.map_err(|error| engine.failure(error))?;
    }
    Ok(())
}
