//! A release in the edge's words: what the engine is asked for when a replica is made.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::names::{Names, RELEASE};
use crate::edge::api::{Container, Piece, Place, Recipe, Sidecar};
use crate::edge::containers::SECRETS;
use crate::release::{Image, Release};
use crate::spec::{Health, Quantity, Resources, SecretSource, Template, contract};
use crate::target::orders;

/// What one replica may log, in all.
const LOG_FILE: &str = "10m";
const LOG_FILES: &str = "3";
/// A program that starts others without end must not take the machine's.
const PROCESSES: u32 = 4096;

/// On 127.0.0.1 nobody outside of its container reaches an agent.
const EVERYWHERE: &str = "0.0.0.0";

pub(super) fn recipe(release: &Release, image: &Image, names: &Names) -> Result<Recipe> {
    let contents = &release.contents;
    Ok(Recipe {
        place: Place::Container(Box::new(container(release, image, names)?)),
        command: orders::command(contents)?,
        env: environment(release, image, &names.agent)?,
        health: orders::health(contents),
        drain: orders::drain(&contents.drain),
    })
}

fn container(release: &Release, image: &Image, names: &Names) -> Result<Container> {
    let contents = &release.contents;
    let secrets = contents.secrets.iter();
    let files = secrets.filter(|(_, source)| is_file(source));
    Ok(Container {
        prefix: names.project.clone(),
        port: image.port,
        create: create(release, image, names),
        secret_files: files.map(|(name, _)| name.clone()).collect(),
        sidecars: sidecars(release, image, names)?,
    })
}

fn create(release: &Release, image: &Image, names: &Names) -> Value {
    let contents = &release.contents;
    let mut labels = labels(release, names, &release.id.to_string());
    labels.extend(
        image
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), json!(value))),
    );
    let mut host = host(&image.writable, image.user, &image.resources);
    host["NetworkMode"] = json!(names.project);
    host["Mounts"] = json!([
        mount(&names.volume("config"), contract::FOLDER),
        mount(&names.volume("secrets"), SECRETS),
    ]);
    if let Some(gpu) = &image.gpu {
        host["DeviceRequests"] = json!([
            { "Driver": "nvidia", "Count": gpu.count, "Capabilities": [["gpu"]] }
        ]);
    }
    json!({
        "Image": image.name,
        "User": image.user.to_string(),
        "Labels": labels,
        "Healthcheck": healthcheck(&contents.health),
        "StopTimeout": contents.drain.grace.as_millis().div_ceil(1000),
        "HostConfig": host,
        "NetworkingConfig": { "EndpointsConfig": { names.project.as_str(): {} } },
    })
}

fn labels(release: &Release, names: &Names, service: &str) -> Map<String, Value> {
    let common = names.of_container(service, &release.identity).into_iter();
    let own = (RELEASE.to_owned(), release.id.to_string());
    common
        .chain([own])
        .map(|(name, value)| (name, json!(value)))
        .collect()
}

/// What every container of ours may do, which is little. The edge starts replicas again, so that
/// it knows how often, and waits longer each time.
pub(super) fn host(writable: &[String], user: u32, resources: &Resources) -> Value {
    // runc before 1.1.8 gives a folder that is there already its own mode again, so it has to be
    // the user's.
    let options = format!("rw,exec,mode=1777,uid={user},gid={user}");
    let folders = writable.iter().map(|path| (path.clone(), json!(options)));
    let mut host = json!({
        "RestartPolicy": { "Name": "no" },
        "ReadonlyRootfs": true,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": PROCESSES,
        "Tmpfs": folders.collect::<Map<_, _>>(),
        "LogConfig": {
            "Type": "json-file",
            "Config": { "max-size": LOG_FILE, "max-file": LOG_FILES },
        },
    });
    // Memory has a limit in any case where some is asked for, as in a cluster.
    let memory = resources
        .memory_limit
        .as_ref()
        .or(resources.memory.as_ref());
    if let Some(memory) = memory {
        host["Memory"] = json!(bytes(memory));
        host["MemorySwap"] = json!(bytes(memory));
    }
    if let Some(memory) = &resources.memory {
        host["MemoryReservation"] = json!(bytes(memory));
    }
    if let Some(cpu) = &resources.cpu_limit {
        host["NanoCpus"] = json!(thousandths(cpu).saturating_mul(1_000_000));
    }
    if let Some(cpu) = &resources.cpu {
        host["CpuShares"] = json!((thousandths(cpu).saturating_mul(1024) / 1000).max(2));
    }
    host
}

