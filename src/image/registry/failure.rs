//! What goes wrong between us and a registry, in words.

use std::error::Error;
use std::io;

use reqwest::StatusCode;
use serde::Deserialize;

use super::auth::Act;
use super::{Credentials, Repository};
use crate::advice::because;

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
    let cause = root(error);
    let hint = match tls(error) {
        Some(rustls::Error::InvalidCertificate(_)) => repository.trust(),
        _ => format!(
            "see whether it runs and listens there: curl -i https://{}/v2/",
            repository.api()
        ),
    };
    because(what, cause, hint)
}

/// It answered, and said no.
pub(super) fn of_answer(
    status: StatusCode,
    body: &[u8],
    act: Act,
    repository: &Repository,
) -> anyhow::Error {
    let host = &repository.host;
    let cause = said(status, body);
    match status {
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
        _ => anyhow::anyhow!(cause).context(format!("the registry {host} refused {repository}")),
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

fn no_right(act: Act, repository: &Repository, cause: String) -> anyhow::Error {
    let verb = match act {
        Act::Pull => "pull from",
        Act::Push => "push to",
        Act::Delete => "delete in",
    };
    because(
        format!("you may not {verb} {repository}"),
        cause,
        format!(
            "its owner can allow it; to be somebody else: {}",
            repository.login()
        ),
    )
}

fn said(status: StatusCode, body: &[u8]) -> String {
    let problems = serde_json::from_slice::<Problems>(body).map(|problems| problems.errors);
    let words = problems.unwrap_or_default().into_iter().map(|problem| {
        let parts = [problem.code.to_lowercase(), problem.message];
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
