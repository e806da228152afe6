use super::super::show::key;
use super::super::{Build, Manager, Part, Runtime, Spec};
use super::Check;

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    if let Some(build) = &spec.build {
        self::build(build, spec, check);
    }
    tags(spec, check);
}

fn build(build: &Build, spec: &Spec, check: &mut Check<'_>) {
    if spec.image.image.is_some() {
        let message = "a ready image and a [build] exclude each other";
        check.refuse_with(
            "image.image",
            message,
            "repository = \"…\" names a built image",
        );
    }
    manager(build, check);
    if build.cuda.is_some() && build.runtime != Runtime::Python {
        check.refuse(
            "build.cuda",
            "a CUDA base is there for runtime = \"python\" only",
        );
    }
    if let (Some(message), Runtime::Dockerfile) = (unused(build), build.runtime) {
        check.refuse(message.0, message.1);
    }
    for (name, value) in &build.args {
        let path = format!("build.args.{}", key(name));
        let holds_secret = value.0.iter().any(|part| matches!(part, Part::Secret(_)));
        if holds_secret || spec.secrets.contains_key(name) || build.secrets.contains(name) {
            let message = format!("{name} is a secret: an argument stays in the image's history");
            check.refuse_with(
                &path,
                message,
                format!("secrets = [\"{name}\"] under [build]"),
            );
        }
    }
    for name in &build.secrets {
        if spec.run.env.contains_key(name) {
            let message = format!("{name} is a build secret; as a variable anyone could read it");
            check.refuse(&format!("run.env.{}", key(name)), message);
        }
    }
}

/// What a Dockerfile of one's own says itself.
fn unused(build: &Build) -> Option<(&'static str, String)> {
    let given = [
        ("build.version", build.version.is_some()),
        ("build.manager", build.manager.is_some()),
        ("build.entry", !build.entry.is_empty()),
        ("build.system_packages", !build.system_packages.is_empty()),
    ];
    let (path, _) = given.into_iter().find(|(_, given)| *given)?;
    Some((
        path,
        format!("{path} has no meaning for a Dockerfile of your own"),
    ))
}

fn manager(build: &Build, check: &mut Check<'_>) {
    use Manager::{Npm, Pip, Pnpm, Poetry, Uv, Yarn};
    let fits = match (build.runtime, build.manager) {
        (_, None) | (Runtime::Dockerfile, _) => true,
        (Runtime::Python, Some(manager)) => matches!(manager, Pip | Uv | Poetry),
        (Runtime::Node, Some(manager)) => matches!(manager, Npm | Pnpm | Yarn),
        (Runtime::Rust | Runtime::Go, Some(_)) => false,
    };
    if !fits {
        let hint = "pip, uv or poetry for python; npm, pnpm or yarn for node";
        check.refuse_with(
            "build.manager",
            "the manager does not fit the runtime",
            hint,
        );
    }
}

fn tags(spec: &Spec, check: &mut Check<'_>) {
    for (at, tag) in spec.image.tags.iter().enumerate() {
        if tag.contains("{version}") && spec.agent.version.is_none() {
            let path = format!("image.tags.{at}");
            check.refuse_with(
                &path,
                "{version} needs agent.version",
                "version = \"1.0.0\" under [agent]",
            );
        }
    }
}
