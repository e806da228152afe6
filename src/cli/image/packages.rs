//! What is in an image, written down, and who vouches for it.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::super::show::Shown;
use super::super::site::variable;
use super::publish::registry;
use super::subject::Subject;
use crate::advice::{Advise, advice};
use crate::docker;
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

/// Writes the list of the packages in the image that the registry has by `digest`, or else in the one
/// that the engine has. By its tag the engine may have another than the registry: both were made of
/// the same contents, but not at the same time.
pub(crate) async fn list(
    subject: &Subject<'_>,
    digest: Option<&Digest>,
    file: &Path,
) -> Result<()> {
    let engine = subject.engine().await?;
    let list = match digest {
        Some(digest) => {
            let name = format!("{}@{digest}", subject.repository());
            image::pull(engine, &name, docker::settings(&variable).as_deref()).await?;
            image::sbom(engine, &name, digest.as_str()).await?
        }
        None => image::sbom(engine, &subject.name(), &subject.content).await?,
    };
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
