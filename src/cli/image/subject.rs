//! What an image would be built from, and what it would be called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;

use super::super::render::{Buildable, buildable};
use super::super::show::Shown;
use super::super::site::{Project, now, variable};
use super::reached::Reached;
use crate::advice::advice;
use crate::docker::Engine;
use crate::image::{
    self, Builder, Commit, Context, Dockerfile, Finding, Known, Lock, Looked, Memory, Provenance,
    Recipe, Unknown, content_tag,
};
use crate::release::Identity;
use crate::render;
use crate::spec::Build;

/// One agent's image, before it is built.
pub(crate) struct Subject<'a> {
    pub(super) project: &'a Project,
    build: &'a Build,
    /// Named by somebody; otherwise the engine takes its own.
    platform: Option<String>,
    pub(crate) context: Arc<Context>,
    /// As an engine with BuildKit builds it: what any engine makes of it is the same image.
    canonical: Buildable,
    /// Digests that its bases are pinned to.
    bases: BTreeMap<String, String>,
    /// The tag that says what is in it.
    pub(crate) content: String,
    commit: Result<Commit, Unknown>,
    /// Tags beside that one.
    pub(crate) tags: Vec<String>,
    engine: Reached,
}

/// What stands in `[build]`, or why nothing can be built.
pub(crate) fn build(project: &Project) -> Result<&Build> {
    let spec = &project.loaded.spec;
    match (&spec.build, &spec.image.image) {
        (Some(build), _) => Ok(build),
        (None, Some(image)) => Err(advice(
            format!("{} runs a ready image, {image}", spec.agent.name),
            "there is nothing to build: deploy it as it is",
        )),
        (None, None) => Err(advice(
            "agent.toml says nothing of how an image is built",
            "runtime = \"python\" under [build]",
        )),
    }
}

/// What would be sent to an engine, looked through; a file that is `made` of the image stays.
pub(crate) fn found(
    project: &Project,
    made: Option<&Path>,
) -> Result<(Context, Looked, Buildable)> {
    let build = build(project)?;
    let folder = image::find(project.folder(), &build.context)?;
    let canonical = buildable(project, render::Engine::BuildKit)?;
    let context = Context::read(&folder, &canonical.ignore)?;
    let beside = made.into_iter().chain(project.saved.as_deref());
    let context = beside.fold(context, Context::without);
    let context = match project.site.all_states() {
        Some(states) => context.without_folder(&states),
        None => context,
    };
    let looked = context.look_through(&memory(&folder))?;
    Ok((context, looked, canonical))
}

/// Below `$XDG_CACHE_HOME`, or where that is by default.
fn memory(folder: &Path) -> Memory {
    let set = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let of = |caches: PathBuf| Memory::of(&caches.join("agentctl"), folder, now().0 as i64 / 1000);
    caches.map_or_else(Memory::default, of)
}

/// Refuses what looks like a secret and is not allowed to; says which allowances are for nothing.
pub(crate) fn unallowed(
    project: &Project,
    mut findings: Vec<Finding>,
    canonical: &Buildable,
    shown: &mut Shown,
) -> Result<()> {
    let build = build(project)?;
    let path = canonical.own.as_deref().unwrap_or("Dockerfile");
    findings.extend(image::in_text(path, &canonical.dockerfile)?);
    findings.extend(image::in_dockerfile(path, &canonical.dockerfile));
    for (name, value) in &canonical.args {
        findings.extend(image::in_text(&format!("{}{name}", image::ARGS), value)?);
    }
    // It may be a file of the context too; a file without lines may hold several.
    findings.sort();
    findings.dedup_by(|later, first| {
        let is_whole = later.line.is_none() && later.what != first.what;
        (&later.path, later.line) == (&first.path, first.line) && !is_whole
    });
    let sorted = image::sort(findings, &build.allow);
    for unused in &sorted.unused {
        let path = crate::advice::shown(unused);
        shown.warn(&format!("build.allow names {path}, where nothing is found"));
    }
    image::refuse(sorted.refused, path)
}

