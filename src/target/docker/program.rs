//! This program as an image: its own file, the libraries that it was started with, and nothing else.
//!
//! Nothing is downloaded, and the tag says what is in it, so it is sent to an engine once.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use http_body_util::BodyExt;
use hyper::Request;
use tokio_util::io::{ReaderStream, SyncIoBridge};

use crate::advice::advice;
use crate::docker::{Engine, streamed};
use crate::release::Identity;

/// Where it is in the image.
pub(super) const PROGRAM: &str = "/agentctl";
const REPOSITORY: &str = "agentctl-edge";
/// Each piece costs a wait or two, so they are large.
const PIECE: usize = 256 * 1024;

/// The image's name; the engine has it afterwards.
pub(super) async fn image(engine: &Engine, executable: &Path) -> Result<String> {
    let name = format!("{REPOSITORY}:{}", tag(executable)?);
    if engine.docker.inspect_image(&name).await.is_ok() {
        return Ok(name);
    }
    fits(engine).await?;
    let files = files(executable)?;
    send(engine, &name, files)
        .await
        .with_context(|| format!("could not give the engine the image {name}"))?;
    Ok(name)
}

fn tag(executable: &Path) -> Result<String> {
    let program = fs::read(executable).context("could not read this program's own file")?;
    let identity = Identity::of(&program);
    Ok(format!(
        "{}-{}",
        env!("CARGO_PKG_VERSION"),
        identity.short()
    ))
}

async fn fits(engine: &Engine) -> Result<()> {
    let version = engine.docker.version().await;
    let theirs = version
        .map_err(|error| engine.failure(error))?
        .arch
        .unwrap_or_default();
    let ours = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    match theirs.is_empty() || theirs == ours {
        true => Ok(()),
        false => Err(advice(
            format!("the engine's machine is {theirs}, and this agentctl is for {ours}"),
            format!("run an agentctl that was built for {theirs}"),
        )),
    }
}

/// Where each goes in the image, and where it is here.
fn files(executable: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut files = vec![(PathBuf::from(PROGRAM), executable.to_owned())];
    for library in libraries()? {
        // The loader looks in folders that may be links, as /lib is.
        if let Some(name) = library.file_name().filter(|name| is_loader(name)) {
            for folder in ["/lib64", "/lib"] {
                files.push((Path::new(folder).join(name), library.clone()));
            }
        }
        files.push((library.clone(), library));
    }
    Ok(files)
}

fn is_loader(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("ld-"))
}

/// Shared objects that this process was started with; none if it was linked statically.
fn libraries() -> Result<BTreeSet<PathBuf>> {
    let maps = fs::read_to_string("/proc/self/maps").context("could not read /proc/self/maps")?;
    let paths = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    let is_library = |path: &&str| path.contains(".so") && path.starts_with('/');
    let found: BTreeSet<PathBuf> = paths.filter(is_library).map(PathBuf::from).collect();
    ensure!(
        found.iter().all(|path| path.exists()),
        "the libraries that agentctl was started with were replaced meanwhile"
    );
    Ok(found)
}

async fn send(engine: &Engine, name: &str, files: Vec<(PathBuf, PathBuf)>) -> Result<()> {
    let (reader, writer) = tokio::io::duplex(PIECE);
    let writer = BufWriter::with_capacity(PIECE, SyncIoBridge::new(writer));
    let packing = tokio::task::spawn_blocking(move || pack(writer, &files));
    let (repository, tag) = name.split_once(':').context("no tag")?;
    let entry = format!("ENTRYPOINT%20%5B%22{}%22%5D", PROGRAM.replace('/', "%2F"));
    let path = format!("/images/create?fromSrc=-&repo={repository}&tag={tag}&changes={entry}");
    let body = streamed(ReaderStream::with_capacity(reader, PIECE));
    let answer = engine.send(Request::post(path).body(body)?).await?;
    answer.into_body().collect().await?;
    packing.await??;
    let there = engine.docker.inspect_image(name).await;
    there.map(drop).map_err(|error| engine.failure(error))
}

fn pack(writer: impl Write, files: &[(PathBuf, PathBuf)]) -> io::Result<()> {
    let mut tar = tar::Builder::new(writer);
    for (place, path) in files {
        let file = File::open(path)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o755);
        let place = place.strip_prefix("/").unwrap_or(place);
        tar.append_data(&mut header, place, file)?;
    }
    tar.into_inner()?.flush()
}
