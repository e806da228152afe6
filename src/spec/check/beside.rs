use std::collections::BTreeMap;

use super::super::contract::{
    COLLECTOR, COLLECTOR_GRPC, COLLECTOR_HEALTH, COLLECTOR_HTTP, DISKS, FRONT, STACK_COLLECTOR,
};
use super::super::show::key;
use super::super::{Mode, Otel, Preset, Resources, Service, Spec};
use super::{Check, names_secret};

const COLLECTOR_PORTS: [u16; 3] = [COLLECTOR_GRPC, COLLECTOR_HTTP, COLLECTOR_HEALTH];

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    for (name, service) in &spec.services {
        self::service(&format!("services.{}", key(name)), service, spec, check);
    }
    for (name, tool) in &spec.tools {
        resources(
            &format!("tools.{}.resources", key(name)),
            &tool.resources,
            check,
        );
    }
    for (name, sidecar) in &spec.sidecars {
        let path = format!("sidecars.{}", key(name));
        resources(&format!("{path}.resources"), &sidecar.resources, check);
        for (at, volume) in sidecar.volumes.iter().enumerate() {
            if !spec.run.volumes.contains_key(volume) {
                let message = format!("there is no volume \"{volume}\" in run.volumes");
                check.refuse(&format!("{path}.volumes.{at}"), message);
            }
        }
    }
    commands(spec, check);
    names(spec, check);
    ports(spec, check);
}

/// Nothing is put into these: a secret's name would be all that arrives.
fn commands(spec: &Spec, check: &mut Check<'_>) {
    let services = spec.services.iter().flat_map(|(name, service)| {
        let own = |what| format!("services.{}.{what}", key(name));
        [
            (own("command"), &service.command),
            (own("healthy"), &service.healthy),
        ]
    });
    let tools = spec.tools.iter();
    let tools = tools.map(|(name, tool)| (format!("tools.{}.command", key(name)), &tool.command));
    let sidecars = spec.sidecars.iter();
    let sidecars =
        sidecars.map(|(name, one)| (format!("sidecars.{}.command", key(name)), &one.command));
    for (path, words) in services.chain(tools).chain(sidecars) {
        for (at, _) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| names_secret(word))
        {
            check.refuse_with(
                &format!("{path}.{at}"),
                "a secret must not stand in a command: any user of the machine could read it",
                "give it as a variable, under env, and let a shell in the image put it in",
            );
        }
    }
}

fn service(path: &str, service: &Service, spec: &Spec, check: &mut Check<'_>) {
    let own = |key: &str| format!("{path}.{key}");
    let serves_model = matches!(service.preset, Some(Preset::Vllm | Preset::Tgi));
    if service.preset.is_none() && service.image.is_none() {
        check.refuse_with(
            path,
            "a service needs a preset or an image",
            "preset = \"redis\"",
        );
    }
    if service.preset.is_none() && service.image.is_some() && service.port.is_none() {
        check.refuse_with(
            path,
            "a service with an image of its own needs a port",
            "port = 8080",
        );
    }
    if serves_model && service.model.is_none() {
        check.refuse_with(
            path,
            "the model to serve is missing",
            "model = \"team/name\"",
        );
    }
    for (key, given) in [
        ("model", service.model.is_some()),
        ("gpus", service.gpus.is_some()),
    ] {
        if given && !serves_model {
            check.refuse(
                &own(key),
                format!("{key} has a meaning for the presets vllm and tgi only"),
            );
        }
    }
    if service.preset.is_none() && service.storage.is_some() && service.data.is_none() {
        check.refuse_with(
            &own("storage"),
            "where its data lies is missing",
            "data = \"/data\"",
        );
    }
    password(path, service, check);
    if let Some(secret) = &service.secret {
        known_secret(&own("secret"), secret, spec, check);
    }
    resources(&own("resources"), &service.resources, check);
}