impl<'a> Subject<'a> {
    /// Looks through everything that would leave the machine, and stops at a secret.
    pub(crate) async fn look_through(
        project: &'a Project,
        platform: Option<&str>,
        made: Option<&Path>,
        shown: &mut Shown,
    ) -> Result<Self> {
        let build = build(project)?;
        let platform = one_platform(build, platform)?;
        let engine = Reached::default();
        let (context, looked, canonical) = found(project, made)?;
        unallowed(project, looked.findings, &canonical, shown)?;
        let bases = bases(project, &canonical)?;
        let for_platform = match &platform {
            Some(named) => named.clone(),
            None => engine.platform().await,
        };
        let content = content(project, &looked.identity, &canonical, &bases, &for_platform)?;
        let commit = commit(project, &context.root);
        let tags = tags(project, commit.as_ref())?;
        if let Err(why @ Unknown::Refused { .. }) = &commit {
            shown.warn(&format!("{why}: no label says the commit"));
        }
        Ok(Self {
            tags,
            project,
            build,
            platform,
            context: Arc::new(context),
            canonical,
            bases,
            content,
            commit,
            engine,
        })
    }
}

/// Digests of the bases that are pinned.
fn bases(project: &Project, canonical: &Buildable) -> Result<BTreeMap<String, String>> {
    let dockerfile = Dockerfile::parse(&canonical.dockerfile);
    match Lock::read(project.folder())? {
        Some(lock) => lock.used(&dockerfile, &canonical.args),
        None => Ok(BTreeMap::new()),
    }
}

fn content(
    project: &Project,
    files: &Identity,
    canonical: &Buildable,
    bases: &BTreeMap<String, String>,
    platform: &str,
) -> Result<String> {
    Ok(content_tag(
        &project.loaded.spec.agent.name,
        files,
        &canonical.dockerfile,
        &canonical.args,
        build(project)?.secrets.iter().map(String::as_str),
        platform,
        bases,
    ))
}

/// The content tags that a deploy of the tree as it is would look for, on whichever of its platforms;
/// `own` is that of where it runs, if that settles it.
pub(crate) async fn content_tags(project: &Project, own: Option<String>) -> Result<Vec<String>> {
    let (_, looked, canonical) = found(project, None)?;
    let bases = bases(project, &canonical)?;
    let platforms = match (build(project)?.platforms.as_slice(), own) {
        ([], Some(own)) => vec![own],
        ([], None) => vec![Reached::default().platform().await],
        (named, _) => named.to_vec(),
    };
    let tags = platforms
        .iter()
        .map(|platform| content(project, &looked.identity, &canonical, &bases, platform));
    tags.collect()
}

/// The tags that the image would get now, beside the content tag.
pub(crate) fn current_tags(project: &Project) -> Result<Vec<String>> {
    let folder = image::find(project.folder(), &build(project)?.context)?;
    tags(project, commit(project, &folder).as_ref())
}

/// What is built depends on agent.toml and its lock too, which may lie elsewhere.
fn commit(project: &Project, context: &Path) -> Result<Commit, Unknown> {
    let name = project.file.file_name().unwrap_or_default();
    let files = [&*name.to_string_lossy(), image::LOCK];
    Commit::of(context, &variable)?.with(project.folder(), files)
}

fn tags(project: &Project, commit: Result<&Commit, &Unknown>) -> Result<Vec<String>> {
    let today = Timestamp::from_millisecond(now().0 as i64)?;
    let known = Known {
        version: project.loaded.spec.agent.version.as_deref(),
        commit,
        date: &today.strftime("%Y%m%d").to_string(),
    };
    image::tags(&project.loaded.spec.image.tags, &known)
}

