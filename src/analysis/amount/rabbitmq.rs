//! The messages of a queue, by the HTTP API of the management plugin.

use anyhow::{Context, Result, bail};
use reqwest::{StatusCode, Url};

use super::{address, escaped, json};

/// Where the plugin listens, with and without TLS, on a host that is named by its AMQP address.
const PORT: u16 = 15672;
const TLS_PORT: u16 = 15671;
/// Who a RabbitMQ knows before anybody else, and lets in from its own host only.
const LOGIN: &str = "guest:guest@";

pub(super) async fn messages(at: &str, queue: &str) -> Result<f64> {
    let (status, body) = json(place(at, queue)?, None).await?;
    match status {
        StatusCode::OK => body["messages"]
            .as_f64()
            .context("it has not counted the queue's messages yet"),
        StatusCode::NOT_FOUND => bail!("it has no queue \"{queue}\" there"),
        StatusCode::UNAUTHORIZED => bail!("it refused the login"),
        other => bail!("the management plugin answered with {other}"),
    }
}

/// `amqp://user:password@host/vhost`, `http://user:password@host:15672/vhost` or `host:port`; without
/// a virtual host the one that is named `/`.
pub(super) fn place(at: &str, queue: &str) -> Result<Url> {
    let at = match at.contains("://") {
        true => address(at)?,
        false => address(&format!("amqp://{at}"))?,
    };
    let host = at.host_str().context("the address names no host")?;
    let (scheme, port) = match at.scheme() {
        "amqp" => ("http", Some(PORT)),
        "amqps" => ("https", Some(TLS_PORT)),
        "http" | "https" => (at.scheme(), at.port()),
        other => bail!("the address begins with {other}://, not with amqp or http"),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let login = match (at.username(), at.password()) {
        ("", _) => LOGIN.to_owned(),
        (user, password) => format!("{user}:{}@", password.unwrap_or_default()),
    };
    let path = at.path().trim_end_matches('/');
    let (before, vhost) = path.rsplit_once('/').unwrap_or(("", ""));
    let vhost = if vhost.is_empty() { "%2F" } else { vhost };
    let queue = escaped(queue);
    address(&format!(
        "{scheme}://{login}{host}{port}{before}/api/queues/{vhost}/{queue}"
    ))
}
