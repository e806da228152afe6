//! This program as an image: its own file, the libraries that it was started with, and nothing else.
//!
//! Nothing is downloaded, and the tag says what is in it, so it is sent to an engine once. Where an
//! edge runs already, the same files go beside its state instead: see [`crate::edge::program`].

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::http::request::Builder;
use tokio_util::io::{ReaderStream, SyncIoBridge};

use super::STATE;
use crate::advice::advice;
use crate::docker::{Engine, streamed};
use crate::edge::program::{Current, FILE, FOLDER, name_of};

/// Where it is in the image.
pub(super) const PROGRAM: &str = "/agentctl";
/// Images that nobody uses are kept for those who are about to.
const SPARED: Duration = Duration::from_secs(3600);
const REPOSITORY: &str = "agentctl-edge";
/// Each piece costs a wait or two, so they are large.
const PIECE: usize = 256 * 1024;

/// The image's name; the engine has it afterwards.
pub(crate) async fn image(engine: &Engine, executable: &Path) -> Result<String> {
    let name = format!("{REPOSITORY}:{}", name_of(executable)?);
    if engine.docker.inspect_image(&name).await.is_ok() {
        return Ok(name);
    }
    fits(engine).await?;
    let mut files = files(executable)?;
    files.extend(trusted());
    send(engine, create(&name)?, Pack::of(files))
        .await
        .with_context(|| format!("could not give the engine the image {name}"))?;
    let there = engine.docker.inspect_image(&name).await;
    there.map(|_| name).map_err(|error| engine.failure(error))
}

/// Puts the program beside the state of the edge in this container, which was made from `image`; the
/// answer is what starts it there.
pub(super) async fn beside(
    engine: &Engine,
    container: &str,
    image: &str,
    executable: &Path,
) -> Result<Vec<String>> {
    let program = name_of(executable)?;
    let instead_of = image.rsplit(':').next().unwrap_or(image).to_owned();
    if program == instead_of {
        return Ok(vec![PROGRAM.to_owned()]);
    }
    fits(engine).await?;
    let folder = Path::new(FOLDER).join(&program);
    let files = files(executable)?;
    let command = command(&Path::new(STATE).join(&folder), &files);
    let current = Current {
        instead_of,
        program,
        command: command.clone(),
    };
    let pack = Pack {
        last: Some((PathBuf::from(FILE), serde_json::to_vec(&current)?)),
        below: folder,
        files,
    };
    let request = Request::put(format!("/containers/{container}/archive?path={STATE}"));
    send(engine, request, pack)
        .await
        .with_context(|| format!("could not put this program into the container {container}"))?;
    Ok(command)
}

/// Libraries are found where they were put, and not where they would be by their names.
fn command(folder: &Path, files: &[(PathBuf, PathBuf)]) -> Vec<String> {
    let inside = |place: &Path| {
        let place = place.strip_prefix("/").unwrap_or(place);
        folder.join(place).display().to_string()
    };
    let program = inside(Path::new(PROGRAM));
    let libraries = files.iter().map(|(place, _)| place.as_path()).skip(1);
    let loader = libraries
        .clone()
        .find(|place| place.file_name().is_some_and(is_loader));
    let Some(loader) = loader else {
        return vec![program];
    };
    let folders: BTreeSet<String> = libraries.filter_map(Path::parent).map(inside).collect();
    let folders: Vec<String> = folders.into_iter().collect();
    let path = folders.join(":");
    vec![inside(loader), "--library-path".to_owned(), path, program]
}

/// Images of this kind that no container uses and that are not this one make room.
pub(super) async fn forget_others(engine: &Engine, name: &str) {
    let reference = HashMap::from([("reference".to_owned(), vec![REPOSITORY.to_owned()])]);
    let asked = ListImagesOptionsBuilder::new().filters(&reference).build();
    let all = engine.docker.list_images(Some(asked)).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let old = all.unwrap_or_default().into_iter().filter(|image| {
        let made = u64::try_from(image.created).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(made)) > SPARED
    });
    for other in old.flat_map(|image| image.repo_tags) {
        if other != name {
            // The engine refuses to remove what a container uses.
            let none = None::<RemoveImageOptions>;
            let _ = engine.docker.remove_image(&other, none, None).await;
        }
    }
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

/// Whose certificates are believed here are there too.
fn trusted() -> Option<(PathBuf, PathBuf)> {
    let bundle = PathBuf::from("/etc/ssl/certs/ca-certificates.crt");
    bundle.exists().then(|| (bundle.clone(), bundle))
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

/// The image of what is sent.
fn create(name: &str) -> Result<Builder> {
    let (repository, tag) = name.split_once(':').context("no tag")?;
    let entry = format!("ENTRYPOINT%20%5B%22{}%22%5D", PROGRAM.replace('/', "%2F"));
    let path = format!("/images/create?fromSrc=-&repo={repository}&tag={tag}&changes={entry}");
    Ok(Request::post(path))
}

async fn send(engine: &Engine, request: Builder, pack: Pack) -> Result<()> {
    let (reader, writer) = tokio::io::duplex(PIECE);
    let writer = BufWriter::with_capacity(PIECE, SyncIoBridge::new(writer));
    let packing = tokio::task::spawn_blocking(move || pack.write(writer));
    let body = streamed(ReaderStream::with_capacity(reader, PIECE));
    let request = request.header("content-type", "application/x-tar");
    let answer = engine.send(request.body(body)?).await?;
    answer.into_body().collect().await?;
    Ok(packing.await??)
}

/// Files on their way to an engine.
struct Pack {
    below: PathBuf,
    /// Where each goes, and where it is here.
    files: Vec<(PathBuf, PathBuf)>,
    last: Option<(PathBuf, Vec<u8>)>,
}

impl Pack {
    fn of(files: Vec<(PathBuf, PathBuf)>) -> Self {
        Self {
            below: PathBuf::new(),
            files,
            last: None,
        }
    }

    fn write(&self, writer: impl Write) -> io::Result<()> {
        let mut tar = tar::Builder::new(writer);
        for (place, path) in &self.files {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            self.add(&mut tar, place, size, file)?;
        }
        if let Some((place, bytes)) = &self.last {
            self.add(&mut tar, place, bytes.len() as u64, bytes.as_slice())?;
        }
        tar.into_inner()?.flush()
    }

    fn add(
        &self,
        tar: &mut tar::Builder<impl Write>,
        place: &Path,
        size: u64,
        content: impl Read,
    ) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o755);
        let place = place.strip_prefix("/").unwrap_or(place);
        tar.append_data(&mut header, self.below.join(place), content)
    }
}
