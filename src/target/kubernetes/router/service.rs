//! By a Service alone: it selects the pods of one release, or of all that stand, and then each pod
//! has the same share. Which pods those are says the row's number of replicas, so a plan for this
//! router holds no other shares.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Router, mark, marked};
use crate::release::ReleaseId;
use crate::spec::Percent;
use crate::target::Traffic;
use crate::target::kubernetes::pods::Standing;
use crate::target::kubernetes::world::{NAME, RELEASE, Things, What};

pub(super) struct ByService {
    pub(super) agent: String,
}

impl Router for ByService {
    fn name(&self) -> &'static str {
        "service"
    }

    fn owns(&self, object: &Value) -> bool {
        object["kind"] == "Service" && object["metadata"]["name"] == self.agent.as_str()
    }

    fn objects(&self, kept: &[Value], _: &Things, traffic: &Traffic) -> Vec<(What, Value)> {
        let own = kept.iter().filter(|object| self.owns(object));
        own.cloned()
            .map(|mut service| {
                if let Some(only) = only(traffic) {
                    service["spec"]["selector"][RELEASE] = json!(only.to_string());
                }
                mark(&mut service, traffic);
                (What::Services, service)
            })
            .collect()
    }

    fn shares(&self, things: &Things) -> BTreeMap<ReleaseId, Percent> {
        let Some(service) = things.named(What::Services, &self.agent) else {
            return BTreeMap::new();
        };
        let shares = marked(service).unwrap_or_default();
        let selected = service["spec"]["selector"][RELEASE].as_str();
        match selected.map(str::parse::<ReleaseId>) {
            // No replica has what somebody else lets it select by.
            _ if !self.selects_ours(service) => BTreeMap::new(),
            // Somebody changed it by hand: what it selects counts.
            Some(Ok(only)) if shares.len() != 1 || !shares.contains_key(&only) => {
                BTreeMap::from([(only, Percent::FULL)])
            }
            Some(Err(_)) => BTreeMap::new(),
            _ => shares,
        }
    }

    /// It sends to all that are ready of whoever has a share, and to nobody else. Where two have one it
    /// cannot leave out what an earlier rollout left: that goes next.
    fn is_confirmed(&self, things: &Things, traffic: &Traffic) -> bool {
        let reached = things.reached(&self.agent);
        let with_share = traffic.shares.keys().flat_map(|id| ready(things, *id));
        let wanted: BTreeSet<&str> = with_share.collect();
        let others = things.releases().into_iter();
        let mut others = others.filter(|id| !traffic.shares.contains_key(id));
        let leaves_out = only(traffic).is_some();
        wanted.is_subset(&reached)
            && (!leaves_out || others.all(|id| ready(things, id).is_disjoint(&reached)))
    }

    fn url(&self, things: &Things) -> Option<String> {
        let service = things.named(What::Services, &self.agent)?;
        let port = service["spec"]["ports"][0]["port"].as_u64()?;
        Some(format!(
            "http://{}.{}.svc:{port}",
            self.agent, things.namespace
        ))
    }
}

impl ByService {
    /// By the agent's name, and by nothing that somebody else added.
    fn selects_ours(&self, service: &Value) -> bool {
        let selector = service["spec"]["selector"].as_object();
        selector.is_some_and(|selector| {
            selector.get(NAME) == Some(&json!(self.agent))
                && selector.keys().all(|key| key == NAME || key == RELEASE)
        })
    }
}

fn only(traffic: &Traffic) -> Option<ReleaseId> {
    let mut all = traffic.shares.keys();
    match (all.next(), all.next()) {
        (Some(only), None) => Some(*only),
        _ => None,
    }
}

fn ready(things: &Things, release: ReleaseId) -> BTreeSet<&str> {
    let standings = things.standings(release).into_iter();
    let ready = standings.filter(|(_, _, standing)| *standing == Standing::Ready);
    ready
        .filter_map(|(_, pod, _)| pod["metadata"]["name"].as_str())
        .collect()
}
