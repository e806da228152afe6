//! Services that are known by name, and what runs each: one table for every platform.
//!
//! Each runs as a user of its own, never root, on a read-only root: what it writes to is named.

use std::collections::BTreeMap;

use crate::spec::{Part, Preset, Quantity, Resources, Service, Spec, Template, Tool};

/// One service or tool beside the agent: what agent.toml says, and else what its preset knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beside<'a> {
    pub(super) name: &'a str,
    pub(super) image: String,
    pub(super) port: u16,
    pub(super) user: u32,
    /// Program and arguments; empty: the image's own.
    pub(super) command: Vec<String>,
    pub(super) env: BTreeMap<String, Template>,
    /// The variable that a name of `[secrets]` reaches it in.
    pub(super) secret: Option<(&'static str, &'a str)>,
    /// A command that succeeds while it is well; empty: nothing is known but its port.
    pub(super) healthy: Vec<String>,
    /// Seconds from one check to the next, and those that its start may take.
    pub(super) every: u64,
    pub(super) startup: u64,
    pub(super) data: Option<Data<'a>>,
    pub(super) writable: Vec<&'a str>,
    pub(super) resources: &'a Resources,
    /// Graphics processors; a model has at least one.
    pub(super) gpus: Option<u32>,
    /// Bytes of `/dev/shm`, where the usual 64 MiB are too few.
    pub(super) shared_memory: Option<u64>,
}

/// Where its data lies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Data<'a> {
    pub(super) path: String,
    /// The size of its disk; `None`: the data goes with it.
    pub(super) size: Option<&'a Quantity>,
}

/// A row of the table.
struct Known {
    image: &'static str,
    port: u16,
    user: u32,
    data: &'static str,
    writable: &'static [&'static str],
    secret: &'static str,
    /// `{data}` and `{port}` are put in.
    env: &'static [(&'static str, &'static str)],
    every: u64,
    startup: u64,
    shared_memory: Option<u64>,
}

const REDIS: Known = Known {
    image: "redis:8.8",
    port: 6379,
    user: 999,
    data: "/data",
    writable: &["/tmp"],
    // What redis-cli reads too, so that the health check gets in.
    secret: "REDISCLI_AUTH",
    env: &[],
    every: 5,
    startup: 300,
    shared_memory: None,
};

const POSTGRES: Known = Known {
    image: "postgres:18.6",
    port: 5432,
    user: 999,
    data: "/var/lib/postgresql",
    writable: &["/tmp", "/var/run/postgresql"],
    secret: "POSTGRES_PASSWORD",
    // A folder of its own: what makes a disk may leave something at its top.
    env: &[("PGDATA", "{data}/pgdata"), ("PGPORT", "{port}")],
    every: 5,
    startup: 300,
    shared_memory: None,
};

const QDRANT: Known = Known {
    image: "qdrant/qdrant:v1.18.2-unprivileged",
    port: 6333,
    user: 1000,
    data: "/qdrant/storage",
    writable: &["/tmp"],
    secret: "QDRANT__SERVICE__API_KEY",
    env: &[
        ("QDRANT_INIT_FILE_PATH", "/tmp/initialized"),
        ("QDRANT__SERVICE__HTTP_PORT", "{port}"),
        ("QDRANT__STORAGE__SNAPSHOTS_PATH", "{data}/snapshots"),
        ("QDRANT__STORAGE__STORAGE_PATH", "{data}"),
    ],
    every: 5,
    startup: 300,
    shared_memory: None,
};

const RABBITMQ: Known = Known {
    image: "rabbitmq:4.3.6",
    port: 5672,
    user: 999,
    data: "/var/lib/rabbitmq",
    writable: &["/tmp", "/var/log/rabbitmq"],
    secret: "RABBITMQ_DEFAULT_PASS",
    env: &[
        ("HOME", "{data}"),
        ("RABBITMQ_MNESIA_BASE", "{data}/mnesia"),
        // Data belongs to a node by its name, and a container's own name changes.
        ("RABBITMQ_NODENAME", "rabbit@localhost"),
        ("RABBITMQ_NODE_PORT", "{port}"),
    ],
    // Each check starts a virtual machine.
    every: 15,
    startup: 300,
    shared_memory: None,
};

