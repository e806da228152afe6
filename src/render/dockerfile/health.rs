//! How a Docker engine asks a container whether it is well: by the runtime's own means, without a
//! shell and without curl. A Rust or Go image has no such means, and needs none: the edge, and in a
//! cluster the kubelet, ask from outside.

use serde_json::{Value, json};

use crate::render::Input;
use crate::spec::{Kind, Period, Runtime};

/// Null where nothing is asked.
pub(super) fn check(runtime: Runtime, input: &Input) -> Value {
    let has_port = matches!(
        input.spec.agent.kind,
        Kind::Service | Kind::Stateful | Kind::Daemon
    );
    let health = &input.spec.health;
    let path = health.ready.as_deref().or(health.live.as_deref());
    let Some(command) = has_port.then(|| command(runtime, path)).flatten() else {
        return Value::Null;
    };
    json!({
        "every": period(health.every),
        "timeout": period(health.timeout),
        "within": period(health.startup.within),
        "failures": health.failures,
        "command": command,
    })
}

fn command(runtime: Runtime, path: Option<&str>) -> Option<[String; 3]> {
    let (program, flag, script) = match (runtime, path) {
        (Runtime::Python, Some(path)) => ("python", "-c", python_asks(path)),
        (Runtime::Python, None) => ("python", "-c", PYTHON_CONNECTS.to_owned()),
        (Runtime::Node, Some(path)) => ("node", "-e", node_asks(path)),
        (Runtime::Node, None) => ("node", "-e", NODE_CONNECTS.to_owned()),
        (Runtime::Rust | Runtime::Go | Runtime::Dockerfile, _) => return None,
    };
    Some([program.to_owned(), flag.to_owned(), script])
}

const PYTHON_CONNECTS: &str =
    "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))";
const NODE_CONNECTS: &str = "require('net').connect(process.env.PORT, '127.0.0.1')\
    .on('connect', () => process.exit(0)).on('error', () => process.exit(1))";

/// JSON writes a text as both languages read it.
fn python_asks(path: &str) -> String {
    let path = json!(path);
    format!(
        "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + {path})"
    )
}

fn node_asks(path: &str) -> String {
    let path = json!(path);
    format!(
        "fetch('http://127.0.0.1:' + process.env.PORT + {path})\
         .then(reply => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"
    )
}

fn period(period: Period) -> String {
    match period.as_millis() {
        whole if whole % 1000 == 0 => format!("{}s", whole / 1000),
        other => format!("{other}ms"),
    }
}
