//! What is known of each preset.

use crate::spec::Preset;

/// A row of the table.
pub(super) struct Known {
    pub(super) image: &'static str,
    pub(super) port: u16,
    pub(super) user: u32,
    pub(super) data: &'static str,
    pub(super) writable: &'static [&'static str],
    pub(super) secret: &'static str,
    /// `{data}` and `{port}` are put in.
    pub(super) env: &'static [(&'static str, &'static str)],
    pub(super) every: u64,
    pub(super) startup: u64,
    pub(super) shared_memory: Option<u64>,
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

pub(super) fn known(preset: Preset) -> &'static Known {
    match preset {
        Preset::Redis => &REDIS,
        Preset::Postgres => &POSTGRES,
        Preset::Qdrant => &QDRANT,
        Preset::Rabbitmq => &RABBITMQ,
        Preset::Vllm => &VLLM,
        Preset::Tgi => &TGI,
    }
}
