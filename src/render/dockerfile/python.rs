//! Python: dependencies in a virtual environment of the first stage, the source beside it.

use anyhow::Result;
use serde_json::json;

use super::{Recipe, base, there};
use crate::advice::advice;
use crate::render::Input;
use crate::spec::{Build, Manager};

pub(super) fn recipe(build: &Build, input: &Input) -> Result<Recipe> {
    let install = install(manager(build, input), input)?;
    let bases = base::bases(build);
    let manifests = install.as_ref().map(|install| install.manifests.as_slice());
    let local = manifests.map(|manifests| input.folder.local(manifests));
    let context = json!({
        "build_base": bases.build,
        "base": bases.run,
        "version": base::version(build),
        "cuda": build.cuda.is_some(),
        "install": install.as_ref().map(|install| install.template),
        "manifests": manifests,
        "local": local,
        "locked": install.as_ref().is_some_and(|install| install.locked),
        "uv": base::UV,
        "poetry": base::POETRY,
        "caches": install.map(|install| [format!("type=cache,target={}", install.cache)]),
        "src": input.folder.has("src"),
    });
    Ok(Recipe {
        template: "dockerfile/python",
        context,
    })
}

/// A lock file tells who wrote it.
pub(in crate::render) fn manager(build: &Build, input: &Input) -> Option<Manager> {
    let marks = [
        ("uv.lock", Manager::Uv),
        ("poetry.lock", Manager::Poetry),
        ("requirements.txt", Manager::Pip),
        ("pyproject.toml", Manager::Uv),
    ];
    let found = marks.into_iter().find(|(name, _)| input.folder.has(name));
    build.manager.or(found.map(|(_, manager)| manager))
}

struct Install {
    template: &'static str,
    /// What says which dependencies there are; the first names them.
    manifests: Vec<&'static str>,
    locked: bool,
    cache: &'static str,
}

fn install(manager: Option<Manager>, input: &Input) -> Result<Option<Install>> {
    let install = match manager {
        None => return Ok(None),
        Some(Manager::Uv) => uv(input),
        Some(Manager::Poetry) => Install {
            template: "dockerfile/python.poetry",
            manifests: there(&["pyproject.toml", "poetry.lock", "poetry.toml"], input),
            locked: input.folder.has("poetry.lock"),
            cache: "/root/.cache/pypoetry",
        },
        Some(_) => Install {
            template: "dockerfile/python.pip",
            manifests: there(&["requirements.txt", "constraints.txt"], input),
            locked: false,
            cache: "/root/.cache/pip",
        },
    };
    let (wanted, hint) = match manager {
        Some(Manager::Uv) => (&["pyproject.toml", "requirements.txt"][..], "uv init"),
        Some(Manager::Poetry) => (&["pyproject.toml"][..], "poetry init"),
        _ => (
            &["requirements.txt"][..],
            "manager = \"uv\" reads a pyproject.toml",
        ),
    };
    match install.manifests.first() {
        Some(first) if wanted.contains(first) => Ok(Some(install)),
        _ => Err(advice(
            format!("there is no {} to install from", wanted.join(" or ")),
            hint,
        )),
    }
}

fn uv(input: &Input) -> Install {
    let locked = input.folder.has("uv.lock");
    let mut manifests = match locked {
        true => there(&["pyproject.toml", "uv.lock"], input),
        false => there(&["pyproject.toml", "requirements.txt"], input),
    };
    manifests.truncate(if locked { 2 } else { 1 });
    Install {
        template: "dockerfile/python.uv",
        manifests,
        locked,
        cache: "/root/.cache/uv",
    }
}

/// What Python usually starts, by what lies in the folder.
pub(super) fn usual(input: &Input) -> Option<Vec<String>> {
    let module = |name: &str| vec!["python".to_owned(), "-m".to_owned(), name.to_owned()];
    let found = ["app", "main", "agent"]
        .into_iter()
        .find(|name| input.folder.has(name) || input.folder.has(&format!("{name}.py")));
    found.map(module)
}
