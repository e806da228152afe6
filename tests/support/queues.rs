//! Queues that work waits in: Debian's Redis and RabbitMQ, each on ports and in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Place, engine, eventually, free_port};

pub(crate) const PASSWORD: &str = "a-long-word-for-jobs";

/// With one password and nothing else.
pub(crate) struct Redis {
    pub(crate) port: u16,
    process: Child,
    _dir: tempfile::TempDir,
}

/// Whether there is one; where not, the test is said to be skipped and has to end.
pub(crate) fn there_is_a_redis() -> bool {
    is_there("redis-server").is_some()
}

impl Redis {
    /// `None` where there is none to be had.
    pub(crate) fn start() -> Option<Self> {
        is_there("redis-server")?;
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let redis = Self {
            port,
            process: Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--requirepass", PASSWORD, "--dir"])
                .arg(dir.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
            _dir: dir,
        };
        eventually("Redis", || redis.say(&["PING"]) == "PONG");
        Some(redis)
    }

    /// What it answers.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        let said = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(words)
            .env("REDISCLI_AUTH", PASSWORD)
            .output()
            .unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    }

    /// So many entries wait in the list `jobs`.
    pub(crate) fn holds(&self, entries: u32) {
        self.say(&["DEL", "jobs"]);
        let entries: Vec<String> = (0..entries).map(|at| at.to_string()).collect();
        if !entries.is_empty() {
            let words = ["RPUSH", "jobs"].into_iter();
            let words: Vec<&str> = words.chain(entries.iter().map(String::as_str)).collect();
            self.say(&words);
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// With its management plugin, and the login that it begins with.
pub(crate) struct Rabbit {
    /// Of the management plugin.
    pub(crate) port: u16,
    epmd: u16,
    process: Child,
    dir: tempfile::TempDir,
}

impl Rabbit {
    /// `None` where there is none to be had.
    pub(crate) fn start() -> Option<Self> {
        let server = "/usr/lib/rabbitmq/bin/rabbitmq-server";
        is_there(server)?;
        let dir = tempfile::tempdir().unwrap();
        let [port, amqp, epmd, nodes] = std::array::from_fn(|_| free_port());
        fs::write(dir.path().join("plugins"), "[rabbitmq_management].").unwrap();
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nmanagement.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {port}\ncollect_statistics_interval = 500\n"
        );
        fs::write(dir.path().join("rabbit.conf"), config).unwrap();
        let at = |name: &str| dir.path().join(name);
        let process = Command::new(server)
            .env("HOME", dir.path())
            .env("ERL_EPMD_PORT", epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", "jobs@localhost")
            .env("RABBITMQ_DIST_PORT", nodes.to_string())
            .env("RABBITMQ_MNESIA_BASE", at("data"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
            .env("RABBITMQ_CONFIG_FILE", at("rabbit.conf"))
            .env("RABBITMQ_PID_FILE", at("pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rabbit = Self {
            port,
            epmd,
            process,
            dir,
        };
        eventually("RabbitMQ", || rabbit.call("GET", "overview", "").is_some());
        Some(rabbit)
    }

    /// Asks the management plugin; `None` if it refuses or is not there.
    pub(crate) fn call(&self, verb: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}/api/{path}", self.port);
        let said = Command::new("curl")
            .args(["-sf", "-u", "guest:guest", "-X", verb, "-d", body, &url])
            .output()
            .unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        said.status.success().then_some(text)
    }

    /// So many messages more wait in the queue `jobs`.
    pub(crate) fn publish(&self, messages: u32) {
        self.call("PUT", "queues/%2F/jobs", "{}").unwrap();
        let body =
            r#"{"properties":{},"routing_key":"jobs","payload":"x","payload_encoding":"string"}"#;
        for _ in 0..messages {
            self.call("POST", "exchanges/%2F/amq.default/publish", body)
                .unwrap();
        }
        let counted = format!("\"messages\":{messages},");
        eventually("the messages are counted", || {
            let queue = self.call("GET", "queues/%2F/jobs", "");
            queue.is_some_and(|queue| queue.contains(&counted))
        });
    }
}

impl Drop for Rabbit {
    /// The script is the parent of what its file names.
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.dir.path().join("pid"));
        if let Some(pid) = pid.ok().and_then(|pid| pid.trim().parse().ok()) {
            super::kill(pid);
        }
        let _ = self.process.wait();
        // The daemon that finds nodes stays until it knows of none.
        let port = self.epmd.to_string();
        eventually("epmd ended", || {
            let ended = Command::new("epmd")
                .args(["-port", &port, "-kill"])
                .output();
            !ended.is_ok_and(|ended| String::from_utf8_lossy(&ended.stdout).contains("living"))
        });
    }
}

pub(crate) fn is_there(program: &str) -> Option<()> {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .output();
    let there = found.unwrap().status.success();
    if !there {
        engine::skipped(&format!("there is no {}", Path::new(program).display()));
    }
    there.then_some(())
}

/// An agent whose replicas follow the list `jobs`, ten entries each.
pub(crate) fn follower(redis: &Redis, more: &str) -> Place {
    let place = Place::empty();
    let agent = super::repository().join("tests/agents/agent.py");
    fs::copy(agent, place.path("agent.py")).unwrap();
    place.write("password", PASSWORD);
    place.spec(&following(redis.port, more));
    place
}

/// The part of agent.toml that says so.
pub(crate) fn following(port: u16, more: &str) -> String {
    format!(
        "secrets.QUEUE = {{ file = \"password\" }}\n[scale]\nmax = 3\ncooldown = \"0s\"\n\
         queue = {{ kind = \"redis-list\", name = \"jobs\", address = \"127.0.0.1:{port}\", \
         per_replica = 10, secret = \"QUEUE\" }}\n{more}\n"
    )
}
