//! Presets as they are rendered, with the programs that they are for.

use super::Hosted;
use crate::support::engine::docker;
use crate::support::stand_in::{there_is_postgres, there_is_redis};

const SPEC: &str = r#"
[secrets]
CACHE_PASSWORD = { env = "CACHE_PASSWORD" }
DB_PASSWORD = { env = "DB_PASSWORD" }

[services.cache]
preset = "redis"
secret = "CACHE_PASSWORD"
storage = "1Gi"

[services.db]
preset = "postgres"
secret = "DB_PASSWORD"
storage = "1Gi"
"#;

fn deploy(host: &Hosted) -> crate::support::Ran {
    let mut command = host.command(&["deploy"]);
    // A quote and a backslash have a meaning for a shell, and for Redis.
    command.env("CACHE_PASSWORD", "pa\"ss\\word");
    host.place.finish(command.env("DB_PASSWORD", "hunter22"))
}

/// In the service's container, as its own user.
fn ask(host: &Hosted, service: &str, args: &[&str]) -> String {
    let container = host.container(service);
    docker(&[&["exec", container.as_str()], args].concat()).unwrap()
}

fn query(host: &Hosted, text: &str) -> String {
    let ask_as = format!("PGPASSWORD=hunter22 psql -h 127.0.0.1 -U postgres -Atc \"{text}\"");
    ask(host, "db", &["sh", "-c", &ask_as])
}

#[test]
fn redis_and_postgres_keep_what_they_have() {
    let Some(host) = Hosted::new("presets", SPEC) else {
        return;
    };
    if !there_is_redis("redis:8.8") || !there_is_postgres("postgres:18.6") {
        return;
    }
    deploy(&host).ends(0).says("r1 is live");
    assert_eq!(
        ask(&host, "cache", &["redis-cli", "set", "key", "kept"]),
        "OK"
    );
    query(
        &host,
        "create table seen (word text); insert into seen values ('kept')",
    );
    // Replaced, because they are described in another way; what they had stays.
    let other = SPEC.replace(
        "storage = \"1Gi\"",
        "storage = \"1Gi\"\nresources.memory = \"256Mi\"",
    );
    host.spec(&other);
    deploy(&host).ends(0);
    assert_eq!(ask(&host, "cache", &["redis-cli", "get", "key"]), "kept");
    assert_eq!(query(&host, "select word from seen"), "kept");
    let refused = ask(
        &host,
        "cache",
        &["sh", "-c", "REDISCLI_AUTH= redis-cli get key"],
    );
    assert!(refused.contains("NOAUTH"), "{refused}");
    host.run(&["destroy", "--yes"]).ends(0);
    assert_eq!(host.volumes(), "");
}
