//! What splits requests between releases. A router says what is to be applied and whether it has
//! taken effect; it applies and waits for nothing itself.

mod gateway;
mod istio;
mod nginx;
mod route;
mod service;
mod work;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use route::{ByRoute, FORMS};
use service::ByService;
use work::ByWork;

use super::heard::Topic;
use super::world::{Things, What};
use crate::release::ReleaseId;
use crate::spec::Percent;
use crate::target::Traffic;

/// The shares as they were ordered, on the object that carries them out.
const SHARES: &str = "agentctl.dev/shares";

pub(super) trait Router {
    fn name(&self) -> &'static str;

    /// What it needs to hear of beside Services.
    fn listens(&self, namespace: &str) -> Option<Topic> {
        let _ = namespace;
        None
    }

    /// Whether only `objects` applies this one of a release's objects.
    fn owns(&self, object: &Value) -> bool;

    /// What is to be applied so that requests go so, from a release's objects.
    fn objects(&self, kept: &[Value], things: &Things, traffic: &Traffic) -> Vec<(What, Value)>;

    /// The shares that requests follow.
    fn shares(&self, things: &Things) -> BTreeMap<ReleaseId, Percent>;

    /// Whether the cluster has taken this split over everywhere.
    fn is_confirmed(&self, things: &Things, traffic: &Traffic) -> bool;

    /// Why it is not, as far as the cluster says.
    fn lacks(&self, things: &Things) -> Option<String> {
        let _ = things;
        None
    }

    /// Where users reach the agent.
    fn url(&self, things: &Things) -> Option<String>;
}

/// The router that these objects of a release are for.
pub(super) fn of(kept: &[Value], agent: &str) -> Box<dyn Router> {
    let agent = agent.to_owned();
    let service = ByService { agent };
    let routed = FORMS.into_iter().find_map(|form| {
        let route = kept.iter().find(|object| object["kind"] == form.kind)?;
        Some((form, route["apiVersion"].as_str()?.to_owned()))
    });
    if let Some((form, version)) = routed {
        return Box::new(ByRoute {
            form,
            version,
            service,
        });
    }
    match kept.is_empty() || kept.iter().any(|object| service.owns(object)) {
        true => Box::new(service),
        false => Box::new(ByWork {
            agent: service.agent,
        }),
    }
}

/// Written down on an object, so that who looks later knows what was ordered.
fn mark(object: &mut Value, traffic: &Traffic) {
    let shares = traffic.shares.iter();
    let shares: Map<String, Value> = shares
        .map(|(release, share)| (release.to_string(), json!(share.hundredths())))
        .collect();
    object["metadata"]["annotations"][SHARES] = json!(Value::Object(shares).to_string());
}

fn marked(object: &Value) -> Option<BTreeMap<ReleaseId, Percent>> {
    let text = object["metadata"]["annotations"][SHARES].as_str()?;
    let shares: BTreeMap<ReleaseId, u16> = serde_json::from_str(text).ok()?;
    let shares = shares.into_iter();
    Some(
        shares
            .map(|(release, share)| (release, Percent::from_hundredths(share)))
            .collect(),
    )
}
