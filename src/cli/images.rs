//! `agentctl images list`, `prune` and `scan`

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::args::{File, Prune};
use super::artifact::platform;
use super::exit::Exit;
use super::image::{content_tags, current_tags, found, heard, registry, unallowed};
use super::journaled;
use super::proposal::releases;
use super::prune;
use super::show::Shown;
use super::site::{Project, Site, now};
use crate::advice::{Advise, advice, in_a_line, with_hint};
use crate::image::{self, Broken, Deployed, Digest, Fate, OF_AGENT, Registry, Stored, Why};
use crate::release::Artifact;
use crate::spec::{CONTENT_TAG, TargetSpec};
use crate::target::Target;
use crate::ui::{ImageView, ImagesView};

pub(crate) async fn list(file: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(file)?;
    let registry = registry(&project)?;
    let deployed = Deployed::default();
    let all = judged(&project, &registry, &deployed);
    let (all, broken) = heard(&registry, shown, all).await?;
    let ours = all
        .iter()
        .filter(|(_, fate)| *fate != Fate::Kept(Why::NotOurs));
    let view = ImagesView {
        repository: registry.repository().to_string(),
        images: ours.map(|(image, _)| view(image, String::new())).collect(),
    };
    shown.console().show(&view, now());
    tell(&broken, shown);
    Ok(Exit::Done)
}

fn tell(broken: &[Broken], shown: &mut Shown) {
    for one in broken {
        shown.warn(&format!(
            "could not read {}: {}",
            one.tags.join(", "),
            one.why
        ));
    }
}

pub(crate) async fn prune(args: &Prune, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(&args.file)?;
    let registry = registry(&project)?;
    match args.dry_run {
        true => foretell(&project, &registry, args, shown).await,
        false => delete(&project, &registry, args, shown).await,
    }
}

async fn foretell(
    project: &Project,
    registry: &Registry,
    args: &Prune,
    shown: &mut Shown,
) -> Result<Exit> {
    let known = known(project, registry, &args.keep);
    let (mut deployed, unknown) = heard(registry, shown, known).await?;
    deployed.next = next(project, registry, shown).await?;
    if let Some(why) = unknown.filter(|_| args.keep.is_empty()) {
        shown.warn(&format!(
            "{}, so prune will want them named by --keep",
            in_a_line(&why)
        ));
    }
    let all = judged(project, registry, &deployed);
    let (all, broken) = heard(registry, shown, all).await?;
    let view = ImagesView {
        repository: registry.repository().to_string(),
        images: all.iter().filter_map(with_fate).collect(),
    };
    shown.console().show(&view, now());
    tell(&broken, shown);
    if broken.iter().any(|one| one.may_be_any) {
        shown.warn("as long as that cannot be read, prune deletes nothing");
    }
    Ok(Exit::Done)
}

async fn delete(
    project: &Project,
    registry: &Registry,
    args: &Prune,
    shown: &mut Shown,
) -> Result<Exit> {
    let known = known(project, registry, &args.keep);
    let (mut deployed, unknown) = heard(registry, shown, known).await?;
    if let Some(why) = unknown.filter(|_| args.keep.is_empty()) {
        return Err(with_hint(why, NAME_THEM));
    }
    deployed.next = next(project, registry, shown).await?;
    let all = judged(project, registry, &deployed);
    let (all, broken) = heard(registry, shown, all).await?;
    tell(&broken, shown);
    if let Some(one) = broken.iter().find(|one| one.may_be_any) {
        let tag = one.tags.join(", ");
        return Err(advice(
            format!("nothing was deleted: {tag} cannot be read, and may name what would go"),
            format!(
                "push it anew, or take it out of {} by hand",
                registry.repository()
            ),
        ));
    }
    let mut gone = Vec::new();
    for (image, _) in all.iter().filter(|(_, fate)| *fate == Fate::Deleted) {
        if heard(registry, shown, image::delete(registry, &image.digest)).await? {
            shown.note(format!("deleted {}", image.tags.join(", ")));
            gone.push(image.digest.to_string());
        }
    }
    let says = match gone.len() {
        0 => format!("nothing to delete in {}", registry.repository()),
        1 => format!("1 image deleted from {}", registry.repository()),
        count => format!("{count} images deleted from {}", registry.repository()),
    };
    shown.result("pruned", says, json!({ "deleted": gone }));
    Ok(Exit::Done)
}

