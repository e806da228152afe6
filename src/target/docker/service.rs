//! A service or tool in the engine's words: a container of its own, started once for all releases.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use bollard::models::ContainerCreateBody;
use serde_json::{Value, json};

use super::names::{DEFINITION, Names, counted};
use super::recipe::host;
use crate::edge::api::Piece;
use crate::release::Identity;
use crate::render::Beside;
use crate::target::{orders, secrets};

/// One check of it may take this long.
pub(super) const CHECK_WITHIN: Duration = Duration::from_secs(10);
const NANOSECOND: u64 = 1_000_000_000;

pub(super) struct Service {
    pub(super) name: String,
    pub(super) container: String,
    pub(super) image: String,
    /// The volume that its data lies in.
    pub(super) disk: Option<String>,
    /// A command that succeeds while it is well; empty: nothing is known.
    pub(super) healthy: Vec<String>,
    pub(super) startup: Duration,
    /// The hash of all that it is started with; secrets by name.
    pub(super) definition: String,
    create: Value,
    env: BTreeMap<String, Vec<Piece>>,
    port: u16,
}

impl Service {
    pub(super) fn new(beside: &Beside, names: &Names) -> Result<Self> {
        let mut env = orders::variables(&beside.env)?;
        if let Some((variable, secret)) = beside.secret {
            let value = vec![Piece::Secret(secret.to_owned())];
            env.insert(variable.to_owned(), value);
        }
        let disk = beside.is_kept().then(|| names.disk(beside.name));
        let mut create = create(beside, names, disk.as_deref());
        let definition = Identity::of(&serde_json::to_vec(&(&create, &env))?);
        create["Labels"][DEFINITION] = json!(definition.short());
        for (label, value) in counted(&definition) {
            create["Labels"][label] = json!(value);
        }
        Ok(Self {
            name: beside.name.to_owned(),
            container: names.service(beside.name),
            image: beside.image.clone(),
            disk,
            healthy: beside.healthy.clone(),
            startup: Duration::from_secs(beside.startup),
            definition: definition.short().to_owned(),
            create,
            env,
            port: beside.port,
        })
    }

    /// With the secrets' values.
    pub(super) fn body(&self, values: &secrets::Values) -> Result<ContainerCreateBody> {
        let mut body = self.create.clone();
        let variables = self.env.iter();
        let variables = variables.map(|(name, pieces)| {
            let pieces = pieces.iter().map(|piece| self.piece(piece, values));
            anyhow::Ok(format!("{name}={}", pieces.collect::<Result<String>>()?))
        });
        body["Env"] = json!(variables.collect::<Result<Vec<_>>>()?);
        serde_json::from_value(body).context("not the engine's words for a container")
    }

    fn piece(&self, piece: &Piece, values: &secrets::Values) -> Result<String> {
        Ok(match piece {
            Piece::Text(text) => text.clone(),
            Piece::Port => self.port.to_string(),
            Piece::Secret(name) => {
                let value = values.get(name);
                value.with_context(|| format!("the secret {name} has no value"))?
            }
            .clone(),
        })
    }
}

fn create(beside: &Beside, names: &Names, disk: Option<&str>) -> Value {
    // In one order, so that the same definition is the same text.
    let labels: BTreeMap<_, _> = names.labels(beside.name).into_iter().collect();
    let mut body = json!({
        "Image": beside.image,
        "User": beside.user.to_string(),
        "Labels": labels,
        "HostConfig": limits(beside, names, disk),
        "NetworkingConfig": {
            "EndpointsConfig": { names.project.as_str(): { "Aliases": [beside.name] } },
        },
    });
    if !beside.command.is_empty() {
        body["Cmd"] = json!(beside.command);
    }
    if !beside.healthy.is_empty() {
        body["Healthcheck"] = healthcheck(beside);
    }
    body
}

/// The engine keeps it up: nobody else watches it.
fn limits(beside: &Beside, names: &Names, disk: Option<&str>) -> Value {
    let data = beside.data.as_ref().map(|data| data.path.as_str());
    let in_memory = data.filter(|_| disk.is_none());
    let writable = beside.writable.iter().copied().chain(in_memory);
    let writable: Vec<String> = writable.map(str::to_owned).collect();
    let mut host = host(&writable, beside.user, beside.resources);
    host["RestartPolicy"] = json!({ "Name": "unless-stopped" });
    host["NetworkMode"] = json!(names.project);
    if let Some((disk, path)) = disk.zip(data) {
        host["Mounts"] = json!([{ "Type": "volume", "Source": disk, "Target": path }]);
    }
    if let Some(gpus) = beside.gpus {
        host["DeviceRequests"] =
            json!([{ "Driver": "nvidia", "Count": gpus, "Capabilities": [["gpu"]] }]);
    }
    if let Some(bytes) = beside.shared_memory {
        host["ShmSize"] = json!(bytes);
    }
    host
}

fn healthcheck(beside: &Beside) -> Value {
    let command = beside.healthy.iter().map(String::as_str);
    let test: Vec<&str> = ["CMD"].into_iter().chain(command).collect();
    json!({
        "Test": test,
        "Interval": beside.every * NANOSECOND,
        "Timeout": CHECK_WITHIN.as_secs() * NANOSECOND,
        "Retries": 3,
        "StartPeriod": beside.startup * NANOSECOND,
    })
}