pub(super) fn mount(volume: &str, target: &str) -> Value {
    json!({ "Type": "volume", "Source": volume, "Target": target, "ReadOnly": true })
}

/// The image says how it is asked; here stands how often, in nanoseconds.
fn healthcheck(health: &Health) -> Value {
    let nanos = |millis: u64| millis.saturating_mul(1_000_000);
    json!({
        "Interval": nanos(health.every.as_millis()),
        "Timeout": nanos(health.timeout.as_millis()),
        "Retries": health.failures,
        "StartPeriod": nanos(health.startup.within.as_millis()),
    })
}

fn sidecars(release: &Release, image: &Image, names: &Names) -> Result<BTreeMap<String, Sidecar>> {
    let tools = image
        .tools
        .iter()
        .map(|(name, tool)| (name, &tool.image, &tool.command, &tool.env, &tool.resources));
    let others = image.sidecars.iter().map(|(name, other)| {
        (
            name,
            &other.image,
            &other.command,
            &other.env,
            &other.resources,
        )
    });
    tools
        .chain(others)
        .map(|(name, of, command, env, resources)| {
            let create = beside(release, image, names, (name, of, command, resources));
            let env = orders::variables(env)?;
            Ok((name.clone(), Sidecar { create, env }))
        })
        .collect()
}

fn beside(
    release: &Release,
    image: &Image,
    names: &Names,
    (name, of, command, resources): (&str, &str, &[String], &Resources),
) -> Value {
    let host = host(&["/tmp".to_owned()], image.user, resources);
    let mut body = json!({
        "Image": of,
        "User": image.user.to_string(),
        "Labels": labels(release, names, name),
        "HostConfig": host,
    });
    if !command.is_empty() {
        body["Cmd"] = json!(command);
    }
    body
}

fn environment(
    release: &Release,
    image: &Image,
    agent: &str,
) -> Result<BTreeMap<String, Vec<Piece>>> {
    let contents = &release.contents;
    let mut env = told(release, image, agent);
    for (name, source) in &contents.secrets {
        match is_file(source) {
            true => {
                let place = Path::new(SECRETS).join(name).display().to_string();
                env.insert(format!("{name}_FILE"), vec![Piece::Text(place)]);
            }
            false => drop(env.insert(name.clone(), vec![Piece::Secret(name.clone())])),
        }
    }
    let own: BTreeMap<String, Template> = contents.env.clone();
    env.extend(orders::variables(&own)?);
    Ok(env)
}

/// A secret that is read from a file reaches the agent as one.
fn is_file(source: &SecretSource) -> bool {
    matches!(source, SecretSource::File(_))
}

/// What every agent is told about itself.
fn told(release: &Release, image: &Image, agent: &str) -> BTreeMap<String, Vec<Piece>> {
    let folder = Path::new(contract::FOLDER).join(release.id.to_string());
    let config = folder.join("config.json").display().to_string();
    let prompts = folder.join("prompts").display().to_string();
    let prompts = (!image.prompts.is_empty()).then_some(prompts);
    let told = [
        ("AGENT_NAME", Some(agent.to_owned())),
        ("AGENT_RELEASE", Some(release.id.to_string())),
        ("AGENT_CONFIG", Some(config)),
        ("AGENT_PROMPTS", prompts),
        ("HOST", Some(EVERYWHERE.to_owned())),
    ];
    told.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), vec![Piece::Text(value?)])))
        .collect()
}

pub(super) fn bytes(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.milli().div_ceil(1000)).unwrap_or(u64::MAX)
}

pub(super) fn thousandths(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.milli()).unwrap_or(u64::MAX).max(1)
}