const VLLM: Known = Known {
    image: "vllm/vllm-openai:v0.33.0",
    port: 8000,
    user: 2000,
    data: "/cache",
    writable: &["/tmp"],
    secret: "HF_TOKEN",
    // Libraries ask for the name of the user, whom the image may not know.
    env: &[("HOME", "{data}"), ("USER", "vllm")],
    every: 10,
    startup: 3600,
    shared_memory: Some(2 << 30),
};

const TGI: Known = Known {
    // The last whose files a user other than root can read.
    image: "ghcr.io/huggingface/text-generation-inference:3.0.1",
    port: 8080,
    user: 2000,
    data: "/data",
    writable: &["/tmp"],
    secret: "HF_TOKEN",
    env: &[
        ("HOME", "{data}"),
        ("HUGGINGFACE_HUB_CACHE", "{data}"),
        ("USER", "tgi"),
    ],
    every: 10,
    startup: 3600,
    shared_memory: Some(2 << 30),
};

fn known(preset: Preset) -> &'static Known {
    match preset {
        Preset::Redis => &REDIS,
        Preset::Postgres => &POSTGRES,
        Preset::Qdrant => &QDRANT,
        Preset::Rabbitmq => &RABBITMQ,
        Preset::Vllm => &VLLM,
        Preset::Tgi => &TGI,
    }
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

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The whole command, whatever the image would start by itself.
fn start(preset: Preset, service: &Service, port: u16, data: &Data) -> Vec<String> {
    match preset {
        Preset::Redis => redis(service, port, data),
        Preset::Postgres => words(&["docker-entrypoint.sh", "postgres"]),
        Preset::Qdrant => words(&["/qdrant/entrypoint.sh"]),
        Preset::Rabbitmq => words(&["docker-entrypoint.sh", "rabbitmq-server"]),
        Preset::Vllm => model(&["vllm", "serve"], "--tensor-parallel-size", service, port),
        Preset::Tgi => model(&["text-generation-launcher"], "--num-shard", service, port),
    }
}

fn redis(service: &Service, port: u16, data: &Data) -> Vec<String> {
    let port = port.to_string();
    let keep = if data.size.is_some() { "yes" } else { "no" };
    let options = words(&[
        "--port",
        &port,
        "--dir",
        &data.path,
        "--appendonly",
        keep,
        "--protected-mode",
        "no",
    ]);
    match service.secret {
        None => [words(&["redis-server"]), options].concat(),
        Some(_) => [words(&["sh", "-c", REDIS_START, "redis"]), options].concat(),
    }
}

/// The password goes in by stdin: whoever may list processes reads their arguments.
const REDIS_START: &str = r#"password=$(printf %s "$REDISCLI_AUTH" | sed 's/[\\"]/\\&/g')
exec redis-server - "$@" <<END
requirepass "$password"
END"#;

fn model(program: &[&str], spread: &str, service: &Service, port: u16) -> Vec<String> {
    let model = service.model.clone().unwrap_or_default();
    let named = match program {
        // Its first argument; it has given up the flag for it.
        ["vllm", ..] => vec![model, "--host".to_owned()],
        _ => vec!["--model-id".to_owned(), model, "--hostname".to_owned()],
    };
    let gpus = service.gpus.unwrap_or(1).to_string();
    let port = port.to_string();
    let rest = words(&["0.0.0.0", "--port", &port, spread, &gpus]);
    [words(program), named, rest].concat()
}

fn healthy(preset: Preset, port: u16) -> Vec<String> {
    let port = port.to_string();
    match preset {
        Preset::Redis => {
            let ask = format!("redis-cli -p {port} ping | grep -q PONG");
            words(&["sh", "-c", &ask])
        }
        // Over TCP, since while it sets itself up it answers on its socket alone.
        Preset::Postgres => words(&["pg_isready", "-q", "-h", "127.0.0.1", "-p", &port]),
        Preset::Rabbitmq => words(&["rabbitmq-diagnostics", "-q", "check_running"]),
        Preset::Qdrant => {
            let ask = format!(
                "exec 3<>/dev/tcp/127.0.0.1/{port} && \
                 printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && \
                 read -r line <&3 && [[ $line == *' 200 '* ]]"
            );
            words(&["bash", "-c", &ask])
        }
        Preset::Vllm | Preset::Tgi => {
            let ask =
                format!("import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/health')");
            words(&["python3", "-c", &ask])
        }
    }
}

#[cfg(test)]
mod tests;
