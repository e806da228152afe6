//! Rust: one program, built where its dependencies were built before.

use anyhow::Result;
use serde_json::json;

use super::{Recipe, base, there};
use crate::advice::advice;
use crate::render::{Input, RustPackage};
use crate::spec::Build;

const LOCK: &str = "Cargo.lock";

pub(super) fn recipe(build: &Build, input: &Input) -> Result<Recipe> {
    let package = package(input)?;
    let bases = base::bases(build);
    // The folder of what cargo builds is kept as a layer where it can be, and as a cache otherwise.
    let mut caches = vec!["type=cache,target=/usr/local/cargo/registry,sharing=locked"];
    if !package.plain {
        caches.push("type=cache,target=/build/target,sharing=locked");
    }
    let manifests = ["Cargo.toml", LOCK, "rust-toolchain.toml", "rust-toolchain"];
    let context = json!({
        "build_base": bases.build,
        "base": bases.run,
        "binary": package.binary,
        "plain": package.plain,
        "manifests": there(&manifests, input),
        "locked": input.folder.has(LOCK),
        "caches": caches,
    });
    Ok(Recipe {
        template: "dockerfile/rust",
        context,
    })
}

fn package(input: &Input) -> Result<&RustPackage> {
    input.folder.rust.as_ref().ok_or_else(|| {
        advice(
            "the Cargo.toml of the build's folder names no package, so no program is known",
            "context = \"…\" under [build] names the folder of the package",
        )
    })
}

pub(super) fn usual(input: &Input) -> Option<Vec<String>> {
    let package = input.folder.rust.as_ref()?;
    Some(vec![package.binary.clone()])
}