/// Looks through what would be sent, and says where allowed findings are too.
pub(crate) fn scan(file: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(file)?;
    shown.warnings(&project.loaded.warnings);
    let (context, looked, buildable) = found(&project, None)?;
    let files = context.entries.len();
    unallowed(&project, looked.findings, &buildable, shown)?;
    let says = format!("no secrets in {files} files and folders");
    shown.result("clean", says, json!({ "entries": files }));
    Ok(Exit::Done)
}

async fn judged(
    project: &Project,
    registry: &Registry,
    deployed: &Deployed,
) -> Result<(Vec<(Stored, Fate)>, Vec<Broken>)> {
    let spec = &project.loaded.spec;
    let stored = image::stored(registry, OF_AGENT).await?;
    let keep = spec.image.keep as usize;
    let judged = image::judge(stored.images, &spec.agent.name, keep, deployed);
    Ok((judged, stored.broken))
}

/// What runs in each environment, or may be gone back to there; and of which this is not known: what
/// others deploy to, what is another engine than theirs, or is not reached from here.
async fn known(
    project: &Project,
    registry: &Registry,
    keep: &[String],
) -> Result<(Deployed, Option<anyhow::Error>)> {
    let mut all = Deployed::default();
    all.in_use.extend(named(registry, keep).await?);
    // What bears today's names may be older than what came after it, and is what a pull gets.
    if project.loaded.spec.build.is_some() {
        for tag in current_tags(project)? {
            all.in_use.extend(registry.head(&tag).await?);
        }
    }
    let (named, dropped) = (environments(project)?, dropped(project)?);
    let sites = std::iter::once(&project.site).chain(named.iter().map(|there| &there.site));
    let mut unknown = None;
    for site in sites.chain(&dropped) {
        if !site.target.runs_images() {
            continue;
        }
        match deployed(site, &mut all).await {
            Ok(is_known) if is_known || is_surely_there(&site.target) => {}
            found => unknown = unknown.or_else(|| Some(not_known(site, found.err()))),
        }
    }
    Ok((all, unknown))
}

/// What a deploy of this tree would take, to whichever environment. From a tree that cannot be built
/// as it is none takes anything.
async fn next(
    project: &Project,
    registry: &Registry,
    shown: &mut Shown,
) -> Result<BTreeSet<Digest>> {
    let named = environments(project)?;
    let mut tags = BTreeSet::new();
    for there in std::iter::once(project).chain(&named) {
        match contents(there).await {
            Ok(found) => tags.extend(found),
            Err(why) => shown.warn(&format!(
                "could not tell which image this tree makes, so none is kept for it: {}",
                in_a_line(&why)
            )),
        }
    }
    let look = async {
        let mut digests = BTreeSet::new();
        for tag in &tags {
            digests.extend(registry.head(tag).await?);
        }
        Ok(digests)
    };
    heard(registry, shown, look).await
}

async fn contents(project: &Project) -> Result<Vec<String>> {
    let own = match &project.loaded.spec.build {
        None => return Ok(Vec::new()),
        Some(build) if build.platforms.is_empty() => platform(project).await?,
        Some(_) => None,
    };
    content_tags(project, own).await
}

fn environments(project: &Project) -> Result<Vec<Project>> {
    let named = project.loaded.environments.iter();
    named.map(|name| project.in_environment(name)).collect()
}

/// Environments that were deployed to from here, and that agent.toml has no more.
fn dropped(project: &Project) -> Result<Vec<Site>> {
    let mut sites = project.site.siblings()?;
    let named = &project.loaded.environments;
    sites.retain(|site| site.environment.iter().any(|name| !named.contains(name)));
    Ok(sites)
}

