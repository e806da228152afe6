//! The agent itself, the address in front of its replicas, and the collector of what it tells.

use std::path::{Component, Path};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::beside::{self, Disk, Entry};
use super::container::{self, Container};
use super::{collector, secrets, text};
use crate::release::Identity;
use crate::render::filled::filled;
use crate::render::{self, Engine, Files, Input, Templates};
use crate::spec::contract;
use crate::spec::{Build, Kind, Runtime, Spec};

const FRONT: &str = "nginx:1.30";

pub(super) fn entries(input: &Input) -> Result<Vec<Entry>> {
    let mut entries = vec![agent(input)?];
    entries.extend(has_front(input).then(|| front(input)));
    entries.extend(collector::entry(input));
    Ok(entries)
}

/// Of a container that agent.toml does not name.
pub(super) fn own_name(input: &Input, what: &str) -> String {
    format!("{}-{what}", input.spec.agent.name)
}

/// One host has one replica of a daemon.
pub(super) fn replicas(spec: &Spec) -> u32 {
    match spec.agent.kind {
        Kind::Daemon => 1,
        _ => spec.run.replicas,
    }
}

/// Only one container can have a port of the machine.
pub(super) fn has_front(input: &Input) -> bool {
    input.spec.agent.kind.is_called() && replicas(&input.spec) > 1
}

fn agent(input: &Input) -> Result<Entry> {
    let spec = &input.spec;
    let run = &spec.run;
    let gpus = run.gpu.as_ref().map(|gpu| gpu.count);
    let files = spec.secrets.keys();
    let secret_files: Vec<_> = files.filter_map(|name| secrets::file(name, spec)).collect();
    let container = Container {
        image: input.image.clone(),
        build: build(input)?,
        command: command(input)?,
        environment: Some(environment(input)?),
        labels: Some(labels(input)),
        restart: Some(container::restart(spec.agent.kind, run.retries)),
        user: container::user(run.user),
        ports: (spec.agent.kind.is_called() && !has_front(input)).then(|| published(run.port)),
        depends_on: filled(depends_on(input)),
        healthcheck: healthcheck(spec),
        tmpfs: container::tmpfs(run.writable.iter().map(String::as_str)),
        volumes: Some(mounts(input)),
        secrets: beside::mounted(&secret_files),
        deploy: container::deploy(replicas(spec), &run.resources, gpus),
        grace: Some(spec.drain.grace.in_one_unit()),
        ..Container::default()
    };
    Ok(Entry {
        name: spec.agent.name.clone(),
        container,
        disks: disks(spec),
        secret_files,
    })
}

fn published(port: u16) -> Vec<Value> {
    vec![json!({ "target": port, "published": port })]
}

fn command(input: &Input) -> Result<Option<Vec<String>>> {
    let words = input.spec.container_command().iter();
    let words = words.map(|word| secrets::filled_in(word, &input.spec));
    Ok(filled(words.collect::<Result<Vec<_>>>()?))
}

fn environment(input: &Input) -> Result<Map<String, Value>> {
    let spec = &input.spec;
    let mut all = told(input);
    for name in spec.secrets.keys() {
        match secrets::reach(name, spec)? {
            secrets::Reach::Variable(reference) => all.insert(name.clone(), json!(reference)),
            secrets::Reach::File => all.insert(format!("{name}_FILE"), json!(secrets::place(name))),
        };
    }
    let mut own = spec.run.env.clone();
    // A secret is told already.
    own.retain(|name, _| !spec.secrets.contains_key(name));
    all.extend(secrets::environment(&own, spec)?);
    Ok(all)
}

fn told(input: &Input) -> Map<String, Value> {
    let spec = &input.spec;
    let release = input.release.map(|release| release.to_string());
    let prompts = (!input.prompts.is_empty()).then(|| contract::PROMPTS.to_owned());
    // Several are alike: none of them knows which one it is.
    let replica = (replicas(spec) == 1).then(|| "1".to_owned());
    let all = [
        ("PORT", Some(spec.run.port.to_string())),
        ("AGENT_NAME", Some(spec.agent.name.clone())),
        ("AGENT_RELEASE", release),
        ("AGENT_REPLICA", replica),
        ("AGENT_CONFIG", Some(contract::CONFIG.to_owned())),
        ("AGENT_PROMPTS", prompts),
    ];
    let all = all.into_iter();
    let telemetry = collector::told(input).into_iter();
    all.chain(telemetry.map(|(name, value)| (name, Some(value))))
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect()
}

/// A changed configuration is another label: without it Compose would leave the old one running.
fn labels(input: &Input) -> Map<String, Value> {
    let config = json!([input.spec.config, input.prompts]).to_string();
    let hash = Identity::of(config.as_bytes());
    let own = input.spec.agent.labels.iter();
    let mut labels: Map<String, Value> = own
        .map(|(name, value)| (name.clone(), json!(text::literal(value))))
        .collect();
    labels.insert("agentctl.dev/config".to_owned(), json!(hash.short()));
    labels
}

