//! The verbs.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::auth::Act;
use super::wire::{Ask, Wire};
use super::{Credentials, Digest, Repository, Surroundings, failure};

const KINDS: &str = "application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json";
const DIGEST: &str = "docker-content-digest";

/// A repository in a registry; copies share their logins.
#[derive(Clone)]
pub(crate) struct Registry {
    wire: Wire,
}

/// What a tag points to, byte by byte: its hash is its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// Some of the tags.
#[derive(Deserialize)]
struct Page {
    /// The repository's: no registry leaves it out.
    #[serde(rename = "name")]
    _name: String,
    tags: Option<Vec<String>>,
}

impl Registry {
    /// Nothing is sent yet.
    pub(crate) fn new(repository: Repository, surroundings: Surroundings) -> Result<Self> {
        let wire = Wire::new(repository, surroundings)?;
        Ok(Self { wire })
    }

    pub(crate) fn repository(&self) -> &Repository {
        &self.wire.repository
    }

    /// It has not answered somebody else who waited for so long.
    pub(crate) fn silent(&self, waited: Duration) -> anyhow::Error {
        failure::of_silence(waited, self.repository())
    }

    /// Looked up anew each time: a helper's are good for a while only. One that is broken hinders
    /// nothing where nobody wants a login.
    pub(crate) async fn credentials(&self) -> Result<Credentials> {
        match self.wire.credentials().await {
            Err(why) if self.wire.wants_login().await? => Err(why),
            found => Ok(found.unwrap_or(Credentials::None)),
        }
    }

    /// It works, whatever it says of one image.
    pub(crate) async fn answers(&self) -> bool {
        self.wire.wants_login().await.is_ok()
    }

    /// The next time that something is asked again, in words.
    pub(crate) async fn again(&self) -> String {
        self.wire.again().await
    }

    pub(crate) fn pause(&self, tried: u32) -> std::time::Duration {
        self.wire.pause(tried)
    }

    /// What a tag points to, or whether a digest is there: one request.
    pub(crate) async fn head(&self, reference: &str) -> Result<Option<Digest>> {
        let answer = self
            .ask(Method::HEAD, Act::Pull, manifests(reference))
            .await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        match self.digest(&answer)? {
            Some(digest) => Ok(Some(digest)),
            None => Ok(self.manifest(reference).await?.map(|found| found.digest)),
        }
    }

    pub(crate) async fn manifest(&self, reference: &str) -> Result<Option<Manifest>> {
        let answer = self
            .ask(Method::GET, Act::Pull, manifests(reference))
            .await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let media_type = kind(&answer);
        let bytes = self.body(answer).await?;
        if !is_manifest(&bytes) {
            return Err(failure::no_registry(&media_type, self.repository()));
        }
        let digest = Digest::of(&bytes);
        let is_other = reference.starts_with("sha256:") && reference != digest.as_str();
        match is_other {
            true => bail!("the registry gave {digest} for {reference}"),
            false => Ok(Some(Manifest {
                media_type,
                bytes,
                digest,
            })),
        }
    }

    /// Gives a manifest that is in the repository one more name.
    pub(crate) async fn put_manifest(&self, tag: &str, manifest: &Manifest) -> Result<()> {
        let kind = HeaderValue::from_str(&manifest.media_type)?;
        let ask = Ask {
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            body: manifest.bytes.clone(),
            ..self.asking(Method::PUT, Act::Push, manifests(tag))
        };
        let answer = self.wire.ask(ask).await?;
        self.found(&answer, tag)
    }

