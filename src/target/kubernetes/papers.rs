//! The journal's things in the cluster: a Lease of `coordination.k8s.io`, and a ConfigMap for each of
//! the others, compressed. A version is the object's `resourceVersion`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hyper::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::address;
use super::cluster::{Body, Cluster, MANAGER};
use super::heard::{Heard, Topic, put};
use super::refusal;
use crate::advice::because;
use crate::journal::{Kept, LEASE, Shelf};

/// Marks what belongs to the journal of an agent.
pub(super) const JOURNAL: &str = "agentctl.dev/journal";
/// What a thing is called there.
const NAME: &str = "agentctl.dev/name";
/// Which environment of the agent it is of.
const ENVIRONMENT: &str = "agentctl.dev/environment";
/// The lease as the journal has it; the Lease's own fields tell it to people.
const CONTENT: &str = "agentctl.dev/lease";
const KEY: &str = "content.gz";
/// What a ConfigMap takes, in bytes; and for what is told of a release beside its contents.
const MOST: usize = 1024 * 1024;
const BESIDE: usize = 4096;

pub(crate) struct Papers {
    cluster: Rc<Cluster>,
    lease: Mutex<Option<Heard>>,
    /// The lease as it was written here last.
    written: RefCell<Option<Value>>,
}

impl Papers {
    pub(crate) fn new(cluster: Rc<Cluster>) -> Self {
        Self {
            cluster,
            lease: Mutex::default(),
            written: RefCell::default(),
        }
    }

    fn all_of(&self, name: &str) -> String {
        let (version, kind) = kind(name);
        address::all(version, kind, &self.cluster.namespace)
    }

    /// # Errors
    /// Where it is another environment's.
    fn kept(&self, object: &Value) -> Result<(String, Kept)> {
        let Cluster {
            namespace,
            environment,
            title,
            ..
        } = &*self.cluster;
        if is_of(object, environment) {
            return kept(object);
        }
        let other = object["metadata"]["annotations"][ENVIRONMENT].as_str();
        let other = other.unwrap_or_default();
        Err(because(
            format!("{title} cannot be in the namespace {namespace}"),
            format!("its environment {other} is there: both would be one deployment"),
            "another namespace in the target of one of them, or another agent.name",
        ))
    }

    fn object(&self, name: &str, bytes: &[u8]) -> Result<Value> {
        let agent = &self.cluster.agent;
        let (version, kind) = kind(name);
        let mut object = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": {
                "name": object_name(agent, name),
                "namespace": self.cluster.namespace,
                "labels": { "app.kubernetes.io/managed-by": MANAGER, JOURNAL: agent },
                "annotations": { NAME: name, ENVIRONMENT: self.cluster.environment },
            },
        });
        match name {
            LEASE => {
                let content = String::from_utf8(bytes.to_vec())?;
                object["spec"] = lease_spec(&serde_json::from_str(&content)?);
                object["metadata"]["annotations"][CONTENT] = json!(content);
            }
            _ => object["binaryData"] = json!({ KEY: STANDARD.encode(packed(bytes)?) }),
        }
        Ok(object)
    }
}

fn kind(name: &str) -> (&'static str, &'static str) {
    match name {
        LEASE => ("coordination.k8s.io/v1", "Lease"),
        _ => ("v1", "ConfigMap"),
    }
}