impl Subject<'_> {
    /// Where the image is kept; a name alone is known to the engine and to no registry.
    pub(crate) fn repository(&self) -> &str {
        let spec = &self.project.loaded.spec;
        let image = spec.image.repository.as_ref();
        image.unwrap_or(&spec.agent.name)
    }

    /// The content tag and the others.
    pub(crate) fn all_tags(&self) -> Vec<&str> {
        let others = self.tags.iter().map(String::as_str);
        std::iter::once(self.content.as_str())
            .chain(others)
            .collect()
    }

    /// `repository:sha-…`
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.repository(), self.content)
    }

    /// What git ignores and the image gets nevertheless: its commit does not tell of it.
    pub(super) fn unversioned(&self) -> Vec<String> {
        let paths = self
            .commit
            .as_ref()
            .map(|_| image::ignored(&self.context.root));
        let paths = paths.unwrap_or_default().into_iter();
        paths.filter(|path| self.context.has(path)).collect()
    }

    pub(super) async fn engine(&self) -> Result<&Engine> {
        self.engine.engine().await
    }

    /// What this builder is asked to do.
    pub(crate) fn recipe(&self, builder: Builder) -> Result<Recipe> {
        let plain;
        let buildable = match builder {
            Builder::BuildKit => &self.canonical,
            Builder::Classic => {
                plain = buildable(self.project, render::Engine::Plain)?;
                &plain
            }
        };
        let dockerfile = Dockerfile::parse(&buildable.dockerfile);
        let provenance = self.provenance(&dockerfile, &buildable.args);
        let mut args = buildable.args.clone();
        args.extend(provenance.args(&dockerfile));
        Ok(Recipe {
            dockerfile: dockerfile.pinned(&buildable.args, &self.bases),
            own: buildable.own.clone(),
            labels: provenance.labels(&dockerfile),
            args,
            secrets: secrets(&self.build.secrets)?,
            platform: self.platform.clone(),
            cache_from: Vec::new(),
            is_cache: self.project.loaded.spec.image.repository.is_some(),
            tag: self.name(),
        })
    }

    fn provenance(&self, dockerfile: &Dockerfile, args: &BTreeMap<String, String>) -> Provenance {
        let agent = &self.project.loaded.spec.agent;
        let base = dockerfile.last_base(args).map(|base| base.image);
        let digest = |image: &String| self.bases.get(image).cloned();
        let of =
            |read: &dyn Fn(&Commit) -> Option<String>| self.commit.as_ref().ok().and_then(read);
        Provenance {
            agent: agent.name.clone(),
            source: agent
                .source
                .clone()
                .or_else(|| of(&|commit| commit.origin.clone())),
            version: agent.version.clone(),
            revision: of(&|commit| Some(commit.hash.clone())),
            created: Timestamp::from_millisecond(now().0 as i64).ok(),
            dirty: self.commit.as_ref().ok().map(|commit| commit.is_dirty),
            content: self.content.clone(),
            base: base.map(|image| (image.clone(), digest(&image))),
        }
    }
}

/// An engine builds for one platform at a time.
fn one_platform(build: &Build, asked: Option<&str>) -> Result<Option<String>> {
    match (asked, build.platforms.as_slice()) {
        (Some(asked), known) if known.is_empty() || known.iter().any(|one| one == asked) => {
            Ok(Some(asked.to_owned()))
        }
        (Some(asked), known) => Err(advice(
            format!("{asked} is none of build.platforms"),
            format!("--platform {}", known.join(", or --platform ")),
        )),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(only.clone())),
        (None, known) => Err(advice(
            format!(
                "an image is for one platform, and build.platforms names {}",
                known.join(", ")
            ),
            format!("--platform {}", known.join(", or --platform ")),
        )),
    }
}

fn secrets(names: &[String]) -> Result<BTreeMap<String, String>> {
    let value = |name: &String| {
        let value = variable(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| {
            advice(
                format!("{name} is a build secret, and no variable of that name is set"),
                format!("export {name}=…"),
            )
        })?;
        Ok((name.clone(), value))
    };
    names.iter().map(value).collect()
}
