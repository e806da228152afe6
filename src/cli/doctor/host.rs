//! Replicas as containers of a Docker host.

use anyhow::Result;

use crate::cli::address;
use crate::cli::site::Project;
use crate::ui::Finding;

pub(super) async fn findings(project: &Project) -> Vec<Finding> {
    let engine = Finding::of("engine", engine(project).await);
    // Without one, each of the others would only say so again.
    if engine.is_wrong() {
        return vec![engine];
    }
    vec![
        engine,
        Finding::of("host", fits(project).await),
        Finding::of("room", room(project).await),
    ]
}

async fn engine(project: &Project) -> Result<String> {
    let engine = project.site.engine().await?;
    let version = engine.docker.version().await;
    let version = version.map_err(|error| engine.failure(error))?;
    let text = |field: Option<String>| field.unwrap_or_default();
    Ok(format!(
        "Docker {} for {}/{}",
        text(version.version),
        text(version.os),
        text(version.arch)
    ))
}

async fn fits(project: &Project) -> Result<String> {
    address::fits(project).await?;
    let port = project.loaded.spec.run.port;
    Ok(format!(
        "port {port}, names and images are free, or the agent's"
    ))
}

async fn room(project: &Project) -> Result<String> {
    let spec = &project.loaded.spec;
    let replicas = spec.run.replicas;
    project
        .site
        .target(0)
        .await?
        .has_room(spec, replicas)
        .await?;
    Ok(format!(
        "for {replicas} replicas, with what stands beside them"
    ))
}
