//! `agentctl images list`, `prune` and `scan`

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use super::args::{File, Prune};
use super::exit::Exit;
use super::image::{found, registry, unallowed};
use super::show::Shown;
use super::site::{Project, now};
use crate::advice::{advice, because};
use crate::image::{self, Digest, Fate, OF_AGENT, Registry, Stored, Why};
use crate::spec::TargetSpec;
use crate::ui::{ImageView, ImagesView};

pub(crate) async fn list(file: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(file)?;
    let registry = registry(&project)?;
    let all = judged(&project, &registry, &BTreeSet::new()).await?;
    let ours = all
        .iter()
        .filter(|(_, fate)| *fate != Fate::Kept(Why::NotOurs));
    let view = ImagesView {
        repository: registry.repository().to_string(),
        images: ours.map(|(image, _)| view(image, String::new())).collect(),
    };
    shown.console().show(&view, now());
    Ok(Exit::Done)
}

pub(crate) async fn prune(args: &Prune, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(&args.file)?;
    let registry = registry(&project)?;
    match args.dry_run {
        true => foretell(&project, &registry, args, shown).await,
        false => {
            what_runs_is_known(&project, args)?;
            delete(&project, &registry, args, shown).await
        }
    }
}

async fn foretell(
    project: &Project,
    registry: &Registry,
    args: &Prune,
    shown: &mut Shown,
) -> Result<Exit> {
    let kept = named(registry, &args.keep).await?;
    let all = judged(project, registry, &kept).await?;
    let view = ImagesView {
        repository: registry.repository().to_string(),
        images: all.iter().filter_map(with_fate).collect(),
    };
    shown.console().show(&view, now());
    Ok(Exit::Done)
}

async fn delete(
    project: &Project,
    registry: &Registry,
    args: &Prune,
    shown: &mut Shown,
) -> Result<Exit> {
    let kept = named(registry, &args.keep).await?;
    let all = judged(project, registry, &kept).await?;
    let mut gone = Vec::new();
    let mut tell = |image: &Stored| {
        shown.note(format!("deleted {}", image.tags.join(", ")));
        gone.push(image.digest.to_string());
    };
    image::delete(registry, &all, &mut tell).await?;
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
    let (context, looked, buildable) = found(&project)?;
    let files = context.entries.len();
    unallowed(&project, looked.findings, &buildable, shown)?;
    let says = format!("no secrets in {files} files and folders");
    shown.result("clean", says, json!({ "entries": files }));
    Ok(Exit::Done)
}

async fn judged(
    project: &Project,
    registry: &Registry,
    in_use: &BTreeSet<Digest>,
) -> Result<Vec<(Stored, Fate)>> {
    let spec = &project.loaded.spec;
    let stored = image::stored(registry, OF_AGENT).await?;
    let keep = spec.image.keep as usize;
    Ok(image::judge(stored, &spec.agent.name, keep, in_use))
}

/// agentctl deploys no image yet, so it cannot look up which ones run: whoever deploys them has to
/// say so.
fn what_runs_is_known(project: &Project, args: &Prune) -> Result<()> {
    let mut unknown = Vec::new();
    for name in &project.loaded.environments {
        let target = project.in_environment(name)?.loaded.target;
        if !matches!(target, TargetSpec::Process { .. }) {
            unknown.push(name.as_str());
        }
    }
    match unknown.is_empty() || !args.keep.is_empty() {
        true => Ok(()),
        false => Err(because(
            format!(
                "could not tell which images are in use in {}",
                unknown.join(", ")
            ),
            "agentctl does not deploy there yet, so it has no history of what runs there",
            "name what runs there, and what may be gone back to: --keep TAG or --keep DIGEST, once for each",
        )),
    }
}

/// The digests of images that were named by tag or digest.
async fn named(registry: &Registry, names: &[String]) -> Result<BTreeSet<Digest>> {
    let mut digests = BTreeSet::new();
    for name in names {
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
        Fate::Kept(Why::Undated) => "kept: nothing tells how old it is",
    };
    Some(view(image, why.to_owned()))
}

fn view(image: &Stored, kept: String) -> ImageView {
    let (content, tags) = image
        .tags
        .iter()
        .cloned()
        .partition::<Vec<_>, _>(|tag| tag.starts_with("sha-"));
    ImageView {
        digest: image.digest.to_string(),
        content: content.into_iter().next().unwrap_or_default(),
        tags,
        created: image.created.map(|at| at.to_string()).unwrap_or_default(),
        kept: Some(kept),
    }
}
