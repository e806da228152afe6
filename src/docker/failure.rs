//! What goes wrong on the way to the engine, and what it answers, in words.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::anyhow;
use hyper::StatusCode;
use serde::Deserialize;

use super::PATIENCE;
use super::place::Place;
use crate::advice::{advice, because};

/// How the engine says what is wrong.
#[derive(Deserialize)]
struct Message {
    message: String,
}

/// The engine did not answer at all.
pub(super) fn of_way(error: anyhow::Error, place: &Place, said: &str) -> anyhow::Error {
    let kind = kind(error.as_ref());
    let cause = match said.is_empty() {
        true => root(&error),
        false => said.to_owned(),
    };
    let what = format!("could not reach the Docker engine at {place}");
    because(what, cause, hint(place, kind))
}

/// There is somebody, who says nothing.
pub(super) fn of_silence(waited: Duration, place: &Place, said: &str) -> anyhow::Error {
    let what = format!("the Docker engine at {place} does not answer");
    let cause = match said.is_empty() {
        true => format!("it was silent for {} s", waited.as_secs()),
        false => said.to_owned(),
    };
    because(what, cause, when_silent(place))
}

fn when_silent(place: &Place) -> &'static str {
    match place {
        Place::Unix(_) => {
            "see what ails it: sudo journalctl -u docker; often sudo systemctl restart docker helps"
        }
        Place::Ssh(_) => "try it by hand: ssh HOST docker version",
        _ => "see whether an engine listens there: DOCKER_HOST, or docker context ls",
    }
}

/// The engine answered, and said no.
pub(super) fn of_answer(status: StatusCode, body: &[u8], place: &Place) -> anyhow::Error {
    let said = match serde_json::from_slice(body) {
        Ok(Message { message }) => message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let answered = || format!("the engine answered {status}");
    match place {
        _ if !said.is_empty() => anyhow!("{said}"),
        Place::Tcp(_) if status == StatusCode::BAD_REQUEST => {
            advice(answered(), "it may want TLS: export DOCKER_TLS_VERIFY=1")
        }
        place if status.is_server_error() => advice(answered(), log(place)),
        _ => advice(
            format!("{} at {place}", answered()),
            "see whether it is a Docker engine: DOCKER_HOST, or docker context ls",
        ),
    }
}

fn log(place: &Place) -> &'static str {
    match place {
        Place::Unix(_) => "the engine's log says what ails it: sudo journalctl -u docker",
        _ => "the engine's log, on its own machine, says what ails it: journalctl -u docker",
    }
}

pub(super) fn of_call(error: bollard::errors::Error, place: &Place, said: &str) -> anyhow::Error {
    use bollard::errors::Error::{
        DockerResponseServerError, DockerStreamError, RequestTimeoutError,
    };
    match error {
        DockerResponseServerError {
            message,
            status_code: 500..,
        } => advice(message.trim(), log(place)),
        DockerResponseServerError { message, .. } => anyhow!("{}", message.trim()),
        DockerStreamError { error } => anyhow!("{}", error.trim()),
        RequestTimeoutError => of_silence(PATIENCE, place, said),
        other => of_way(other.into(), place, said),
    }
}

fn hint(place: &Place, kind: Option<ErrorKind>) -> &'static str {
    match (place, kind) {
        (Place::Unix(_), Some(ErrorKind::PermissionDenied)) => {
            "the engine's socket is for its group: sudo usermod -aG docker $USER, and log in anew"
        }
        (Place::Unix(_), _) => {
            "start it: sudo systemctl start docker; one elsewhere is named by DOCKER_HOST"
        }
        (Place::Ssh(_), _) => "try it by hand: ssh HOST docker version",
        (
            Place::Tls(..),
            Some(ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::NotFound),
        ) => {
            "ca.pem, cert.pem and key.pem lie in the folder that DOCKER_CERT_PATH names, or with the \
             context: docker context ls"
        }
        _ => "see whether it listens there: DOCKER_HOST, or docker context ls",
    }
}

fn kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(kind) = kind.filter(|kind| *kind != ErrorKind::Other) {
            return Some(kind);
        }
        next = error.source();
    }
    None
}

/// The last cause says what happened; those above it say that something did.
fn root(error: &anyhow::Error) -> String {
    error.root_cause().to_string()
}
