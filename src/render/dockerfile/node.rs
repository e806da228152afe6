//! Node: what runs needs apart from what builds needs, so that the first changes rarely.

use anyhow::Result;
use serde_json::json;

use super::{Recipe, base, there};
use crate::advice::advice;
use crate::render::Input;
use crate::spec::{Build, Manager};

pub(super) fn recipe(build: &Build, input: &Input) -> Result<Recipe> {
    let manager = manager(build, input);
    if manager.is_some() && !input.folder.has("package.json") {
        return Err(advice(
            "there is no package.json to install from",
            "npm init; or leave build.manager out where nothing is to be installed",
        ));
    }
    let install = manager.map(|manager| install(manager, input));
    let builds = install.is_some() && input.folder.node_build;
    let bases = base::bases(build);
    let manifests = there(MANIFESTS, input);
    let local = input.folder.local(&[&manifests, FOLDERS].concat());
    let context = json!({
        "build_base": bases.build,
        "base": bases.run,
        "install": install.as_ref().map(|install| install.template),
        "manifests": manifests,
        "local": there(FOLDERS, input).into_iter().chain(local).collect::<Vec<_>>(),
        "locked": install.as_ref().is_some_and(|install| install.locked),
        "modern": input.folder.has(MODERN_YARN),
        "pnpm": base::PNPM,
        "corepack": base::COREPACK,
        "caches": install.map(|install| [format!("type=cache,target={}", install.cache)]),
        "builds": builds,
        // What may hold a token does not come into the last stage.
        "stripped": builds || !there(&[".npmrc", MODERN_YARN], input).is_empty(),
    });
    Ok(Recipe {
        template: "dockerfile/node",
        context,
    })
}

const MODERN_YARN: &str = ".yarnrc.yml";

/// What managers read before they install.
const MANIFESTS: &[&str] = &[
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "yarn.lock",
    MODERN_YARN,
    ".npmrc",
];
const FOLDERS: &[&str] = &[".yarn", "patches"];

/// A lock file tells who wrote it.
pub(in crate::render) fn manager(build: &Build, input: &Input) -> Option<Manager> {
    let marks = [
        ("pnpm-lock.yaml", Manager::Pnpm),
        ("yarn.lock", Manager::Yarn),
        ("package.json", Manager::Npm),
    ];
    let found = marks.into_iter().find(|(name, _)| input.folder.has(name));
    build.manager.or(found.map(|(_, manager)| manager))
}

struct Install {
    template: &'static str,
    locked: bool,
    cache: &'static str,
}

fn install(manager: Manager, input: &Input) -> Install {
    let (template, locks, cache): (_, &[&str], _) = match manager {
        Manager::Pnpm => ("dockerfile/node.pnpm", &["pnpm-lock.yaml"], "/pnpm"),
        Manager::Yarn => ("dockerfile/node.yarn", &["yarn.lock"], "/yarn"),
        _ => (
            "dockerfile/node.npm",
            &["package-lock.json", "npm-shrinkwrap.json"],
            "/root/.npm",
        ),
    };
    let locked = !there(locks, input).is_empty();
    Install {
        template,
        locked,
        cache,
    }
}

/// What package.json calls its main file, or index.js.
pub(super) fn usual() -> Vec<String> {
    ["node", "."].map(str::to_owned).into()
}
