//! The objects of a release, for an agent that runs in a cluster.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::render;
use super::site::{Project, variable};
use crate::advice::advice;
use crate::release::{Artifact, Contents, Given, Identity, Release, ReleaseId, workload_of};
use crate::spec::{Kind, Router, Scale, SecretSource, Spec, TargetSpec};
use crate::target;
use crate::target::secrets::{self, Values};

/// What stands for the number that a release gets when it is known what is in it.
pub(super) const ANY: ReleaseId = ReleaseId(0);

pub(crate) fn is_in_cluster(project: &Project) -> bool {
    matches!(project.loaded.target, TargetSpec::Kubernetes { .. })
}

/// What agent.toml leaves to the cluster is as the cluster is: forms of objects, and the router.
pub(crate) async fn look(project: &mut Project) -> Result<()> {
    if !is_in_cluster(project) {
        return Ok(());
    }
    let served = project.site.cluster().await?.served().await?;
    let minor = served.minor;
    let router = match project.loaded.spec.agent.kind {
        // It is split as its places are.
        Kind::Stateful => Router::Service,
        _ => served.router(&project.loaded.spec.network)?,
    };
    project.loaded.spec.network.router = router;
    if let TargetSpec::Kubernetes { version, .. } = &mut project.loaded.target {
        version.get_or_insert_with(|| format!("1.{minor}"));
    }
    Ok(())
}

/// What splits requests, in words.
pub(crate) fn routed(spec: &Spec) -> String {
    let by = match spec.network.router {
        Router::Gateway => "an HTTPRoute, by weight",
        Router::Istio => "a VirtualService, by weight",
        Router::Nginx => "ingress-nginx, by weight",
        Router::Auto | Router::Service => "a Service, by replicas",
    };
    format!("requests are split by {by}")
}

/// As `render kubernetes` shows them, in the forms that the cluster serves.
///
/// # Errors
/// A kind that it lacks.
pub(crate) async fn of(
    project: &Project,
    image: &str,
    release: ReleaseId,
    secret_values: Option<&Identity>,
) -> Result<Vec<Value>> {
    let mut objects = render::objects(project, image, release, secret_values)?;
    let served = project.site.cluster().await?.served().await?;
    served.fit(&mut objects)?;
    Ok(objects)
}

/// The release with its objects, where it runs in a cluster.
pub(crate) async fn filled(project: &Project, mut release: Release) -> Result<Release> {
    if let (Artifact::Image(image), true) = (&release.contents.artifact, is_in_cluster(project)) {
        let given = image.cluster.as_ref();
        let secret_values = given.and_then(|given| given.secret_values.as_ref());
        release.objects = of(project, &image.name, release.id, secret_values).await?;
    }
    Ok(release)
}

/// # Errors
/// Where the cluster's journal has no room for a release of these contents.
pub(crate) async fn can_be_kept(project: &Project, contents: &Contents) -> Result<()> {
    let (Artifact::Image(image), true) = (&contents.artifact, is_in_cluster(project)) else {
        return Ok(());
    };
    let objects = of(project, &image.name, ANY, None).await?;
    let document = json!({ "objects": objects, "contents": contents });
    target::can_be_kept(&serde_json::to_vec_pretty(&document)?)
}

/// # Errors
/// Before the first deploy with secrets no two plans are of one release: what marks a change of values
/// is not kept yet.
pub(crate) async fn can_be_saved(project: &Project) -> Result<()> {
    if is_in_cluster(project) && project.site.cluster().await?.marks_anew() {
        return Err(advice(
            "a first deploy with secrets cannot be saved as a plan",
            "plan without --save, deploy without --plan; the next plan can be saved",
        ));
    }
    Ok(())
}

/// What in them decides how the release behaves.
pub(crate) async fn given(project: &Project, image: &str, values: &Values) -> Result<Given> {
    let cluster = project.site.cluster().await?;
    let secret_values = cluster.mark_of(values).await?;
    let referred = cluster.referred(&project.loaded.spec).await?;
    let objects = of(project, image, ANY, secret_values.as_ref()).await?;
    let workload = workload_of(&objects, ANY).context("nothing makes replicas")?;
    Ok(Given {
        workload: identity(workload.clone()),
        secret_values,
        referred: referred.marks.clone(),
    })
}

/// How many replicas there are, and how a Deployment would change them by itself, is no part of it.
fn identity(mut workload: Value) -> Identity {
    if let Some(spec) = workload["spec"].as_object_mut() {
        spec.remove("replicas");
        spec.remove("strategy");
    }
    Identity::of(json!(workload).to_string().as_bytes())
}

/// Values from variables and files; others the cluster has, or fetches.
pub(crate) fn values(project: &Project) -> Result<Values> {
    let near = project.loaded.spec.secrets.iter();
    let near = near.filter(|(_, source)| is_near(source));
    let near: BTreeMap<_, _> = near
        .map(|(name, source)| (name.clone(), source.clone()))
        .collect();
    secrets::fetch(&near, project.folder(), &variable)
}

fn is_near(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Env(_) | SecretSource::File(_))
}

/// Whether one release takes another's place at once.
pub(crate) fn in_place(project: &Project) -> bool {
    let kind = project.loaded.spec.agent.kind;
    is_in_cluster(project) && matches!(kind, Kind::Cron | Kind::Daemon)
}

/// Whether replicas of both releases are one set.
pub(crate) fn is_one_set(project: &Project) -> bool {
    is_in_cluster(project) && project.loaded.spec.agent.kind == Kind::Stateful
}

/// Whether the cluster itself follows the work.
pub(crate) fn is_scaled(project: &Project, scale: &Scale) -> bool {
    is_in_cluster(project) && scale.follows()
}

/// How many replicas are counted: what the cluster numbers by itself is one.
pub(crate) fn counted(project: &Project) -> u32 {
    let spec = &project.loaded.spec;
    let is_whole = matches!(spec.agent.kind, Kind::Job | Kind::Cron | Kind::Daemon);
    match is_whole && is_in_cluster(project) {
        true => 1,
        false => spec.run.replicas,
    }
}

/// Whether a release's share of the requests can be no other than that of its replicas.
pub(crate) fn split_by_replicas(project: &Project) -> bool {
    let spec = &project.loaded.spec;
    let is_plain = match spec.network.router {
        Router::Service => true,
        Router::Auto => spec.network.gateway.is_none(),
        Router::Gateway | Router::Istio | Router::Nginx => false,
    };
    is_in_cluster(project) && (is_plain || !spec.agent.kind.is_called())
}
