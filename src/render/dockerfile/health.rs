//! How a Docker engine asks a container whether it is well: by the runtime's own means, without a
//! shell and without curl. A Rust or Go image has no such means, and needs none: the edge, and in a
//! cluster the kubelet, ask from outside.

use serde_json::{Value, json};

use crate::render::Input;
use crate::spec::Runtime;

/// Null where nothing is asked.
pub(super) fn check(runtime: Runtime, input: &Input) -> Value {
    let has_port = input.spec.agent.kind.serves();
    let health = &input.spec.health;
    let path = health.ready.as_deref().or(health.live.as_deref());
    let Some(command) = has_port.then(|| command(runtime, path)).flatten() else {
        return Value::Null;
    };
    json!({
        "every": health.every.in_one_unit(),
        "timeout": health.timeout.in_one_unit(),
        "within": health.startup.within.in_one_unit(),
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
