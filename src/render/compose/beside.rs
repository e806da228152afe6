//! What runs beside the agent: services, tools, sidecars, and who gives them their disks.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::container::{self, Container};
use super::secrets::{self, Reach};
use super::{agent, text};
use crate::render::Input;
use crate::render::filled::filled;
use crate::render::presets::{self, Beside};
use crate::spec::{Kind, Mode, Sidecar, Spec, Tool, contract};

const OWNER: &str = "busybox:1.37";

/// A container of the stack, and what it needs outside of itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) container: Container,
    pub(super) disks: Vec<Disk>,
    /// Names of secrets, with the files that they are read from.
    pub(super) secret_files: Vec<(String, String)>,
}

/// A named volume, and the user who writes to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Disk {
    pub(super) name: String,
    pub(super) user: u32,
}

impl Entry {
    pub(super) fn plain(name: String, container: Container) -> Self {
        Self {
            name,
            container,
            disks: Vec::new(),
            secret_files: Vec::new(),
        }
    }
}

pub(super) fn entries(input: &Input) -> Result<Vec<Entry>> {
    let spec = &input.spec;
    let services = spec.services.iter();
    let services =
        services.map(|(name, one)| service(presets::service(name, one, spec), spec, input));
    let tools = spec
        .tools
        .iter()
        .map(|(name, one)| tool(name, one, spec, input));
    let sidecars = spec
        .sidecars
        .iter()
        .map(|(name, one)| sidecar(name, one, spec));
    services.chain(tools).chain(sidecars).collect()
}

pub(super) fn tool(name: &str, tool: &Tool, spec: &Spec, input: &Input) -> Result<Entry> {
    if tool.mode == Mode::Service {
        return service(presets::tool(name, tool, spec), spec, input);
    }
    let container = Container {
        image: tool.image.clone(),
        command: text::literals(&tool.command),
        environment: filled(secrets::environment(&tool.env, spec)?),
        deploy: container::deploy(1, &tool.resources, None),
        ..shares(spec)
    };
    Ok(Entry::plain(name.to_owned(), container))
}

fn sidecar(name: &str, sidecar: &Sidecar, spec: &Spec) -> Result<Entry> {
    let volumes = sidecar.volumes.iter();
    let volumes: Vec<Value> = volumes
        .filter_map(|volume| agent::disk_mount(volume, spec))
        .collect();
    let container = Container {
        image: sidecar.image.clone(),
        command: text::literals(&sidecar.command),
        environment: filled(secrets::environment(&sidecar.env, spec)?),
        volumes: filled(volumes),
        deploy: container::deploy(1, &sidecar.resources, None),
        ..shares(spec)
    };
    Ok(Entry::plain(name.to_owned(), container))
}

/// As in a pod, the agent reaches it on localhost.
fn shares(spec: &Spec) -> Container {
    // Beside a job that has ended there is nothing to share.
    let restart = match spec.agent.kind {
        Kind::Job => "no",
        _ => container::ALWAYS,
    };
    Container {
        restart: Some(restart.to_owned()),
        user: container::user(spec.run.user),
        network: Some(format!("service:{}", spec.agent.name)),
        tmpfs: container::tmpfs(["/tmp"]),
        ..Container::default()
    }
}

pub(super) fn service(beside: Beside, spec: &Spec, input: &Input) -> Result<Entry> {
    let mut environment = secrets::environment(&beside.env, spec)?;
    let mut command = beside.command.clone();
    let mut healthy = beside.healthy.clone();
    let mut secret_files = Vec::new();
    if let Some((variable, name)) = beside.secret {
        match secrets::reach(name, spec)? {
            Reach::Variable(reference) => {
                drop(environment.insert(variable.into(), json!(reference)))
            }
            Reach::File => {
                command = reading(variable, name, command);
                healthy = reading(variable, name, healthy);
                secret_files.extend(secrets::file(name, spec));
            }
        }
    }
    let disk = disk(&beside);
    let container = Container {
        image: beside.image.clone(),
        command: text::literals(&command),
        environment: filled(environment),
        restart: Some(container::ALWAYS.to_owned()),
        user: container::user(beside.user),
        depends_on: disk.as_ref().map(|_| owned(input)),
        healthcheck: healthcheck(&healthy, &beside),
        tmpfs: in_memory(&beside),
        volumes: disk.as_ref().map(|disk| data_mount(disk, &beside)),
        secrets: mounted(&secret_files),
        shared_memory: beside.shared_memory,
        deploy: container::deploy(1, beside.resources, beside.gpus),
        ..Container::default()
    };
    Ok(Entry {
        name: beside.name.to_owned(),
        container,
        disks: disk.into_iter().collect(),
        secret_files,
    })
}

