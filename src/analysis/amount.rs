//! How much work waits, as whoever keeps it says.
//!
//! An answer that is no number is an error: nothing is ever scaled on a guess.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use super::answered;
use crate::advice::Advise;

pub(super) mod prometheus;
mod rabbitmq;
mod redis;

/// Whoever needs longer is as good as down: the next look comes soon.
const WITHIN: Duration = Duration::from_secs(5);

/// Where it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The length of a list; the address is `host:port`.
    Redis {
        address: String,
        list: String,
        password: Option<String>,
    },
    /// The messages of a queue, those in work included, as the management plugin counts them.
    Rabbitmq { address: String, queue: String },
    /// The one value of a query.
    Prometheus {
        server: String,
        query: String,
        token: Option<String>,
    },
}

impl Source {
    /// # Errors
    /// Where it does not answer within 5 s, or not with one number that is not negative.
    pub(crate) async fn amount(&self) -> Result<f64> {
        let asked = async {
            match tokio::time::timeout(WITHIN, self.ask()).await {
                Ok(asked) => asked,
                Err(_) => bail!("no answer within {} s", WITHIN.as_secs()),
            }
        };
        asked.await.advise(
            format!("could not ask {} how much work waits", self.who()),
            "nothing was scaled; the address and the secret are in [scale]",
        )
    }

    async fn ask(&self) -> Result<f64> {
        match self {
            Self::Redis {
                address,
                list,
                password,
            } => redis::length(address, list, password.as_deref()).await,
            Self::Rabbitmq { address, queue } => rabbitmq::messages(address, queue).await,
            Self::Prometheus {
                server,
                query,
                token,
            } => prometheus::value(server, query, token.as_deref()).await,
        }
    }

    fn who(&self) -> String {
        match self {
            Self::Redis { address, .. } => format!("Redis at {address}"),
            Self::Rabbitmq { address, .. } => format!("RabbitMQ at {}", host(address)),
            Self::Prometheus { server, .. } => format!("Prometheus at {}", host(server)),
        }
    }
}

/// An address without its login.
fn host(address: &str) -> &str {
    let login = address.rsplit_once('@');
    login.map_or(address, |(_, host)| host)
}

fn client() -> Result<Client> {
    // Fails where one was chosen before, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("agentctl/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("could not prepare TLS")
}

/// A login in the address is sent as one.
async fn json(url: Url, token: Option<&str>) -> Result<(StatusCode, Value)> {
    let request = client()?.get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    let body = answered::body(answer).await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn address(text: &str) -> Result<Url> {
    Url::parse(text).with_context(|| "the address is no URL".to_owned())
}

/// What may stand in a part of a path or in a query as it is.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests;