/// The images of this environment's releases; false: none may still be needed.
async fn deployed(site: &Site, all: &mut Deployed) -> Result<bool> {
    let store = site.store().await?;
    let past = journaled::read(&store).await?;
    let seen = site.target(0).await?.observe().await?;
    let kept = prune::kept(&past, &seen);
    let releases = releases(&store, &past).await?.into_iter();
    // A registry may have other names than today's, and a digest says what it is whatever that is.
    let images = releases.filter_map(|release| match release.contents.artifact {
        Artifact::Image(image) => {
            let (_, digest) = image.name.split_once('@')?;
            let digest: Digest = digest.parse().ok()?;
            Some((kept.contains(&release.id), digest))
        }
        Artifact::Files(_) => None,
    });
    let images: Vec<_> = images.collect();
    let in_use = images.iter().filter(|(is_kept, _)| *is_kept);
    let in_use: Vec<_> = in_use.map(|(_, digest)| digest.clone()).collect();
    let is_known = !in_use.is_empty();
    all.in_use.extend(in_use);
    all.rank(images.into_iter().map(|(_, digest)| digest));
    Ok(is_known)
}

const NAME_THEM: &str = "name what runs there, and what may be gone back to: --keep TAG or --keep DIGEST, once for each";

/// Whoever asks from wherever asks the same host: an empty history there is one of nothing.
fn is_surely_there(target: &TargetSpec) -> bool {
    matches!(target, TargetSpec::Docker { host: Some(_), .. })
}

fn not_known(site: &Site, why: Option<anyhow::Error>) -> anyhow::Error {
    let (place, empty) = match site.target {
        TargetSpec::Kubernetes { .. } => (
            "in the cluster",
            "agentctl has deployed nothing there from a registry",
        ),
        _ => (
            "on the Docker host",
            "the engine that is reached from here has had nothing of this agent from a registry, \
             and agent.toml names no host",
        ),
    };
    let environment = site.environment.as_ref();
    let place = environment.map_or(place.to_owned(), |name| format!("in {name}"));
    why.unwrap_or_else(|| anyhow!(empty))
        .context(format!("could not tell which images are in use {place}"))
}

/// The digests of images that were named by tag or digest.
async fn named(registry: &Registry, names: &[String]) -> Result<BTreeSet<Digest>> {
    let mut digests = BTreeSet::new();
    for name in names {
        if !image::is_tag(name) {
            let hint = "--keep TAG, or --keep sha256:… with all of its 64 digits";
            name.parse::<Digest>()
                .advise(format!("no image is kept by \"{name}\""), hint)?;
        }
        match registry.head(name).await? {
            Some(digest) => drop(digests.insert(digest)),
            None => {
                let says = format!("{} has no {name}", registry.repository());
                return Err(advice(says, "see what is there: agentctl images list"));
            }
        }
    }
    Ok(digests)
}

/// `None`: it is none of ours.
fn with_fate((image, fate): &(Stored, Fate)) -> Option<ImageView> {
    let why = match fate {
        Fate::Deleted => {
            return Some(ImageView {
                kept: None,
                ..view(image, String::new())
            });
        }
        Fate::Kept(Why::NotOurs) => return None,
        Fate::Kept(Why::InUse) => "kept: in use",
        Fate::Kept(Why::New) => "kept",
        Fate::Kept(Why::Next) => "kept: what this tree would deploy",
        Fate::Kept(Why::Undated) => "kept: nothing tells how old it is",
    };
    Some(view(image, why.to_owned()))
}

fn view(image: &Stored, kept: String) -> ImageView {
    let (content, tags) = image
        .tags
        .iter()
        .cloned()
        .partition::<Vec<_>, _>(|tag| tag.starts_with(CONTENT_TAG));
    ImageView {
        digest: image.digest.to_string(),
        content: content.into_iter().next().unwrap_or_default(),
        tags,
        created: image.created.map(|at| at.to_string()).unwrap_or_default(),
        kept: Some(kept),
    }
}
