//! What a cluster would refuse, so that nobody finds out while applying.

use super::super::contract::{FOLDER, LOW_PORTS, NATIVE_SIDECARS, TIME_ZONES};
use super::super::show::key;
use super::super::{Kind, Mode, Otel, Router, Spec, TargetSpec, UTC};
use super::Check;

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    version(spec, check);
    volumes(spec, check);
    writable(spec, check);
    gpu(spec, check);
    services(spec, check);
    mesh(spec, check);
}

/// What Istio's proxy beside each replica listens on.
const PROXY: [u16; 9] = [
    15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090,
];

fn mesh(spec: &Spec, check: &mut Check<'_>) {
    let port = spec.run.port;
    if spec.network.router == Router::Istio && PROXY.contains(&port) {
        let message = format!("port {port} belongs to Istio's proxy beside each replica");
        check.refuse_with("run.port", message, "port = 8000");
    }
}

pub(super) fn target(spec: &Spec, target: &TargetSpec, check: &mut Check<'_>) {
    let TargetSpec::Kubernetes {
        namespace,
        create_namespace,
        ..
    } = target
    else {
        return;
    };
    if *create_namespace && namespace.is_none() {
        check.refuse_with(
            "target.kubernetes.create_namespace",
            "which namespace to make is not given",
            "namespace = \"agents\"",
        );
    }
    agent(spec, check);
    time_zone(spec, target.minor(), check);
    low_port(spec, target.minor(), check);
    sidecars(spec, target.minor(), check);
}

/// Its own Service would be that of another agent's release.
fn agent(spec: &Spec, check: &mut Check<'_>) {
    let name = spec.agent.name.as_str();
    if let Some((other, release)) = name.rsplit_once('-')
        && is_release(release)
    {
        let message =
            format!("in a cluster \"{name}\" is what {release} of an agent {other} is called");
        check.refuse_with("agent.name", message, "name = \"support-agent\"");
    }
}

/// The version is a label too.
fn version(spec: &Spec, check: &mut Check<'_>) {
    let fits = |version: &str| {
        version.len() <= 63 && version.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    if !spec.agent.version.as_deref().is_none_or(fits) {
        let message = "as a label of Kubernetes a version has at most 63 characters, with a letter or digit at the end";
        check.refuse("agent.version", message);
    }
}

fn volumes(spec: &Spec, check: &mut Check<'_>) {
    for (name, volume) in &spec.run.volumes {
        let path = format!("run.volumes.{}", key(name));
        let own =
            name.starts_with("agent-") || name.starts_with("writable-") || name.starts_with("tmp-");
        if own {
            let message =
                format!("\"{name}\" begins like the names that agentctl gives to its own volumes");
            check.refuse(&path, message);
        }
        if volume.size.milli() == 0 {
            check.refuse(&format!("{path}.size"), "a disk has a size above 0");
        }
        of_config(&volume.path, &format!("{path}.path"), check);
    }
}

fn writable(spec: &Spec, check: &mut Check<'_>) {
    for (at, path) in spec.run.writable.iter().enumerate() {
        of_config(path, &format!("run.writable.{at}"), check);
    }
}

fn of_config(path: &str, place: &str, check: &mut Check<'_>) {
    if std::path::Path::new(path).starts_with(FOLDER) {
        let message =
            format!("{FOLDER} is where the agent finds its config; nothing else can lie there");
        check.refuse(place, message);
    }
}

fn gpu(spec: &Spec, check: &mut Check<'_>) {
    let Some(gpu) = &spec.run.gpu else { return };
    if !gpu.kind.contains('/') {
        let message = format!("\"{}\" is no name that a cluster offers GPUs by", gpu.kind);
        check.refuse_with("run.gpu.kind", message, "kind = \"nvidia.com/gpu\"");
    }
    if gpu.memory.is_some() && !gpu.kind.starts_with("nvidia.com/") {
        let message = format!("nodes do not tell how much memory {} has", gpu.kind);
        check.refuse_with(
            "run.gpu.memory",
            message,
            "choose nodes by run.nodes.labels instead",
        );
    }
}

/// How Services of the agent end: of each replica, and of a controller that walks rollouts.
const TAKEN: [&str; 4] = ["replicas", "candidate", "primary", "canary"];

/// Each is a Service by its plain name, beside those of the agent.
fn services(spec: &Spec, check: &mut Check<'_>) {
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Service);
    let all = spec.services.keys().map(|name| ("services", name));
    for (section, name) in all.chain(tools.map(|(name, _)| ("tools", name))) {
        let suffix = name.strip_prefix(spec.agent.name.as_str());
        let suffix = suffix.and_then(|rest| rest.strip_prefix('-'));
        if suffix.is_some_and(|rest| TAKEN.contains(&rest) || is_release(rest)) {
            let message = format!("\"{name}\" is the name of a Service of the agent itself");
            check.refuse(&format!("{section}.{}", key(name)), message);
        }
    }
}

fn is_release(text: &str) -> bool {
    let number = text.strip_prefix('r').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// No replica runs as root.
fn low_port(spec: &Spec, minor: u32, check: &mut Check<'_>) {
    if spec.agent.kind.serves() && spec.run.port < 1024 && minor < LOW_PORTS {
        let message = format!("before 1.{LOW_PORTS} only root may listen on a port below 1024");
        check.refuse_with("run.port", message, "port = 8000");
    }
}

fn time_zone(spec: &Spec, minor: u32, check: &mut Check<'_>) {
    if spec.agent.kind == Kind::Cron && spec.agent.time_zone != UTC && minor < TIME_ZONES {
        check.refuse_with(
            "agent.time_zone",
            format!("a cluster before 1.{TIME_ZONES} knows no time zones"),
            "write the schedule in UTC",
        );
    }
}

/// Nothing would tell them that the work is done.
fn sidecars(spec: &Spec, minor: u32, check: &mut Check<'_>) {
    if !spec.agent.kind.ends() || minor >= NATIVE_SIDECARS {
        return;
    }
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Sidecar);
    let tools = tools.map(|(name, _)| format!("tools.{}", key(name)));
    let sidecars = spec.sidecars.keys();
    let sidecars = sidecars.map(|name| format!("sidecars.{}", key(name)));
    let collector = (spec.observe.otel == Otel::Sidecar).then(|| "observe.otel".to_owned());
    for path in tools.chain(sidecars).chain(collector) {
        check.refuse_with(
            &path,
            format!("before 1.{NATIVE_SIDECARS} what runs beside a job keeps it from ending"),
            "mode = \"service\" for a tool, the URL of a collector for otel",
        );
    }
}
