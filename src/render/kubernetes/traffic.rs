//! What splits requests between releases: a Gateway's route, Istio, or ingress-nginx. A Service
//! alone splits by replicas and needs no object here.

mod gateway;
mod istio;
mod nginx;

pub(super) use gateway::parents;
pub(crate) use gateway::{copies as gateway_copies, matches as gateway_matches};
pub(crate) use istio::matches as istio_matches;
pub(super) use istio::{policy, retries};
pub(crate) use nginx::{chosen as nginx_chosen, copies as nginx_copies};

use super::Part;
use crate::render::{Controller, Failure, Input, Traffic};
use crate::spec::{ConversationKey, Kind, Percent, Router, Strategy};

pub(super) fn parts(input: &Input) -> Result<Vec<Part>, Failure> {
    if !input.spec.agent.kind.is_called() {
        return no_split(input).map(|()| Vec::new());
    }
    match router(input) {
        // Flagger makes the route itself; only an Ingress it wants to find.
        Router::Gateway | Router::Istio if input.traffic.by == Some(Controller::Flagger) => {
            Ok(Vec::new())
        }
        Router::Gateway => Ok(gateway::parts(input)),
        Router::Istio => Ok(istio::parts(input)),
        Router::Nginx => nginx::parts(input),
        Router::Auto | Router::Service => no_split(input).map(|()| Vec::new()),
    }
}

/// Auto: a Gateway where one is named.
pub(super) fn router(input: &Input) -> Router {
    let network = &input.spec.network;
    match (network.router, &network.gateway) {
        (Router::Auto, Some(_)) => Router::Gateway,
        (Router::Auto, None) => Router::Service,
        (router, _) => router,
    }
}

fn no_split(input: &Input) -> Result<(), Failure> {
    let traffic = &input.traffic;
    let plain = traffic.candidate.is_none() && traffic.mirror.is_none();
    match plain && traffic.matches.is_empty() {
        true => Ok(()),
        false => Err(Failure::refused(why_not_split(input.spec.agent.kind))),
    }
}

const BY_REPLICAS: &str = "a Service splits requests by replicas only; network.router = \
                           \"gateway\", \"istio\" or \"nginx\" splits them by weight";
const BY_PLACES: &str = "requests to a stateful agent are split as its replicas are; leave \
                         --candidate, --mirror and --match out";

fn why_not_split(kind: Kind) -> String {
    match kind {
        Kind::Service => BY_REPLICAS.to_owned(),
        Kind::Stateful => BY_PLACES.to_owned(),
        Kind::Worker | Kind::Job | Kind::Cron | Kind::Daemon => format!(
            "nobody sends requests to a {}, so there are none to split; leave --candidate, --mirror \
             and --match out",
            kind.word()
        ),
    }
}

/// Who gets requests: Services, each with its share.
struct Backends {
    stable: String,
    /// With its share of the requests.
    candidate: Option<(String, Percent)>,
}

impl Backends {
    fn of(input: &Input) -> Self {
        let stable = input.release_name();
        let is_canary = input.spec.rollout.strategy == Strategy::Canary;
        let candidate = match (input.traffic.by, input.traffic.candidate) {
            // Both are in the route from the beginning: the controller moves the weights.
            (Some(Controller::ArgoRollouts), _) if is_canary => {
                Some((candidate_service(input), Percent::ZERO))
            }
            (_, Some((release, weight))) => Some((format!("{}-{release}", input.agent()), weight)),
            (_, None) => None,
        };
        Self { stable, candidate }
    }

    /// Each Service with its weight; weights are whole numbers, and only compared.
    fn weighted(&self) -> Vec<(&str, u16)> {
        let Some((candidate, weight)) = &self.candidate else {
            return vec![(&self.stable, 100)];
        };
        let (share, all) = weight.in_whole_numbers();
        vec![(&self.stable, all - share), (candidate, share)]
    }
}

/// The Service of the release that takes over, where a controller moves the weights.
pub(super) fn candidate_service(input: &Input) -> String {
    format!("{}-candidate", input.agent())
}

/// Who gets a copy of requests, and of what share of them.
fn mirrored<'a>(backends: &'a Backends, traffic: &Traffic) -> Option<(&'a str, Percent)> {
    let (candidate, _) = backends.candidate.as_ref()?;
    Some((candidate, traffic.mirror?))
}

/// What in a request a router can tell its conversation by; none of them reads bodies.
pub(super) fn conversation(input: &Input) -> Option<&ConversationKey> {
    let keys = &input.spec.drain.key;
    let readable = |key: &&ConversationKey| !matches!(key, ConversationKey::Json(_));
    keys.iter().find(readable)
}

/// A cookie of this name and value, as a regular expression over the header `Cookie`.
fn cookie_pattern(name: &str, value: &str) -> String {
    format!("^(.*;\\s*)?{}={}(;.*)?$", plain(name), plain(value))
}

/// A regular expression that is this text and nothing else.
fn plain(text: &str) -> String {
    let special = |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c);
    let each = text.chars().map(|c| match special(c) {
        true => format!("\\{c}"),
        false => c.to_string(),
    });
    each.collect()
}

#[cfg(test)]
mod tests;
