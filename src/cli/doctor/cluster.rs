//! Replicas as pods of a Kubernetes cluster.

use anyhow::Result;

use crate::advice::because;
use crate::cli::objects;
use crate::cli::render;
use crate::cli::site::Project;
use crate::spec::{Router, Scaler, SecretSource, Spec};
use crate::target::{Cluster, Served, unseen_secret};
use crate::ui::Finding;

const KEDA: &str = "keda.sh";

pub(super) async fn findings(project: &mut Project) -> Vec<Finding> {
    let version = Finding::of("cluster", version(project).await);
    // Without one, each of the others would only say so again.
    if version.is_wrong() {
        return vec![version];
    }
    let router = router(project).await;
    let mut findings = vec![
        version,
        Finding::of("namespace", namespace(project).await),
        Finding::of("rights", rights(project).await),
        Finding::of("router", router),
        Finding::of("kinds", kinds(project).await),
    ];
    findings.extend(referred(project).await);
    findings.extend(scaling(project).await);
    findings.push(pulling(project).await);
    findings
}

async fn reached(project: &Project) -> Result<(&Cluster, &Served)> {
    let cluster = project.site.cluster().await?;
    Ok((cluster, cluster.served().await?))
}

async fn version(project: &Project) -> Result<String> {
    let (cluster, served) = reached(project).await?;
    let (version, url) = (&served.version, cluster.url());
    match served.is_known() {
        true => Ok(format!("Kubernetes {version} at {url}")),
        false => Err(because(
            format!("Kubernetes {version} at {url} is not one that agentctl is made for"),
            "it is made for 1.20 to 1.36",
            "try it where nobody is harmed, or use another cluster",
        )),
    }
}

async fn namespace(project: &Project) -> Result<String> {
    let (cluster, _) = reached(project).await?;
    cluster.has_namespace().await?;
    Ok(format!("{} is there, or is made", cluster.namespace()))
}

async fn rights(project: &Project) -> Result<String> {
    let rights = render::rights(project)?;
    let (cluster, _) = reached(project).await?;
    cluster.may_all(&rights).await?;
    let namespace = cluster.namespace();
    Ok(format!("all that a deploy takes is allowed in {namespace}"))
}

async fn router(project: &mut Project) -> Result<String> {
    let asked = project.loaded.spec.network.router;
    objects::look(project).await?;
    let says = objects::routed(&project.loaded.spec);
    Ok(match asked {
        Router::Auto => format!("{says} (auto)"),
        _ => says,
    })
}

async fn kinds(project: &Project) -> Result<String> {
    let image = "image";
    let objects = objects::of(project, image, crate::release::ReleaseId(0), None).await?;
    Ok(format!(
        "the cluster knows all of the {} objects",
        objects.len()
    ))
}

/// Secrets that agent.toml refers to.
async fn referred(project: &Project) -> Option<Finding> {
    let spec = &project.loaded.spec;
    let is_there = |source: &SecretSource| matches!(source, SecretSource::Kubernetes(_));
    let referred = spec
        .secrets
        .values()
        .filter(|source| is_there(source))
        .count();
    let says = async {
        let (cluster, _) = reached(project).await?;
        let unseen = &cluster.referred(spec).await?.unseen;
        Ok(match unseen.is_empty() {
            true => format!("all {referred} that the cluster has are there"),
            false => unseen
                .iter()
                .map(|name| unseen_secret(name))
                .collect::<Vec<_>>()
                .join("; "),
        })
    };
    match referred {
        0 => None,
        _ => Some(Finding::of("Secrets", says.await)),
    }
}

async fn scaling(project: &Project) -> Vec<Finding> {
    let Ok((cluster, served)) = reached(project).await else {
        return Vec::new();
    };
    let keda = match served.serves(KEDA) {
        true => Finding::of("KEDA", Ok("is there".to_owned())),
        false => Finding::absent("KEDA", "is not there, and not needed"),
    };
    let metrics = match cluster.has_metrics().await {
        Ok(true) => Finding::of("metrics", Ok("the cluster measures its pods".to_owned())),
        Ok(false) if needs_metrics(&project.loaded.spec) => Finding::of(
            "metrics",
            Err(because(
                "nothing tells how busy pods are",
                "scale.cpu with scale.by = \"hpa\" asks for it, and metrics.k8s.io is not served",
                "install the metrics-server",
            )),
        ),
        Ok(false) => Finding::absent("metrics", "are not there, and not needed"),
        Err(error) => Finding::of("metrics", Err(error)),
    };
    // Where it is needed and missing, that is said of the kinds.
    let needs_keda =
        project.loaded.spec.scale.as_ref().is_some_and(|scale| {
            scale.follows() && scale.by == Scaler::Keda && !served.serves(KEDA)
        });
    let keda = (!needs_keda).then_some(keda);
    keda.into_iter().chain([metrics]).collect()
}

fn needs_metrics(spec: &Spec) -> bool {
    let scale = spec.scale.as_ref();
    scale.is_some_and(|scale| scale.by == Scaler::Hpa && scale.cpu.is_some())
}

async fn pulling(project: &Project) -> Finding {
    let image = &project.loaded.spec.image;
    if image.pull_secrets.is_empty() {
        let says = "no image.pull_secrets: images are public, or the nodes may pull them";
        return Finding::absent("pulling", says);
    }
    let name = image.image.as_ref().or(image.repository.as_ref());
    let registry = name
        .and_then(|name| name.split('/').next())
        .unwrap_or_default();
    let pulled = async {
        let (cluster, _) = reached(project).await?;
        cluster.can_pull(&image.pull_secrets, registry).await?;
        Ok(format!("with {}", image.pull_secrets.join(", ")))
    };
    Finding::of("pulling", pulled.await)
}
