//! Where the engine is, as `docker` itself would find it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::advice::{Advise, advice};
use crate::hex::hex;

const SOCKET: &str = "/var/run/docker.sock";
/// The context that is no file.
const DEFAULT: &str = "default";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Unix(PathBuf),
    /// `host:port`
    Tcp(String),
    Tls(String, Certificates),
    Ssh(Ssh),
}

/// PEM files, as Docker names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// Where they would be; empty: nobody says.
    pub(crate) folder: PathBuf,
    /// Not given: whom the machine trusts.
    pub(crate) ca: Option<PathBuf>,
    /// Certificate and key.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
    pub(crate) unverified: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ssh {
    /// `user@host`, or a name that `ssh` knows.
    pub(crate) destination: String,
    pub(crate) port: Option<u16>,
    /// The engine's socket over there, where it is not the usual one.
    pub(crate) socket: Option<String>,
}

/// One context's `meta.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

impl Place {
    /// By `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that `docker context use` chose, or the usual
    /// socket.
    pub(crate) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(host) = set("DOCKER_HOST") {
            return Self::named(&host, variable).context("DOCKER_HOST names no engine");
        }
        let settings = settings(variable).unwrap_or_default();
        match set("DOCKER_CONTEXT").or_else(|| chosen(&settings)) {
            Some(name) if name != DEFAULT => Self::of_context(&name, &settings),
            _ => Ok(Self::Unix(SOCKET.into())),
        }
    }

    /// One that is named as in `DOCKER_HOST`, with the certificates that are set beside it.
    pub(crate) fn named(host: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let folder = set("DOCKER_CERT_PATH").map(PathBuf::from);
        let folder = folder.or_else(|| settings(variable)).unwrap_or_default();
        let tls = set("DOCKER_TLS_VERIFY").map(|_| certificates(&folder));
        Self::parse(host, tls)
    }

    /// `unix:///path`, `tcp://host:port`, `ssh://user@host`, as in `DOCKER_HOST`.
    pub(crate) fn parse(host: &str, tls: Option<Certificates>) -> Result<Self> {
        let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
        match (scheme, tls) {
            ("unix", _) => Ok(Self::Unix(rest.into())),
            ("tcp" | "http", None) => Ok(Self::Tcp(with_port(rest, 2375))),
            ("tcp" | "https", Some(tls)) => Ok(Self::Tls(with_port(rest, 2376), tls)),
            ("https", None) => Ok(Self::Tls(with_port(rest, 2376), Certificates::default())),
            ("ssh", _) => Ok(Self::Ssh(ssh(rest)?)),
            _ => Err(advice(
                format!("{host} is no address of an engine that agentctl knows"),
                "it begins with unix://, tcp:// or ssh://",
            )),
        }
    }

    /// The engine's own socket on its machine.
    pub(super) fn socket(&self) -> &str {
        match self {
            Self::Unix(path) => path.to_str().unwrap_or(SOCKET),
            Self::Ssh(ssh) => ssh.socket.as_deref().unwrap_or(SOCKET),
            Self::Tcp(_) | Self::Tls(..) => SOCKET,
        }
    }

    /// The name of its machine; `None`: this one.
    pub(super) fn host(&self) -> Option<&str> {
        let without_port =
            |address: &'_ str| -> usize { address.rfind(':').unwrap_or(address.len()) };
        match self {
            Self::Unix(_) => None,
            Self::Tcp(address) | Self::Tls(address, _) => address.get(..without_port(address)),
            Self::Ssh(ssh) => ssh.destination.rsplit('@').next(),
        }
    }

    fn of_context(name: &str, config: &Path) -> Result<Self> {
        let id = hex(&Sha256::digest(name.as_bytes()));
        let meta = config.join("contexts/meta").join(&id).join("meta.json");
        let text = fs::read_to_string(&meta).advise(
            format!("could not read the Docker context {name}"),
            "see which there are: docker context ls",
        )?;
        let meta: Meta = serde_json::from_str(&text)
            .with_context(|| format!("could not understand {}", meta.display()))?;
        let folder = config.join("contexts/tls").join(&id).join("docker");
        let endpoint = meta.endpoints.docker;
        let tls = (folder.is_dir() || endpoint.skip_tls_verify).then(|| Certificates {
            unverified: endpoint.skip_tls_verify,
            ..certificates(&folder)
        });
        Self::parse(&endpoint.host, tls)
            .with_context(|| format!("the Docker context {name} names no engine"))
    }
}

/// The folder of Docker's own settings: `config.json`, contexts, certificates.
pub(crate) fn settings(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let usual = || set("HOME").map(|home| Path::new(&home).join(".docker"));
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(usual)
}

fn chosen(config: &Path) -> Option<String> {
    let text = fs::read_to_string(config.join("config.json")).ok()?;
    let settings: Value = serde_json::from_str(&text).ok()?;
    Some(settings.get("currentContext")?.as_str()?.to_owned())
}

/// Those of the three files that are there.
fn certificates(folder: &Path) -> Certificates {
    let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
    Certificates {
        folder: folder.to_owned(),
        ca: file("ca.pem"),
        own: file("cert.pem").zip(file("key.pem")),
        unverified: false,
    }
}

fn with_port(address: &str, usual: u16) -> String {
    let address = address.trim_end_matches('/');
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match has_port {
        true => address.to_owned(),
        false => format!("{address}:{usual}"),
    }
}

fn ssh(rest: &str) -> Result<Ssh> {
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path).filter(|path| !path.is_empty())),
        None => (rest, None),
    };
    let (destination, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().context("no port")?)),
        None => (authority, None),
    };
    // `ssh` would take it for an option.
    if destination.is_empty() || destination.starts_with('-') {
        return Err(advice(
            format!("ssh://{rest} names no host"),
            "ssh://USER@HOST, as ssh itself knows it",
        ));
    }
    Ok(Ssh {
        destination: destination.to_owned(),
        port,
        socket: path.map(|path| format!("/{path}")),
    })
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) | Self::Tls(address, _) => write!(f, "tcp://{address}"),
            Self::Ssh(ssh) => {
                let port = ssh.port.map(|port| format!(":{port}"));
                let socket = ssh.socket.as_deref().unwrap_or_default();
                let port = port.unwrap_or_default();
                write!(f, "ssh://{}{port}{socket}", ssh.destination)
            }
        }
    }
}
