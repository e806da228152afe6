//! What a release is made from: its version, what names dependencies, and all other files.

use std::io::Read;

use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};

use super::artifact;
use super::image;
use super::site::Project;
use crate::image::{Context, EntryKind};
use crate::release::{Identity, MANIFESTS, Origin};
use crate::spec::{Strategy, TargetSpec};

pub(crate) fn origin(project: &Project) -> Result<Origin> {
    let spec = &project.loaded.spec;
    let version = spec.agent.version.clone();
    if spec.rollout.strategy != Strategy::Auto {
        // Nothing will be chosen by the rest, and reading all files takes its time.
        return Ok(Origin {
            version,
            ..Origin::default()
        });
    }
    let (dependencies, code) = match (&project.loaded.target, &spec.build) {
        (TargetSpec::Process { .. }, _) => artifact::tree(project).parts(&MANIFESTS)?,
        (_, Some(build)) => {
            let (context, _, buildable) = image::found(project, None)?;
            let recipe = serde_json::to_vec(&(build, &buildable.dockerfile))?;
            parts(&context, &recipe)?
        }
        // What is in a ready image is not known before it is there.
        (_, None) => {
            return Ok(Origin {
                version,
                ..Origin::default()
            });
        }
    };
    Ok(Origin {
        version,
        dependencies: Some(dependencies),
        code: Some(code),
    })
}

/// `recipe` is what the image is built with and on.
fn parts(context: &Context, recipe: &[u8]) -> Result<(Identity, Identity)> {
    let (mut dependencies, mut code) = (Sha256::new(), Sha256::new());
    dependencies.update(recipe);
    for entry in &context.entries {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let hash = match MANIFESTS.contains(&name) {
            true => &mut dependencies,
            false => &mut code,
        };
        hash.update(entry.path.as_bytes());
        hash.update([0]);
        if let EntryKind::File { .. } = entry.kind {
            let mut bytes = Vec::new();
            let mut read = || context.open(entry)?.read_to_end(&mut bytes);
            read().with_context(|| format!("could not read {}", entry.path))?;
            hash.update(&bytes);
        }
    }
    let identity = |hash: Sha256| Identity::from_digest(&hash.finalize());
    Ok((identity(dependencies), identity(code)))
}
