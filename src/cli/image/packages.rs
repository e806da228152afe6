//! What is in an image, written down, and who vouches for it.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::super::show::Shown;
use super::publish::registry;
use super::subject::Subject;
use crate::advice::{Advise, advice};
use crate::image::{self, Cosign, Digest};

/// Before anything is built for a list that has no place.
pub(crate) fn has_place(file: &Path) -> Result<()> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    match folder.is_dir() && !file.is_dir() {
        true => Ok(()),
        false => Err(advice(
            format!("could not write {}", file.display()),
            "name a file in a folder that is there: --sbom FILE",
        )),
    }
}

/// Writes the list of the packages in an image that the engine has; `digest` is its name.
pub(crate) async fn list(subject: &Subject<'_>, digest: &str, file: &Path) -> Result<()> {
    let engine = subject.engine().await?;
    if !image::is_made(engine, &subject.name(), &subject.content).await? {
        return Err(advice(
            format!("the engine does not have {} to look into", subject.name()),
            format!("docker pull {}, then the same again", subject.name()),
        ));
    }
    let list = image::sbom(engine, &subject.name(), digest).await?;
    fs::write(file, serde_json::to_vec_pretty(&list)?).advise(
        format!("could not write {}", file.display()),
        "name a file in a folder that is there; the image is built",
    )
}

/// By cosign, if agent.toml asks for it, it is there, and nobody has done it yet: a push may have
/// been killed before, or made without the list of its packages.
pub(crate) async fn sign(
    subject: &Subject<'_>,
    digest: &Digest,
    list: Option<&Path>,
    shown: &mut Shown,
) -> Result<()> {
    let Some(with) = &subject.project.loaded.spec.image.sign else {
        return Ok(());
    };
    let there = registry(subject.project)?.vouched(digest).await?;
    let list = list.filter(|_| !there.is_attested);
    if there.is_signed && list.is_none() {
        return Ok(());
    }
    let Some(cosign) = Cosign::find(&env::var_os("PATH").unwrap_or_default()) else {
        shown.warn("image.sign asks for a signature, and there is no cosign on PATH: not signed");
        return Ok(());
    };
    let image = format!("{}@{digest}", subject.repository());
    if !there.is_signed {
        cosign.sign(&image, with).await?;
        shown.note(format!("signed {image}"));
    }
    if let Some(list) = list {
        cosign.attest(&image, with, list).await?;
        shown.note(format!("attested the packages of {image}"));
    }
    Ok(())
}
