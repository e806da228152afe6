//! What the cluster answers when it says no, in words.

use anyhow::{Error, anyhow};
use kube::core::Status;

use crate::advice::{advice, because, with_hint};

/// How the cluster said no.
#[derive(Debug)]
struct Refused {
    code: u16,
    says: String,
}

/// The status that the cluster answered with, through whatever was said about it.
pub(super) fn code(error: &Error) -> Option<u16> {
    error.downcast_ref::<Refused>().map(|refused| refused.code)
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.says)
    }
}

impl std::error::Error for Refused {}

/// `what`: what was to be done, like `apply Deployment support-agent-r13`.
pub(super) fn of_status(status: &Status, what: &str, place: &Place<'_>) -> Error {
    let refused = Error::new(Refused {
        code: status.code,
        says: status.message.clone(),
    });
    let hint = hint(status, place);
    let what = match conflicts(status) {
        _ if status.code == 401 => {
            format!("the cluster at {} knows nobody by this login", place.url)
        }
        Some(fields) => format!("could not {what}: {fields}"),
        None => format!("could not {what}"),
    };
    let advised = refused.context(what.clone());
    match hint {
        Some(hint) => with_hint(advised, hint),
        None => advised,
    }
}

/// Where it was asked.
pub(super) struct Place<'a> {
    pub(super) url: &'a str,
    pub(super) namespace: &'a str,
}

fn hint(status: &Status, place: &Place<'_>) -> Option<String> {
    let says = status.message.as_str();
    let namespace = place.namespace;
    Some(match status.code {
        401 => {
            "log in anew: the token of this context has expired, or is not known there; kubectl \
                get pods shows whether it is accepted"
                .to_owned()
        }
        403 if says.contains("being terminated") => format!(
            "wait until the namespace {namespace} is gone, then make it again: \
             create_namespace = true"
        ),
        403 if says.contains("exceeded quota") => {
            format!("kubectl describe quota -n {namespace} shows what is used")
        }
        403 if says.contains(" cannot ") => {
            "ask whoever runs the cluster for that right".to_owned()
        }
        404 if says.contains("namespaces") => format!(
            "kubectl create namespace {namespace}; or create_namespace = true in the target of \
             agent.toml"
        ),
        409 if conflicts(status).is_some() => {
            "agentctl deploy --take-over makes these fields agentctl's".to_owned()
        }
        _ if says.contains("failed calling webhook") => {
            "whoever runs that webhook of the cluster has to mend it: kubectl get \
             validatingwebhookconfigurations,mutatingwebhookconfigurations"
                .to_owned()
        }
        _ if says.contains("admission webhook") || says.contains("PodSecurity") => {
            "the cluster's own rules refuse it: change what they name, or the rules".to_owned()
        }
        _ => return None,
    })
}

/// Fields that somebody else owns, and who: `.spec.ports by kubectl`.
fn conflicts(status: &Status) -> Option<String> {
    let causes = status.details.as_ref()?.causes.iter();
    let owned: Vec<String> = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| format!("{} belongs to {}", cause.field, manager(&cause.message)))
        .collect();
    (!owned.is_empty()).then(|| owned.join(", "))
}

/// From `conflict with "kubectl" using apps/v1`.
fn manager(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or(message)
}

/// The cluster did not answer.
pub(super) fn of_way(error: &kube::Error, place: &Place<'_>) -> Error {
    let url = place.url;
    match error {
        kube::Error::Auth(auth) => because(
            format!("could not log in at the cluster at {url}"),
            auth.to_string(),
            "run what the kubeconfig's user runs; kubectl get pods shows whether it works",
        ),
        other => because(
            format!("could not reach the cluster at {url}"),
            root(other),
            "is it up, and is this the right context? kubectl version",
        ),
    }
}

/// The last cause says what happened; those above it say that something did.
fn root(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

pub(super) fn late(what: &str, place: &Place<'_>) -> Error {
    advice(
        format!(
            "could not {what}: the cluster at {} did not answer in time",
            place.url
        ),
        "kubectl version shows whether it answers",
    )
}

pub(super) fn no_object(what: &str) -> Error {
    anyhow!("{what} is no object of a cluster: it has no kind and name")
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    const HERE: Place<'_> = Place {
        url: "https://cluster",
        namespace: "agents",
    };

    fn told(code: u16, message: &str) -> String {
        let status = Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        };
        let error = of_status(&status, "apply Service bot", &HERE);
        assert_eq!(super::code(&error), Some(code));
        assert_eq!(error.root_cause().to_string(), message);
        hint(&status, &HERE).unwrap_or_default()
    }

    #[test]
    fn each_no_says_what_to_type() {
        let cases = [
            (401, "Unauthorized", "log in anew"),
            (
                403,
                "User \"dev\" cannot patch resource \"services\"",
                "that right",
            ),
            (
                403,
                "pods \"x\" is forbidden: exceeded quota: small",
                "describe quota -n agents",
            ),
            (
                403,
                "unable to create: it is being terminated",
                "wait until the namespace agents",
            ),
            (
                404,
                "namespaces \"agents\" not found",
                "create namespace agents",
            ),
            (
                400,
                "admission webhook \"x\" denied the request: no",
                "own rules",
            ),
            (422, "spec.x: Invalid value", ""),
        ];
        for (code, message, hint) in cases {
            assert!(told(code, message).contains(hint), "{message}");
        }
    }

    #[test]
    fn another_owner_is_named_with_the_field() {
        let cause = StatusCause {
            reason: "FieldManagerConflict".to_owned(),
            message: "conflict with \"helm\" using v1".to_owned(),
            field: ".spec.selector".to_owned(),
        };
        let status = Status {
            code: 409,
            details: Some(StatusDetails {
                name: String::new(),
                group: String::new(),
                kind: String::new(),
                uid: String::new(),
                causes: vec![cause],
                retry_after_seconds: 0,
            }),
            ..Status::default()
        };
        let error = of_status(&status, "apply Service bot", &HERE);
        assert!(format!("{error:#}").contains(".spec.selector belongs to helm"));
    }
}
