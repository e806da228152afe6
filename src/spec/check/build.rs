use super::super::names::{has_password, looks_secret};
use super::super::show::key;
use super::super::{Build, CONTENT_TAG, Manager, Part, Runtime, Spec, Template};
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
    if let Some(version) = build.cuda.as_ref().filter(|version| !is_cuda(version))
        && build.runtime == Runtime::Python
    {
        let message = format!("there is no CUDA image {version}: its version has three numbers");
        check.refuse_with("build.cuda", message, "cuda = \"12.4.1\"");
    }
    if let (Some(message), Runtime::Dockerfile) = (unused(build), build.runtime) {
        check.refuse(message.0, message.1);
    }
    for (name, value) in &build.args {
        arg(name, value, spec, check);
    }
    for (at, allow) in build.allow.iter().enumerate() {
        if allow.reason.trim().is_empty() {
            let path = format!("build.allow.{at}.reason");
            let hint = "reason = \"test keys, no system knows them\"";
            check.refuse_with(&path, "the reason must say something", hint);
        }
    }
    for name in &build.secrets {
        if spec.run.env.contains_key(name) {
            let message = format!("{name} is a build secret; as a variable anyone could read it");
            check.refuse(&format!("run.env.{}", key(name)), message);
        }
    }
}

fn arg(name: &str, value: &Template, spec: &Spec, check: &mut Check<'_>) {
    let path = format!("build.args.{}", key(name));
    if let Some(why) = why_secret(name, value, spec) {
        let message = format!("{why}: an argument stays in the image's history");
        let hint = format!("secrets = [\"{name}\"] under [build]");
        match texts(value).next() {
            Some(_) => check.refuse_unseen(&path, message, hint),
            None => check.refuse_with(&path, message, hint),
        }
    } else if TAKEN.contains(&name) || name.starts_with("OCI_") {
        let message = format!("{name} is an argument of the Dockerfile that agentctl writes");
        check.refuse_with(&path, message, "give it another name");
    } else if texts(value).any(|text| text.chars().any(char::is_control)) {
        check.refuse(&path, "a build argument must be a single line");
    }
}

/// Arguments that stand in every Dockerfile.
const TAKEN: [&str; 3] = ["BASE", "BUILD_BASE", "UV"];

fn why_secret(name: &str, value: &Template, spec: &Spec) -> Option<String> {
    let listed = |build: &Build| build.secrets.iter().any(|secret| secret == name);
    let named = spec.secrets.contains_key(name) || spec.build.as_ref().is_some_and(listed);
    if named || value.has_secret() {
        return Some(format!("{name} is a secret"));
    }
    if looks_secret(name) {
        return Some(format!("{name} looks like a secret"));
    }
    let holds = texts(value).any(has_password);
    holds.then(|| format!("the URL in {name} holds a password"))
}

fn texts(value: &Template) -> impl Iterator<Item = &str> {
    value.0.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

/// `12.4.1`, perhaps with more behind: NVIDIA has no images for shorter ones.
fn is_cuda(version: &str) -> bool {
    let number = version.split('-').next().unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    number.split('.').count() == 3 && number.split('.').all(digits)
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
        if tag.starts_with(CONTENT_TAG) {
            let message =
                "tags that begin with sha- say what is in an image, and agentctl makes them";
            check.refuse_with(
                &format!("image.tags.{at}"),
                message,
                "begin it with another word",
            );
        }
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