/// The Lease is called as the agent is. Names of documents may have letters that names of objects
/// may not.
fn object_name(agent: &str, name: &str) -> String {
    if name == LEASE {
        return agent.to_owned();
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let each = name.chars().map(|c| match fits(c) {
        true => c.to_string(),
        false => format!("x{:02x}", u32::from(c)),
    });
    format!(
        "{agent}-{}",
        each.collect::<String>().trim_end_matches(['.', '-'])
    )
}

/// For `kubectl get lease` and whoever else reads it.
fn lease_spec(desk: &Value) -> Value {
    let (lease, holder) = (&desk["lease"], &desk["lease"]["holder"]);
    let mut spec = Map::from_iter([(
        "leaseTransitions".to_owned(),
        json!(lease["fence"].as_u64().unwrap_or(0)),
    )]);
    if !holder.is_null() {
        let owner = &holder["owner"];
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let who = format!(
            "{}@{} (pid {})",
            text(&owner["user"]),
            text(&owner["host"]),
            owner["pid"]
        );
        let seconds = holder["ttl"].as_u64().unwrap_or(0) / 1000;
        spec.extend([
            ("holderIdentity".to_owned(), json!(who)),
            ("leaseDurationSeconds".to_owned(), json!(seconds.max(1))),
            ("acquireTime".to_owned(), json!(moment(&holder["since"]))),
            ("renewTime".to_owned(), json!(moment(&holder["beat"]["at"]))),
        ]);
    }
    Value::Object(spec)
}

fn moment(millis: &Value) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(millis.as_u64()?).ok()?).ok()?;
    Some(format!("{at:.6}"))
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// # Errors
/// Where a release with this in it is more than can be kept.
pub(crate) fn can_be_kept(contents: &[u8]) -> Result<()> {
    let size = packed(contents)?.len() + BESIDE;
    match size > MOST {
        false => Ok(()),
        true => Err(because(
            "the cluster cannot keep a release with this config and these prompts",
            format!("compressed, a release takes {size} bytes of a ConfigMap, which has {MOST}"),
            "put large texts into the image, as files that the agent reads there",
        )),
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn version(object: &Value) -> Result<String> {
    let version = object["metadata"]["resourceVersion"].as_str();
    Ok(version.context("an object has no version")?.to_owned())
}

/// One that says nothing is of an earlier version, and whoever comes first has it.
fn is_of(object: &Value, environment: &str) -> bool {
    let of = object["metadata"]["annotations"][ENVIRONMENT].as_str();
    of.is_none_or(|of| of == environment)
}

/// The thing's name, and what it is.
fn kept(object: &Value) -> Result<(String, Kept)> {
    let annotations = &object["metadata"]["annotations"];
    let name = annotations[NAME].as_str().unwrap_or_default().to_owned();
    let version = version(object)?;
    let bytes = match annotations[CONTENT].as_str() {
        Some(content) => content.as_bytes().to_vec(),
        None => {
            let packed = object["binaryData"][KEY].as_str().unwrap_or_default();
            unpacked(&STANDARD.decode(packed)?)
                .with_context(|| format!("{} is damaged", address::title(object)))?
        }
    };
    Ok((name, Kept { version, bytes }))
}

impl Shelf for Papers {
    async fn get(&self, name: &str) -> Result<Option<Kept>> {
        let object = object_name(&self.cluster.agent, name);
        let path = format!("{}/{object}", self.all_of(name));
        let found = self.cluster.get(&path).await?;
        found.map(|object| Ok(self.kept(&object)?.1)).transpose()
    }

    async fn lease_heard(&self) -> Result<Option<Kept>> {
        let mut heard = self.lease.lock().await;
        let name = object_name(&self.cluster.agent, LEASE);
        if heard.is_none() {
            let topic = Topic {
                path: self.all_of(LEASE),
                selectors: format!("&fieldSelector=metadata.name%3D{name}"),
            };
            let cluster = Rc::clone(&self.cluster);
            let written = self.written.borrow_mut().take();
            *heard = Some(match written {
                Some(object) => Heard::from(cluster, topic, object),
                None => Heard::of(cluster, topic).await?,
            });
        }
        let Some(heard) = heard.as_mut() else {
            return Ok(None);
        };
        heard.catch_up()?;
        let object = heard.objects.get(&name);
        object.map(|object| Ok(self.kept(object)?.1)).transpose()
    }

    async fn put(&self, name: &str, over: Option<&str>, bytes: Vec<u8>) -> Result<Option<String>> {
        let mut object = self.object(name, &bytes)?;
        let all = self.all_of(name);
        let what = format!("write {}", address::title(&object));
        let (method, path) = match over {
            Some(version) => {
                object["metadata"]["resourceVersion"] = json!(version);
                let name = object_name(&self.cluster.agent, name);
                (Method::PUT, format!("{all}/{name}?fieldManager={MANAGER}"))
            }
            None => (Method::POST, format!("{all}?fieldManager={MANAGER}")),
        };
        let written = self
            .cluster
            .ask(method, &path, &Body::Json(object), &what)
            .await;
        match written {
            Err(error) if refusal::code(&error) == Some(409) => Ok(None),
            // It was there, and was removed meanwhile.
            Err(error) if over.is_some() && refusal::code(&error) == Some(404) => Ok(None),
            Err(error) => Err(error),
            Ok(object) => {
                self.cluster.confirmed.set(Some(SystemTime::now()));
                let version = version(&object)?;
                if name == LEASE {
                    match self.lease.lock().await.as_mut() {
                        Some(heard) => put(&mut heard.objects, object),
                        None => *self.written.borrow_mut() = Some(object),
                    }
                }
                Ok(Some(version))
            }
        }
    }

    async fn all(&self) -> Result<BTreeMap<String, Kept>> {
        let ours = address::labelled(&format!("{JOURNAL}={}", self.cluster.agent));
        let path = format!("{}?{ours}", self.all_of(""));
        let list = self.cluster.get(&path).await?.unwrap_or_default();
        let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
        items.iter().map(|object| self.kept(object)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_comes_back_as_it_was() {
        assert_eq!(unpacked(&packed(b"{}\nabc").unwrap()).unwrap(), b"{}\nabc");
        assert_eq!(object_name("bot", LEASE), "bot");
        assert_eq!(
            object_name("bot", "document-release-r1.json"),
            "bot-document-release-r1.json"
        );
        assert_eq!(object_name("bot", "document-A_"), "bot-document-x41x5f");
    }

    #[test]
    fn a_journal_is_of_one_environment() {
        let of = |annotations: Value| json!({ "metadata": { "annotations": annotations } });
        assert!(is_of(&of(json!({ ENVIRONMENT: "prod" })), "prod"));
        assert!(!is_of(&of(json!({ ENVIRONMENT: "prod" })), "staging"));
        assert!(is_of(&of(json!({})), "staging"));
    }

    #[test]
    fn a_release_that_is_too_large_is_told_before_it_is_kept() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let large: Vec<u8> = (0..MOST).map(|_| noise()).collect();
        assert!(can_be_kept(&large[..MOST / 2]).is_ok());
        assert!(can_be_kept(&vec![b'a'; 2 * MOST]).is_ok());
        let refused = can_be_kept(&large).unwrap_err();
        assert!(format!("{refused:#}").contains("1048576"), "{refused:#}");
    }

    #[test]
    fn people_read_who_holds_it() {
        let holder = json!({
            "owner": { "user": "anna", "host": "ci-3", "pid": 7 },
            "ttl": 15_000, "since": 0, "beat": { "count": 1, "at": 5_000 },
        });
        let spec = lease_spec(&json!({ "lease": { "fence": 4, "holder": holder } }));
        assert_eq!(spec["holderIdentity"], "anna@ci-3 (pid 7)");
        assert_eq!(spec["leaseTransitions"], 4);
        assert_eq!(spec["renewTime"], "1970-01-01T00:00:05.000000Z");
        let free = lease_spec(&json!({ "lease": { "fence": 4, "holder": null } }));
        assert_eq!(free, json!({ "leaseTransitions": 4 }));
    }
}