    /// An image's configuration; of one for several platforms, that of the first.
    pub(crate) async fn config(&self, image: &Digest) -> Result<Value> {
        let mut manifest = self.known(image).await?;
        if let Some(first) = manifest["manifests"][0]["digest"].as_str() {
            manifest = self.known(&first.parse()?).await?;
        }
        let config = manifest["config"]["digest"].as_str();
        let config = config.with_context(|| format!("{image} is no image: it has no config"))?;
        let answer = self
            .ask(Method::GET, Act::Pull, format!("blobs/{config}"))
            .await?;
        self.found(&answer, config)?;
        let bytes = self.body(answer).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("{config} is no image's config"))
    }

    async fn known(&self, digest: &Digest) -> Result<Value> {
        let manifest = self.manifest(digest.as_str()).await?;
        let manifest =
            manifest.with_context(|| format!("{digest} is not in {}", self.repository()))?;
        serde_json::from_slice(&manifest.bytes).context("the registry gave no manifest")
    }

    /// All tags; none where there is no such repository yet.
    pub(crate) async fn tags(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        let mut next = Some("tags/list?n=1000".to_owned());
        while let Some(path) = next {
            let answer = self.ask(Method::GET, Act::Pull, path).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(all);
            }
            next = further(answer.headers());
            let kind = kind(&answer);
            let page: Page = serde_json::from_slice(&self.body(answer).await?)
                .map_err(|_| failure::no_registry(&kind, self.repository()))?;
            let tags = page.tags.into_iter().flatten();
            all.extend(tags);
        }
        Ok(all)
    }

    /// The list of what refers to an image; `None`: not every registry has one.
    pub(super) async fn list(&self, path: String) -> Option<Value> {
        let answer = self.ask(Method::GET, Act::Pull, path).await.ok()?;
        let bytes = self.body(answer).await.ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// With all its tags; one that is gone already is as good, and false.
    pub(crate) async fn delete(&self, image: &Digest) -> Result<bool> {
        let path = manifests(image.as_str());
        let answer = self.ask(Method::DELETE, Act::Delete, path).await?;
        let is_gone = answer.status() == StatusCode::NOT_FOUND;
        match is_gone && self.head(image.as_str()).await?.is_some() {
            true => Err(failure::not_deleted(image, self.repository())),
            false => Ok(!is_gone),
        }
    }

    async fn ask(&self, method: Method, act: Act, path: String) -> Result<Response> {
        self.wire.ask(self.asking(method, act, path)).await
    }

    fn asking(&self, method: Method, act: Act, path: String) -> Ask {
        Ask {
            act,
            method,
            path: format!("{}/{path}", self.repository().path),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(KINDS))]),
            body: Bytes::new(),
        }
    }

    fn digest(&self, answer: &Response) -> Result<Option<Digest>> {
        let parse = |text: String| {
            let parsed = text.parse();
            parsed.map_err(|why| failure::no_digest(why, self.repository()))
        };
        text(answer.headers(), DIGEST).map(parse).transpose()
    }

    fn found(&self, answer: &Response, what: &str) -> Result<()> {
        match answer.status().is_success() {
            true => Ok(()),
            false => bail!(
                "the registry answered {} for {what} in {}",
                answer.status(),
                self.repository()
            ),
        }
    }

    async fn body(&self, answer: Response) -> Result<Bytes> {
        let body = answer.bytes().await;
        body.with_context(|| format!("the registry {} broke off", self.repository().host))
    }
}

/// Any web server answers a request: what is hashed must be what a registry keeps.
fn is_manifest(bytes: &[u8]) -> bool {
    let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
    manifest["schemaVersion"].is_u64()
}

pub(super) fn manifests(reference: &str) -> String {
    format!("manifests/{reference}")
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn kind(answer: &Response) -> String {
    text(answer.headers(), CONTENT_TYPE.as_str()).unwrap_or_default()
}

/// `</v2/team/name/tags/list?last=b&n=2>; rel="next"`; only its query counts.
fn further(headers: &HeaderMap) -> Option<String> {
    let link = text(headers, LINK.as_str())?;
    let (target, _) = link.strip_prefix('<')?.split_once('>')?;
    let (_, query) = target.split_once('?')?;
    Some(format!("tags/list?{query}"))
}