fn depends_on(input: &Input) -> Map<String, Value> {
    let spec = &input.spec;
    let mut all = beside::needed(spec);
    all.extend(collector::entry(input).map(|entry| (entry.name, beside::started())));
    if !spec.run.volumes.is_empty() {
        all.extend(beside::owned(input));
    }
    all
}

/// The image says how it is asked; here stands how often.
fn healthcheck(spec: &Spec) -> Option<Value> {
    let health = &spec.health;
    spec.agent.kind.serves().then(|| {
        json!({
            "interval": health.every.in_one_unit(),
            "timeout": health.timeout.in_one_unit(),
            "retries": health.failures,
            "start_period": health.startup.within.in_one_unit(),
        })
    })
}

fn mounts(input: &Input) -> Vec<Value> {
    let config = container::mount("bind", "./config.json", contract::CONFIG, true);
    let mut mounts = vec![config];
    if !input.prompts.is_empty() {
        let prompts = container::mount("bind", "./prompts", contract::PROMPTS, true);
        mounts.push(prompts);
    }
    let volumes = input.spec.run.volumes.keys();
    mounts.extend(volumes.filter_map(|name| disk_mount(name, &input.spec)));
    mounts
}

/// A disk of the agent at its path; sidecars see it at the same one.
pub(super) fn disk_mount(name: &str, spec: &Spec) -> Option<Value> {
    let volume = spec.run.volumes.get(name)?;
    let source = disk(name, spec);
    Some(container::mount("volume", &source, &volume.path, false))
}

/// No service has an underscore in its name, so that no two disks have the same.
fn disk(name: &str, spec: &Spec) -> String {
    format!("{}_{name}", spec.agent.name)
}

fn disks(spec: &Spec) -> Vec<Disk> {
    let names = spec.run.volumes.keys();
    let disk = |name: &String| Disk {
        name: disk(name, spec),
        user: spec.run.user,
    };
    names.map(disk).collect()
}

/// How the image is made, unless it is there or has a Dockerfile of its own.
pub(super) fn image(input: &Input, templates: &Templates) -> Result<Files> {
    if built(input).is_none_or(|build| build.runtime == Runtime::Dockerfile) {
        return Ok(Files::default());
    }
    let files = render::dockerfile(input, templates, Engine::BuildKit)?;
    Ok(render::apart_from_context(files))
}

fn built(input: &Input) -> Option<&Build> {
    let build = input.spec.build.as_ref();
    build.filter(|_| !input.stack.is_ready)
}

fn build(input: &Input) -> Result<Option<Value>> {
    let Some(build) = built(input) else {
        return Ok(None);
    };
    let args = secrets::environment(&build.args, &input.spec)?;
    let mut section = json!({
        "context": text::literal(&from_here(&build.context, input)),
        "dockerfile": text::literal(&dockerfile(build, input)),
    });
    if !args.is_empty() {
        section["args"] = json!(args);
    }
    Ok(Some(section))
}

/// Seen from the folder that is built from: one's own in it, or the one beside compose.yaml.
fn dockerfile(build: &Build, input: &Input) -> String {
    if build.runtime == Runtime::Dockerfile {
        return build.dockerfile.clone();
    }
    let inside = Path::new(&build.context).components();
    let deep = inside.filter(|part| matches!(part, Component::Normal(_)));
    let mut parts: Vec<&str> = deep.map(|_| "..").collect();
    parts.extend(Some(input.stack.back.as_str()).filter(|back| !matches!(*back, "" | ".")));
    parts.push("Dockerfile");
    parts.join("/")
}

/// A path that agent.toml means from its own folder, as compose.yaml means it.
pub(super) fn from_here(path: &str, input: &Input) -> String {
    let home = match input.stack.home.as_str() {
        "" => ".",
        home => home,
    };
    let path = path.trim_end_matches('/');
    match path.trim_start_matches("./") {
        _ if path.starts_with('/') => path.to_owned(),
        "" | "." => home.to_owned(),
        path => format!("{home}/{path}"),
    }
}

fn front(input: &Input) -> Entry {
    let agent = &input.spec.agent.name;
    let container = Container {
        image: FRONT.to_owned(),
        command: Some(
            ["nginx", "-c", "/etc/nginx/front.conf", "-g", "daemon off;"]
                .map(str::to_owned)
                .to_vec(),
        ),
        restart: Some(container::ALWAYS.to_owned()),
        user: container::user(101),
        ports: Some(published(input.spec.run.port)),
        depends_on: Some(Map::from_iter([(agent.clone(), beside::started())])),
        tmpfs: container::tmpfs(["/tmp"]),
        configs: Some(vec![
            json!({ "source": "front", "target": "/etc/nginx/front.conf" }),
        ]),
        ..Container::default()
    };
    Entry::plain(own_name(input, contract::FRONT), container)
}
