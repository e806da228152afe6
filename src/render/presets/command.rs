//! What each preset is started by, and what asks it whether it is well.

use super::Data;
use crate::spec::{Preset, Service};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The whole command, whatever the image would start by itself.
pub(super) fn start(preset: Preset, service: &Service, port: u16, data: &Data) -> Vec<String> {
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

pub(super) fn healthy(preset: Preset, port: u16) -> Vec<String> {
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
