//! The images that agents are built on and run on; each is an ARG, so that another one, or one by
//! digest, can stand for it.

use crate::spec::{Build, Runtime};

pub(in crate::render) const UV: &str = "0.13.8";
pub(in crate::render) const POETRY: &str = "2.5.1";
pub(in crate::render) const PNPM: &str = "10";
pub(super) const COREPACK: &str = "0.34";

/// Where a Rust or Go program finds nothing but certificates, time zones and, for Rust, libc.
const STATIC: &str = "gcr.io/distroless/static-debian12:nonroot";
const WITH_LIBC: &str = "gcr.io/distroless/cc-debian12:nonroot";
/// The same where Debian packages are wanted.
const DEBIAN: &str = "debian:12-slim";

pub(super) struct Bases {
    /// With compilers and the like.
    pub(super) build: String,
    pub(super) run: String,
}

pub(super) fn version(build: &Build) -> &str {
    let usual = match build.runtime {
        Runtime::Python => "3.13",
        Runtime::Node => "24",
        Runtime::Rust => "1.95",
        Runtime::Go => "1.25",
        Runtime::Dockerfile => "",
    };
    build.version.as_deref().unwrap_or(usual)
}

pub(super) fn bases(build: &Build) -> Bases {
    let version = version(build);
    let (build, run) = match (build.runtime, &build.cuda) {
        (Runtime::Python, Some(cuda)) => (
            format!("nvidia/cuda:{cuda}-devel-ubuntu22.04"),
            format!("nvidia/cuda:{cuda}-runtime-ubuntu22.04"),
        ),
        (Runtime::Python, None) => slim("python", version),
        (Runtime::Node, _) => slim("node", version),
        // Built with the libc that it is going to find.
        (Runtime::Rust, _) => (format!("rust:{version}-bookworm"), small(build, WITH_LIBC)),
        (Runtime::Go, _) => (format!("golang:{version}"), small(build, STATIC)),
        (Runtime::Dockerfile, _) => (String::new(), String::new()),
    };
    Bases { build, run }
}

fn slim(image: &str, version: &str) -> (String, String) {
    (
        format!("{image}:{version}"),
        format!("{image}:{version}-slim"),
    )
}

fn small(build: &Build, usual: &str) -> String {
    match build.system_packages.is_empty() {
        true => usual.to_owned(),
        false => DEBIAN.to_owned(),
    }
}