/// The same command, which finds the file's text in a variable.
fn reading(variable: &str, name: &str, command: Vec<String>) -> Vec<String> {
    if command.is_empty() {
        return command;
    }
    let place = secrets::place(name);
    let script = format!("{variable}=$(cat {place}) && export {variable} && exec \"$@\"");
    let shell = ["sh".to_owned(), "-c".to_owned(), script, "sh".to_owned()];
    shell.into_iter().chain(command).collect()
}

fn healthcheck(command: &[String], beside: &Beside) -> Option<Value> {
    let mut test = vec!["CMD".to_owned()];
    test.extend(text::literals(command)?);
    Some(json!({
        "test": test,
        "interval": format!("{}s", beside.every),
        "timeout": "10s",
        "retries": 3,
        "start_period": format!("{}s", beside.startup),
    }))
}

fn disk(beside: &Beside) -> Option<Disk> {
    beside.is_kept().then(|| Disk {
        name: format!("{}_data", beside.name),
        user: beside.user,
    })
}

fn data_mount(disk: &Disk, beside: &Beside) -> Vec<Value> {
    let data = beside.data.iter();
    data.map(|data| container::mount("volume", &disk.name, &data.path, false))
        .collect()
}

/// Data without a disk of its own goes with the container.
fn in_memory(beside: &Beside) -> Option<Vec<String>> {
    let data = beside.data.as_ref().filter(|_| !beside.is_kept());
    let data = data.map(|data| data.path.as_str());
    container::tmpfs(beside.writable.iter().copied().chain(data))
}

pub(super) fn mounted(files: &[(String, String)]) -> Option<Vec<Value>> {
    let names = files.iter().map(|(name, _)| json!(name));
    (!files.is_empty()).then(|| names.collect())
}

/// What the agent waits for.
pub(super) fn needed(spec: &Spec) -> Map<String, Value> {
    let services = spec.services.iter().map(|(name, one)| {
        let checked = !presets::service(name, one, spec).healthy.is_empty();
        let condition = if checked {
            condition("service_healthy")
        } else {
            started()
        };
        (name.clone(), condition)
    });
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Service);
    let tools = tools.map(|(name, _)| (name.clone(), started()));
    services.chain(tools).collect()
}

fn condition(condition: &str) -> Value {
    json!({ "condition": condition })
}

pub(super) fn started() -> Value {
    condition("service_started")
}

/// Whoever has a disk waits until it belongs to its user.
pub(super) fn owned(input: &Input) -> Map<String, Value> {
    let owner = agent::own_name(input, contract::DISKS);
    Map::from_iter([(owner, condition("service_completed_successfully"))])
}

/// A new volume belongs to root, and nobody else here is: one container gives each to its user.
pub(super) fn owner(entries: &[Entry], input: &Input) -> Option<Entry> {
    let disks: Vec<&Disk> = entries.iter().flat_map(|entry| &entry.disks).collect();
    let give = |disk: &&Disk| format!("chown {0}:{0} /disks/{1}", disk.user, disk.name);
    let script: Vec<String> = disks.iter().map(give).collect();
    let mount = |disk: &&Disk| {
        container::mount(
            "volume",
            &disk.name,
            &format!("/disks/{}", disk.name),
            false,
        )
    };
    let container = Container {
        image: OWNER.to_owned(),
        command: Some(vec!["sh".to_owned(), "-ec".to_owned(), script.join("\n")]),
        restart: Some("no".to_owned()),
        user: container::user(0),
        capabilities: Some(vec!["CHOWN"]),
        network: Some("none".to_owned()),
        volumes: Some(disks.iter().map(mount).collect()),
        ..Container::default()
    };
    (!disks.is_empty()).then(|| Entry::plain(agent::own_name(input, contract::DISKS), container))
}
