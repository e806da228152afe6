//! Orders that are not taken, in words and as an HTTP status.

use hyper::StatusCode;

use super::api::Refusal;

#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) refusal: Refusal,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, hint: Option<&str>) -> Refused {
        let refusal = Refusal {
            error: error.into(),
            hint: hint.map(str::to_owned),
        };
        Refused { status, refusal }
    }

    pub(super) fn stale(fence: u64, highest: u64) -> Refused {
        let error = format!(
            "a later command has taken over: this order carries fence {fence}, the edge has seen {highest}"
        );
        let hint = "look at `agentctl status`, then give the command again";
        Refused::new(StatusCode::CONFLICT, error, Some(hint))
    }

    pub(super) fn ending() -> Refused {
        let hint = "wait until it has ended, then give the command again";
        Refused::new(
            StatusCode::GONE,
            "the edge was told to stop and takes no more orders",
            Some(hint),
        )
    }

    pub(super) fn succeeded() -> Refused {
        let hint = "give the command again";
        let error = "this edge has given its place to another";
        Refused::new(StatusCode::GONE, error, Some(hint))
    }

    pub(super) fn no_heir(error: anyhow::Error) -> Refused {
        let error = format!("no edge can take this one's place: {error:#}");
        Refused::new(StatusCode::BAD_REQUEST, error, None)
    }

    pub(super) fn wrong(error: anyhow::Error) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, format!("{error:#}"), None)
    }

    pub(super) fn no_address(error: anyhow::Error) -> Refused {
        let hint = "end what listens there (`ss -ltnp` shows it), or choose another port";
        Refused::new(StatusCode::BAD_REQUEST, format!("{error:#}"), Some(hint))
    }

    pub(super) fn failed(error: anyhow::Error) -> Refused {
        let hint = "nothing was changed; see whether the disk is full";
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("{error:#}"),
            Some(hint),
        )
    }

    pub(super) fn unknown(what: &str) -> Refused {
        Refused::new(StatusCode::NOT_FOUND, format!("there is no {what}"), None)
    }

    pub(super) fn none_ready(pool: &str) -> Refused {
        let error = format!("no replica of {pool} is ready");
        Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error,
            Some("`agentctl status` tells why"),
        )
    }
}
