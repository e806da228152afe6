//! Names: a repository as Docker reads it, and a digest.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::advice::advice;
use crate::hex::hex;

/// What Docker Hub is called in names.
const HUB: &str = "docker.io";
/// Where Docker Hub answers.
const HUB_API: &str = "registry-1.docker.io";
/// What Docker Hub is called in `config.json`.
const HUB_KEY: &str = "https://index.docker.io/v1/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// With its port, where the name has one.
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Repository {
    /// As Docker does: what names no registry is at Docker Hub.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if names_host(host) => (host, path.to_owned()),
            _ => (HUB, name.to_owned()),
        };
        if !path.split('/').all(is_part) {
            return Err(advice(
                format!("\"{name}\" is no repository"),
                "write it like registry.example.com/team/name, in small letters and without a tag",
            ));
        }
        Ok(match host {
            HUB | "index.docker.io" => Self::at_hub(path),
            host => Self {
                host: host.to_owned(),
                path,
            },
        })
    }

    /// The repository of an image, and its tag: `latest` where none is named, as Docker has it.
    pub(crate) fn of_image(image: &str) -> Result<(Self, &str)> {
        let name = image.split_once('@').map_or(image, |(name, _)| name);
        let parts = name.rsplit_once(':');
        let (name, tag) = match parts.filter(|(_, tag)| !tag.contains('/')) {
            Some(parts) => parts,
            None => (name, "latest"),
        };
        Ok((Self::parse(name)?, tag))
    }

    /// A registry, whatever is in it.
    pub(crate) fn at(host: &str) -> Self {
        let host = match filed_under(host) {
            HUB_KEY => HUB,
            other => other,
        };
        Self {
            host: host.to_owned(),
            path: String::new(),
        }
    }

    fn at_hub(path: String) -> Self {
        Self {
            host: HUB.to_owned(),
            path: match path.contains('/') {
                true => path,
                false => format!("library/{path}"),
            },
        }
    }

    /// Where its API answers.
    pub(super) fn api(&self) -> &str {
        match self.host.as_str() {
            HUB => HUB_API,
            host => host,
        }
    }

    /// What its credentials are filed under.
    pub(crate) fn key(&self) -> &str {
        filed_under(&self.host)
    }

    /// What a user types to log in there.
    pub(crate) fn login(&self) -> String {
        match self.host.as_str() {
            HUB => "docker login".to_owned(),
            host => format!("docker login {host}"),
        }
    }

    /// What a user types to see what answers there. On this machine itself it is mostly not TLS.
    pub(super) fn look(&self) -> String {
        let api = self.api();
        match self.is_loopback() {
            true => format!("curl -i http://{api}/v2/, or https:// if it has a certificate"),
            false => format!("curl -i https://{api}/v2/"),
        }
    }

    /// What makes its certificate trusted, by the engine and by us.
    pub(crate) fn trust(&self) -> String {
        let api = self.api();
        format!("put its CA's certificate in /etc/docker/certs.d/{api}/ca.crt")
    }

    /// Only this machine itself may be spoken to without TLS.
    pub(super) fn is_loopback(&self) -> bool {
        let host = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.host,
        };
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// Where Docker's users have the credentials for a host; Docker Hub goes by many names.
fn filed_under(host: &str) -> &str {
    match host {
        HUB | HUB_API | "index.docker.io" => HUB_KEY,
        other => other,
    }
}

fn names_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn is_part(part: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [part.as_bytes().first(), part.as_bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(plain))
        && part
            .bytes()
            .all(|byte| plain(&byte) || b"._-".contains(&byte))
}

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match hex.len() == 64 && hex.bytes().all(is_hex) {
            true => Ok(Self(text.to_owned())),
            false => bail!("\"{text}\" is no digest like sha256:… with 64 digits"),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
