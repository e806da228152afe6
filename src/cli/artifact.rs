//! What a release is started from: a copy of the agent's files, or an image.

use anyhow::{Context, Result};

use super::image::{self, Subject};
use super::objects;
use super::render::prompts;
use super::show::Shown;
use super::site::{Project, variable};
use crate::advice::advice;
use crate::image::{Digest, Registry, Repository, Surroundings, no_registrys};
use crate::release::{Artifact, Contents, Image};
use crate::spec::TargetSpec;
use crate::target::{Tree, secrets};

/// What the release would be made of; an image that is not there yet is named by its tag.
pub(crate) async fn planned(project: &Project, shown: &mut Shown) -> Result<Contents> {
    contents(project, shown, false).await
}

/// What the release is made of; an image that is not there yet is built and pushed.
pub(crate) async fn made(project: &Project, shown: &mut Shown) -> Result<Contents> {
    contents(project, shown, true).await
}

/// The agent's files, without what is no part of a release.
pub(crate) fn tree(project: &Project) -> Tree {
    let spec = &project.loaded.spec;
    let mut paths = spec.run.files.clone();
    paths.extend(spec.config.prompts.clone());
    let mut leave_out = vec![project.file.file_name().map(Into::into).unwrap_or_default()];
    leave_out.extend(spec.secrets.values().filter_map(|source| source.file()));
    if let Ok(folder) = std::path::absolute(project.folder()) {
        let own = project.own_files().into_iter();
        leave_out.extend(own.filter_map(|path| Some(path.strip_prefix(&folder).ok()?.to_owned())));
    }
    Tree::new(project.folder(), &paths, &leave_out)
}

async fn contents(project: &Project, shown: &mut Shown, makes: bool) -> Result<Contents> {
    let spec = &project.loaded.spec;
    let artifact = match project.loaded.target {
        TargetSpec::Process { .. } => Artifact::Files(tree(project).identity()?),
        _ => {
            let name = image_name(project, shown, makes).await?;
            let mut image = Image::of(spec, name, prompts(project)?);
            if objects::is_in_cluster(project) {
                let values = values(project, makes).await?;
                image.cluster = Some(objects::given(project, &image.name, &values).await?);
            }
            Artifact::Image(Box::new(image))
        }
    };
    let contents = Contents::of(spec, artifact);
    objects::can_be_kept(project, &contents).await?;
    Ok(contents)
}

/// Who only plans need not have them: those that are kept stand for them.
async fn values(project: &Project, makes: bool) -> Result<secrets::Values> {
    match objects::values(project) {
        Err(_) if !makes => project.site.cluster().await?.kept_secrets().await,
        values => values,
    }
}

/// By its digest; by its tag where it is not built yet.
pub(crate) async fn planned_image(project: &Project, shown: &mut Shown) -> Result<String> {
    image_name(project, shown, false).await
}

async fn image_name(project: &Project, shown: &mut Shown, makes: bool) -> Result<String> {
    let spec = &project.loaded.spec;
    match &spec.image.image {
        Some(ready) if spec.build.is_none() => resolved(project, ready, shown).await,
        _ => built(project, shown, makes).await,
    }
}

/// A ready image by what its registry says that its tag is now.
async fn resolved(project: &Project, name: &str, shown: &mut Shown) -> Result<String> {
    if name.contains('@') {
        return Ok(name.to_owned());
    }
    if let Some(id) = of_the_host_alone(project, name).await? {
        shown.note(format!(
            "{name} is the one that the host's engine has; no registry knows it"
        ));
        return Ok(id);
    }
    let (repository, tag) = Repository::of_image(name)?;
    let known_as = repository.to_string();
    let registry = Registry::new(repository, Surroundings::find(&variable))?;
    let digest = registry.head(tag).await?;
    let digest = digest.with_context(|| format!("its registry has no {name}"))?;
    Ok(format!("{known_as}@{digest}"))
}

async fn of_the_host_alone(project: &Project, name: &str) -> Result<Option<String>> {
    match project.loaded.target {
        TargetSpec::Docker { .. } => no_registrys(project.site.engine().await?, name).await,
        _ => Ok(None),
    }
}

async fn built(project: &Project, shown: &mut Shown, makes: bool) -> Result<String> {
    let platform = platform(project).await?;
    let subject = Subject::look_through(project, platform.as_deref(), None, shown).await?;
    if project.loaded.spec.image.repository.is_none() {
        if objects::is_in_cluster(project) {
            return Err(advice(
                "the image has no way to the cluster: agent.toml names no registry",
                "repository = \"registry.example.com/agents/NAME\" under [image]",
            ));
        }
        return on_the_host(project, &subject, shown, makes).await;
    }
    let digest = match makes {
        true => Some(published(&subject, shown).await?),
        false => image::pushed_before(&subject, shown).await,
    };
    Ok(match digest {
        Some(digest) => format!("{}@{digest}", subject.repository()),
        None => subject.name(),
    })
}

/// Where agent.toml does not settle it, the image is for the machine that it runs on.
pub(crate) async fn platform(project: &Project) -> Result<Option<String>> {
    let named = match &project.loaded.spec.build {
        Some(build) => build.platforms.as_slice(),
        None => &[],
    };
    match (named, &project.loaded.target) {
        ([_], _) | ([], TargetSpec::Docker { host: None, .. } | TargetSpec::Process { .. }) => {
            Ok(None)
        }
        (_, TargetSpec::Docker { .. }) => of_host(project, named).await.map(Some),
        ([], _) => Ok(None),
        (many, _) => Err(advice(
            format!(
                "a deploy is of one image, and build.platforms names {}",
                many.join(", ")
            ),
            format!(
                "name the one that runs there: platforms = [\"{}\"] under [build]",
                many[0]
            ),
        )),
    }
}

async fn of_host(project: &Project, named: &[String]) -> Result<String> {
    let own = project.site.engine().await?.platform().await?;
    match named.is_empty() || named.contains(&own) {
        true => Ok(own),
        false => Err(advice(
            format!(
                "the host is {own}, and build.platforms names {}",
                named.join(", ")
            ),
            format!("name it too: platforms = [\"{own}\"] under [build]"),
        )),
    }
}

/// What the registry has already costs one look.
async fn published(subject: &Subject<'_>, shown: &mut Shown) -> Result<Digest> {
    let digest = match image::pushed(subject, shown).await? {
        Some(digest) => digest,
        None => image::published(subject, shown).await?.digest,
    };
    image::sign(subject, &digest, None, shown).await?;
    Ok(digest)
}

/// Without a registry the engine that the agent runs on builds it, and keeps it.
async fn on_the_host(
    project: &Project,
    subject: &Subject<'_>,
    shown: &mut Shown,
    makes: bool,
) -> Result<String> {
    if let TargetSpec::Docker {
        host: Some(host), ..
    } = &project.loaded.target
    {
        return Err(advice(
            format!("the image has no way to {host}: agent.toml names no registry"),
            "repository = \"registry.example.com/agents/NAME\" under [image]",
        ));
    }
    if makes {
        image::made(subject, shown).await?;
    }
    let engine = project.site.engine().await?;
    let there = engine.docker.inspect_image(&subject.name()).await;
    Ok(there
        .ok()
        .and_then(|image| image.id)
        .unwrap_or_else(|| subject.name()))
}