fn password(path: &str, service: &Service, check: &mut Check<'_>) {
    let told = |name: &String| {
        name.starts_with("POSTGRES_PASSWORD") || name == "POSTGRES_HOST_AUTH_METHOD"
    };
    match (service.preset, &service.secret) {
        (Some(Preset::Postgres), None) if !service.env.keys().any(told) => {
            let hint = "secret = \"DB_PASSWORD\", a name in [secrets]";
            check.refuse_with(path, "postgres does not start without a password", hint);
        }
        (None, Some(name)) => {
            let hint = format!("env = {{ NAME = \"${{secret:{name}}}\" }}");
            let message = "only a preset knows where its secret belongs";
            check.refuse_with(&format!("{path}.secret"), message, hint);
        }
        _ => {}
    }
}

pub(super) fn known_secret(path: &str, name: &str, spec: &Spec, check: &mut Check<'_>) {
    if !spec.secrets.contains_key(name) {
        let hint = format!("add {name} = {{ env = \"{name}\" }} under [secrets]");
        check.refuse_with(path, format!("there is no secret \"{name}\""), hint);
    }
}

/// What is set aside must not exceed what may be used.
pub(super) fn resources(path: &str, resources: &Resources, check: &mut Check<'_>) {
    let pairs = [
        ("cpu", &resources.cpu, &resources.cpu_limit),
        ("memory", &resources.memory, &resources.memory_limit),
    ];
    for (name, request, limit) in pairs {
        if let (Some(request), Some(limit)) = (request, limit)
            && request.milli() > limit.milli()
        {
            let message = format!("{name} sets {request} aside, more than {name}_limit, {limit}");
            check.refuse(&format!("{path}.{name}"), message);
        }
    }
}

/// Each is a name on the same network, or of a container in the same pod.
fn names(spec: &Spec, check: &mut Check<'_>) {
    let own = [FRONT, STACK_COLLECTOR, DISKS].map(|what| format!("{}-{what}", spec.agent.name));
    let of_a_stack = |name| {
        (
            name,
            "a container of the agent itself in Compose".to_owned(),
        )
    };
    let mut taken: BTreeMap<&str, String> =
        own.iter().map(String::as_str).map(of_a_stack).collect();
    taken.insert(&spec.agent.name, "agent.name".to_owned());
    if spec.observe.otel == Otel::Sidecar {
        taken.insert(COLLECTOR, "the collector beside it".to_owned());
    }
    let sections = [
        ("services", spec.services.keys().collect::<Vec<_>>()),
        ("tools", spec.tools.keys().collect()),
        ("sidecars", spec.sidecars.keys().collect()),
    ];
    for (section, names) in sections {
        for name in names {
            let path = format!("{section}.{}", key(name));
            match taken.get(name.as_str()) {
                Some(other) => {
                    let message = format!("\"{name}\" is the name of {other} too");
                    check.refuse_with(&path, message, "each needs a name of its own");
                }
                None => drop(taken.insert(name, path)),
            }
        }
    }
}

/// Containers of one replica share its ports.
fn ports(spec: &Spec, check: &mut Check<'_>) {
    let mut taken = BTreeMap::from([(spec.run.port, "run.port".to_owned())]);
    if spec.observe.otel == Otel::Sidecar {
        taken.extend(COLLECTOR_PORTS.map(|port| (port, "the collector beside it".to_owned())));
        if COLLECTOR_PORTS.contains(&spec.run.port) {
            let message = format!("port {} belongs to the collector beside it", spec.run.port);
            check.refuse_with("run.port", message, "port = 8000");
        }
    }
    let sidecars = spec
        .tools
        .iter()
        .filter(|(_, tool)| tool.mode == Mode::Sidecar);
    for (name, tool) in sidecars {
        let path = format!("tools.{}.port", key(name));
        match taken.get(&tool.port) {
            Some(other) => {
                let message = format!("port {} is taken by {other}", tool.port);
                check.refuse_with(&path, message, "sidecars share the ports of their replica");
            }
            None => drop(taken.insert(tool.port, path)),
        }
    }
}
