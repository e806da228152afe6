//! What runs beside the agent, for every platform: services that are known by name, others, and
//! tools.
//!
//! Each runs as a user of its own, never root, on a read-only root: what it writes to is named.

mod command;
mod table;

use std::collections::BTreeMap;

use crate::spec::{Mode, Part, Preset, Quantity, Resources, Service, Spec, Template, Tool};
use command::{healthy, start};
use table::{Known, known};

/// One service or tool beside the agent: what agent.toml says, and else what its preset knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Beside<'a> {
    pub(crate) name: &'a str,
    pub(crate) image: String,
    pub(crate) port: u16,
    pub(crate) user: u32,
    /// Program and arguments; empty: the image's own.
    pub(crate) command: Vec<String>,
    pub(crate) env: BTreeMap<String, Template>,
    /// The variable that a name of `[secrets]` reaches it in.
    pub(crate) secret: Option<(&'static str, &'a str)>,
    /// A command that succeeds while it is well; empty: nothing is known but its port.
    pub(crate) healthy: Vec<String>,
    /// Seconds from one check to the next, and those that its start may take.
    pub(crate) every: u64,
    pub(crate) startup: u64,
    pub(crate) data: Option<Data<'a>>,
    pub(crate) writable: Vec<&'a str>,
    pub(crate) resources: &'a Resources,
    /// Graphics processors; a model has at least one.
    pub(crate) gpus: Option<u32>,
    /// Bytes of `/dev/shm`, where the usual 64 MiB are too few.
    pub(crate) shared_memory: Option<u64>,
}

/// Where its data lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data<'a> {
    pub(crate) path: String,
    /// The size of its disk; `None`: the data goes with it.
    pub(crate) size: Option<&'a Quantity>,
}

impl Beside<'_> {
    /// What a model is fetched into is worth keeping in any case.
    pub(crate) fn is_kept(&self) -> bool {
        self.has_disk() || self.gpus.is_some()
    }

    /// One of its own, which outlives it.
    pub(crate) fn has_disk(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.size.is_some())
    }
}

/// All that runs once beside the agent, in the order that it is started in: a tool may need a
/// service.
pub(crate) fn beside(spec: &Spec) -> Vec<Beside<'_>> {
    let services = spec.services.iter();
    let services = services.map(|(name, one)| service(name, one, spec));
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Service);
    services
        .chain(tools.map(|(name, one)| tool(name, one, spec)))
        .collect()
}

pub(super) fn service<'a>(name: &'a str, service: &'a Service, spec: &Spec) -> Beside<'a> {
    match service.preset {
        Some(preset) => preset_of(preset, name, service),
        None => own(name, service, spec.run.user),
    }
}

fn preset_of<'a>(preset: Preset, name: &'a str, service: &'a Service) -> Beside<'a> {
    let known = known(preset);
    let port = service.port.unwrap_or(known.port);
    let data = Data {
        path: service.data.clone().unwrap_or(known.data.to_owned()),
        size: service.storage.as_ref(),
    };
    Beside {
        name,
        image: service.image.clone().unwrap_or(known.image.to_owned()),
        port,
        user: service.user.unwrap_or(known.user),
        command: given(&service.command, || start(preset, service, port, &data)),
        env: env(known, service, port, &data),
        secret: service
            .secret
            .as_deref()
            .map(|secret| (known.secret, secret)),
        healthy: given(&service.healthy, || healthy(preset, port)),
        every: known.every,
        startup: known.startup,
        data: Some(data),
        writable: writable(known.writable, service),
        resources: &service.resources,
        gpus: known.shared_memory.map(|_| service.gpus.unwrap_or(1)),
        shared_memory: known.shared_memory,
    }
}

fn own<'a>(name: &'a str, service: &'a Service, user: u32) -> Beside<'a> {
    let data = service.data.clone().map(|path| Data {
        path,
        size: service.storage.as_ref(),
    });
    Beside {
        image: service.image.clone().unwrap_or_default(),
        port: service.port.unwrap_or_default(),
        user: service.user.unwrap_or(user),
        command: service.command.clone(),
        env: service.env.clone(),
        healthy: service.healthy.clone(),
        data,
        writable: writable(&["/tmp"], service),
        ..plain(name, &service.resources)
    }
}

/// A tool that runs as a service of its own.
pub(super) fn tool<'a>(name: &'a str, tool: &'a Tool, spec: &Spec) -> Beside<'a> {
    Beside {
        image: tool.image.clone(),
        port: tool.port,
        user: spec.run.user,
        command: tool.command.clone(),
        env: tool.env.clone(),
        ..plain(name, &tool.resources)
    }
}

/// What is the same for all that no preset is known of.
fn plain<'a>(name: &'a str, resources: &'a Resources) -> Beside<'a> {
    Beside {
        name,
        image: String::new(),
        port: 0,
        user: 0,
        command: Vec::new(),
        env: BTreeMap::new(),
        secret: None,
        healthy: Vec::new(),
        every: 10,
        startup: 300,
        data: None,
        writable: vec!["/tmp"],
        resources,
        gpus: None,
        shared_memory: None,
    }
}

/// Each place once: two mounts at one are an error everywhere.
fn writable<'a>(usual: &[&'a str], service: &'a Service) -> Vec<&'a str> {
    let own = service.writable.iter().map(String::as_str);
    let own = own.filter(|path| !usual.contains(path) && service.data.as_deref() != Some(*path));
    usual.iter().copied().chain(own).collect()
}

fn given(own: &[String], usual: impl Fn() -> Vec<String>) -> Vec<String> {
    match own {
        [] => usual(),
        own => own.to_vec(),
    }
}

fn env(known: &Known, service: &Service, port: u16, data: &Data) -> BTreeMap<String, Template> {
    let put = |text: &str| {
        text.replace("{data}", &data.path)
            .replace("{port}", &port.to_string())
    };
    let usual = known.env.iter();
    let mut env: BTreeMap<String, Template> = usual
        .map(|(name, text)| ((*name).to_owned(), Template(vec![Part::Text(put(text))])))
        .collect();
    env.extend(service.env.clone());
    env
}

#[cfg(test)]
mod tests;
