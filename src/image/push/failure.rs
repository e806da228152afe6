//! The engine passes on in its own words what the registry said to it: what they mean.

use crate::advice::{Advice, because};
use crate::image::registry::Repository;

const PASSING: [&str; 10] = [
    "the engine broke off",
    "EOF",
    "connection reset",
    "broken pipe",
    "received unexpected HTTP status: 5",
    "HTTP response status: 5",
    "TLS handshake timeout",
    "i/o timeout",
    "toomanyrequests",
    "server closed idle connection",
];

/// May be gone when it is tried again.
pub(super) fn is_passing(error: &anyhow::Error) -> bool {
    let said = format!("{error:#}");
    PASSING.iter().any(|words| said.contains(words))
}

pub(super) fn in_words(error: anyhow::Error, repository: &Repository) -> anyhow::Error {
    if error.downcast_ref::<Advice>().is_some() {
        return error;
    }
    let said = format!("{error:#}");
    let (what, hint) = meaning(&said, repository);
    because(what, said, hint)
}

fn meaning(said: &str, repository: &Repository) -> (String, String) {
    let (host, login) = (&repository.host, repository.login());
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if says(&["x509", "certificate"]) {
        let what = format!("the Docker engine does not trust the registry {host}");
        return (what, repository.trust());
    }
    if says(&["HTTP response to HTTPS client"]) {
        let what = format!("the registry {host} speaks no TLS, and the Docker engine wants it");
        let hint =
            "give the registry a certificate, or name it in the engine's insecure-registries";
        return (what, hint.to_owned());
    }
    if says(&[
        "unauthorized",
        "no basic auth credentials",
        "authentication required",
    ]) {
        return (format!("could not log in to the registry {host}"), login);
    }
    if says(&["denied", "forbidden"]) {
        let hint = format!("its owner can allow it; to be somebody else: {login}");
        return (format!("you may not push to {repository}"), hint);
    }
    if says(&["does not exist"]) {
        let what = format!("the Docker engine does not have the image for {repository}");
        return (what, "build it first: agentctl build".to_owned());
    }
    (
        format!("could not push to {repository}"),
        format!(
            "see whether the engine can reach {host}, then do it again: what is there is not sent twice"
        ),
    )
}
