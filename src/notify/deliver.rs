//! One message to one place, again and again for a while.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::message::Message;
use super::sign;
use crate::spec::{Format, Notify, Part, Template};

const TRIES: u32 = 5;
/// After the first try; twice as long after each other.
const PAUSE: Duration = Duration::from_millis(500);
/// For one try.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to tell.
pub(crate) enum Place {
    Slack {
        client: Client,
        url: String,
    },
    Webhook {
        client: Client,
        url: String,
        key: Option<String>,
        format: Format,
    },
    Grafana {
        client: Client,
        url: String,
        token: String,
    },
    Program(Vec<String>),
}

/// Why one try failed, and whether another may do better.
struct Failure {
    says: String,
    is_final: bool,
}

/// A secret that a place is named with has no value here.
#[derive(Debug)]
pub(crate) struct Lacks(pub(crate) String);

/// All places, with secrets put in.
///
/// # Errors
/// What has no value.
pub(crate) fn places(
    notify: &Notify,
    values: &BTreeMap<String, String>,
) -> Result<Vec<Place>, Lacks> {
    let put_in = |template: &Template| put_in(template, values);
    let client = client();
    let mut all = Vec::new();
    if let Some(url) = &notify.slack {
        let url = put_in(url)?;
        all.push(Place::Slack {
            client: client.clone(),
            url,
        });
    }
    if let Some(url) = &notify.webhook {
        let key = notify.key.as_ref().map(put_in).transpose()?;
        let (url, format) = (put_in(url)?, notify.format);
        all.push(Place::Webhook {
            client: client.clone(),
            url,
            key,
            format,
        });
    }
    if let Some(grafana) = &notify.grafana {
        let url = format!(
            "{}/api/annotations",
            put_in(&grafana.url)?.trim_end_matches('/')
        );
        let token = put_in(&grafana.token)?;
        all.push(Place::Grafana { client, url, token });
    }
    if !notify.command.is_empty() {
        all.push(Place::Program(notify.command.clone()));
    }
    Ok(all)
}

fn client() -> Client {
    // Fails where one was chosen before, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("agentctl/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    builder.build().unwrap_or_default()
}

fn put_in(template: &Template, values: &BTreeMap<String, String>) -> Result<String, Lacks> {
    let part = |part: &Part| match part {
        Part::Text(text) => Ok(text.clone()),
        Part::Secret(name) | Part::Variable(name) => {
            values.get(name).cloned().ok_or_else(|| Lacks(name.clone()))
        }
    };
    template.0.iter().map(part).collect()
}

impl Place {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "Slack",
            Self::Webhook { .. } => "the webhook",
            Self::Grafana { .. } => "Grafana",
            Self::Program(_) => "the command",
        }
    }

    pub(super) async fn deliver(&self, message: &Message) -> Result<(), String> {
        let mut pause = PAUSE;
        let mut tried = 0;
        loop {
            tried += 1;
            match self.attempt(message).await {
                Ok(()) => return Ok(()),
                Err(failure) if failure.is_final || tried == TRIES => return Err(failure.says),
                Err(_) => sleep(pause).await,
            }
            pause *= 2;
        }
    }

    async fn attempt(&self, message: &Message) -> Result<(), Failure> {
        match self {
            Self::Slack { client, url } => post(client.post(url), &message.slack()).await,
            Self::Webhook {
                client,
                url,
                key,
                format,
            } => {
                let (body, kind) = match format {
                    Format::Plain => (message.plain(), "application/json"),
                    Format::CloudEvents => (message.cloud_event(), "application/cloudevents+json"),
                };
                let body = body.to_string();
                let request = client.post(url).header(CONTENT_TYPE, kind);
                send(signed(request, key.as_deref(), &body).body(body)).await
            }
            Self::Grafana { client, url, token } => {
                post(client.post(url).bearer_auth(token), &message.annotation()).await
            }
            Self::Program(command) => run(command, &message.plain().to_string()).await,
        }
    }
}

fn signed(request: RequestBuilder, key: Option<&str>, body: &str) -> RequestBuilder {
    let Some(key) = key else {
        return request;
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map(|since| since.as_secs()).unwrap_or(0);
    request.header(sign::HEADER, sign::signature(key, seconds, body.as_bytes()))
}

async fn post(request: RequestBuilder, body: &Value) -> Result<(), Failure> {
    let request = request.header(CONTENT_TYPE, "application/json");
    send(request.body(body.to_string())).await
}

/// An address may be a secret, and an error would name it.
async fn send(request: RequestBuilder) -> Result<(), Failure> {
    let answer = request.send().await.map_err(|error| Failure {
        is_final: error.is_builder(),
        says: in_words(&error).to_owned(),
    })?;
    let status = answer.status();
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    match status.is_success() {
        true => Ok(()),
        false => Err(Failure {
            is_final: !status.is_server_error() && !again.contains(&status),
            says: format!("it answered {}", status.as_u16()),
        }),
    }
}

fn in_words(error: &reqwest::Error) -> &'static str {
    match () {
        () if error.is_builder() => "its address is no URL",
        () if error.is_timeout() => "it did not answer in time",
        () if error.is_connect() => "it could not be reached",
        () => "the connection broke",
    }
}

async fn run(command: &[String], message: &str) -> Result<(), Failure> {
    let ran = timeout(PATIENCE, program(command, message)).await;
    let says = match ran {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => status.code().map_or_else(
            || "it was killed".to_owned(),
            |code| format!("it exited with {code}"),
        ),
        Ok(Err(error)) => format!("it could not be run: {error}"),
        Err(_) => "it did not end in time".to_owned(),
    };
    Err(Failure {
        says,
        is_final: false,
    })
}

async fn program(command: &[String], message: &str) -> std::io::Result<std::process::ExitStatus> {
    let (program, arguments) = match command {
        [program, arguments @ ..] => (program, arguments),
        [] => return Err(std::io::ErrorKind::InvalidInput.into()),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A program need not read what it is told.
        let _ = input.write_all(message.as_bytes()).await;
    }
    child.wait().await
}
