//! What goes wrong between us and a registry, in words.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use rustls::CertificateError;
use serde::Deserialize;

use super::auth::Act;
use super::{Credentials, Digest, Repository};
use crate::advice::{because, with_advice};

/// How a registry says what is wrong.
#[derive(Deserialize)]
struct Problems {
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// It did not answer.
pub(super) fn of_way(error: &(dyn Error + 'static), repository: &Repository) -> anyhow::Error {
    let what = format!("could not reach the registry {}", repository.host);
    let (cause, hint) = match tls(error) {
        Some(rustls::Error::InvalidCertificate(why)) if is_own_ca(why) => (
            "its certificate is its own CA, and a CA is no server".to_owned(),
            "make its certificate anew, signed by a CA whose own is in ca.crt; or by itself, and no \
             CA: openssl req -x509 -addext basicConstraints=critical,CA:FALSE …"
                .to_owned(),
        ),
        Some(rustls::Error::InvalidCertificate(_)) => (root(error), repository.trust()),
        Some(rustls::Error::InvalidMessage(_)) => (
            "it speaks no TLS".to_owned(),
            "give it a certificate: without TLS agentctl speaks to registries on this machine only"
                .to_owned(),
        ),
        _ => {
            let hint = format!("see whether it runs and listens there: {}", repository.look());
            (root(error), hint)
        }
    };
    because(what, cause, hint)
}

/// There is somebody, who says nothing, or a network that swallows what is sent.
pub(super) fn of_silence(waited: Duration, repository: &Repository) -> anyhow::Error {
    because(
        format!("the registry {} does not answer", repository.host),
        format!("it was silent for {} s", waited.as_secs()),
        format!(
            "see whether it works, and what lies between: {}",
            repository.look()
        ),
    )
}

/// It had a bad moment.
pub(super) fn again(
    answer: &reqwest::Result<Response>,
    wait: Duration,
    repository: &Repository,
) -> String {
    let why = match answer {
        Ok(answer) => format!("answered {}", answer.status()),
        Err(error) => format!("broke off: {}", root(error)),
    };
    let (host, wait) = (&repository.host, wait.as_secs_f64());
    format!("the registry {host} {why}; trying again in {wait} s")
}

/// What checks certificates has no other way to say so than its name.
fn is_own_ca(why: &CertificateError) -> bool {
    matches!(why, CertificateError::Other(why) if why.0.to_string() == "CaUsedAsEndEntity")
}

/// It answered as no registry does: a page to log in to a network, say.
pub(super) fn no_registry(kind: &str, repository: &Repository) -> anyhow::Error {
    let cause = match kind {
        "" => "it answered with nothing that a registry says".to_owned(),
        kind => format!("it answered with {kind}"),
    };
    because(
        format!("{} is no registry", repository.host),
        cause,
        format!(
            "see what answers there: {}; the name is image.repository, and a network may want a login of \
             its own first",
            repository.look()
        ),
    )
}

/// It, or what stands before it, says something else than what the manifest's hash is.
pub(super) fn no_digest(why: anyhow::Error, repository: &Repository) -> anyhow::Error {
    with_advice(
        why,
        format!(
            "the registry {} names an image by no digest",
            repository.host
        ),
        format!("see what answers there: {}", repository.look()),
    )
}

/// It says that there is nothing to delete, and has it.
pub(super) fn not_deleted(image: &Digest, repository: &Repository) -> anyhow::Error {
    because(
        format!("the registry {} did not delete {image}", repository.host),
        "it answered 404 Not Found, and has it nevertheless",
        format!(
            "what stands before it, a proxy say, may let no DELETE through: {}",
            repository.look()
        ),
    )
}

/// It answered, and said no.
pub(super) fn of_answer(
    status: StatusCode,
    body: &[u8],
    act: Act,
    repository: &Repository,
) -> anyhow::Error {
    let host = &repository.host;
    let problems = problems(body);
    let cause = said(status, &problems);
    match status {
        _ if act == Act::Delete && keeps_all(status, &problems) => because(
            format!("the registry {host} forbids deletion"),
            cause,
            "Docker's own: start it with REGISTRY_STORAGE_DELETE_ENABLED=true; \
             others have rules of their own for what is kept",
        ),
        StatusCode::FORBIDDEN => no_right(act, repository, cause),
        StatusCode::TOO_MANY_REQUESTS => because(
            format!("the registry {host} takes no more requests for now"),
            cause,
            "wait a while and do it again",
        ),
        status if status.is_server_error() => because(
            format!("the registry {host} cannot answer"),
            cause,
            "do it again later; its log says what ails it",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => because(
            format!("the registry {host} takes nothing that large"),
            cause,
            "its owner can allow more; a proxy before it may have a limit of its own, like nginx's client_max_body_size",
        ),
        _ => because(
            format!("the registry {host} refused {repository}"),
            cause,
            format!(
                "see whether image.repository is a name that it takes, and what answers there: {}",
                repository.look()
            ),
        ),
    }
}

/// It wants another login than it got.
pub(super) fn no_login(credentials: &Credentials, repository: &Repository) -> anyhow::Error {
    let host = &repository.host;
    let cause = match credentials {
        Credentials::None => "there are no credentials for it in Docker's config.json",
        _ => "it does not accept the stored credentials, or not for this repository",
    };
    because(
        format!("could not log in to the registry {host}"),
        cause,
        repository.login(),
    )
}

/// Whoever asks.
fn keeps_all(status: StatusCode, problems: &[Problem]) -> bool {
    let is_unsupported = |problem: &Problem| problem.code.eq_ignore_ascii_case("UNSUPPORTED");
    status == StatusCode::METHOD_NOT_ALLOWED || problems.iter().any(is_unsupported)
}

pub(super) fn no_right(act: Act, repository: &Repository, cause: String) -> anyhow::Error {
    let what = match act {
        Act::Pull => format!("you may not pull from {repository}"),
        Act::Push => format!("you may not push to {repository}"),
        Act::Delete => format!("the registry {} forbids you deletion", repository.host),
    };
    because(
        what,
        cause,
        format!(
            "its owner can allow it; to be somebody else: {}",
            repository.login()
        ),
    )
}

fn problems(body: &[u8]) -> Vec<Problem> {
    let problems = serde_json::from_slice::<Problems>(body).map(|problems| problems.errors);
    problems.unwrap_or_default()
}

fn said(status: StatusCode, problems: &[Problem]) -> String {
    let words = problems.iter().map(|problem| {
        let parts = [&problem.code.to_lowercase(), problem.message.as_str()];
        parts.join(": ").trim_matches([':', ' ']).to_owned()
    });
    let words: Vec<_> = words.collect();
    match words.is_empty() {
        true => format!("it answered {status}"),
        false => words.join(", "),
    }
}

/// What TLS says, however deep it lies.
pub(super) fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The last cause says what happened; those above it say that something did.
fn root(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// An `io::Error` does not count what it wraps among its sources.
pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
