//! By weight: a route of the cluster sends each release's Service its share. The agent's own Service
//! sends to the release that has most, for whoever calls it by that name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::service::ByService;
use super::{Router, gateway, istio, mark, marked, nginx};
use crate::release::ReleaseId;
use crate::spec::{Percent, Says};
use crate::target::Traffic;
use crate::target::kubernetes::address;
use crate::target::kubernetes::heard::Topic;
use crate::target::kubernetes::world::{Things, What};

/// One kind of route.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// What is applied, in this order, from the route as it was rendered for one release.
    pub(super) split: fn(&Value, &Split) -> Vec<Value>,
    /// Backends with their weights, from all routes of the agent.
    pub(super) weights: fn(&[&Value]) -> Vec<(String, u64)>,
    /// Why the cluster does not follow this route as it is; `None`: it does, or does not say.
    pub(super) lacks: fn(&Value) -> Option<String>,
    /// Where users reach the agent, if the route says so.
    pub(super) url: fn(&Value) -> Option<String>,
}

pub(super) const FORMS: [&Form; 3] = [&gateway::FORM, &istio::FORM, &nginx::FORM];

/// The Service of one release, at the port that this release has.
pub(super) struct Backend {
    pub(super) service: String,
    pub(super) port: u16,
}

/// Who gets which requests; weights are only compared.
pub(super) struct Split {
    pub(super) agent: String,
    pub(super) namespace: String,
    pub(super) weights: Vec<(Backend, u16)>,
    pub(super) total: u16,
    /// Who gets requests that say one of these, whatever the weights.
    pub(super) chosen: Option<(Backend, Vec<Says>)>,
    /// Who gets a copy of such a share.
    pub(super) copies: Option<(Backend, Percent)>,
}

impl Split {
    /// A release that has no Service yet has the port of `own`, the agent's.
    fn of(agent: &str, own: Option<&Value>, things: &Things, traffic: &Traffic) -> Self {
        let backend = |release: ReleaseId| {
            let service = format!("{agent}-{release}");
            let there = things.named(What::Services, &service).or(own);
            Backend {
                port: there.and_then(port).unwrap_or_default(),
                service,
            }
        };
        let shares = everyone(traffic);
        let whole = shares.values().all(|share| share.is_whole());
        let finest = if whole { 100 } else { 1 };
        let weights = shares
            .iter()
            .map(|(release, share)| (backend(*release), share.hundredths() / finest));
        let arms = traffic.arms.as_ref();
        let mirror = traffic.mirror.as_ref();
        Self {
            agent: agent.to_owned(),
            namespace: things.namespace.clone(),
            weights: weights.collect(),
            total: 10_000 / finest,
            chosen: arms.map(|arms| (backend(arms.to), arms.ab.says.clone())),
            copies: mirror.map(|mirror| (backend(mirror.to), mirror.share)),
        }
    }
}

fn port(service: &Value) -> Option<u16> {
    let port = service["spec"]["ports"][0]["port"].as_u64()?;
    u16::try_from(port).ok()
}

/// The shares of requests that say nothing to get a release.
fn everyone(traffic: &Traffic) -> BTreeMap<ReleaseId, Percent> {
    match &traffic.arms {
        Some(arms) => BTreeMap::from([(arms.rest, Percent::FULL)]),
        None => traffic.shares.clone(),
    }
}

pub(super) struct ByRoute {
    pub(super) form: &'static Form,
    /// As the route's API is served.
    pub(super) version: String,
    pub(super) service: ByService,
}

impl ByRoute {
    fn routes<'a>(&self, things: &'a Things) -> Vec<&'a Value> {
        things.each(What::Routes).collect()
    }

    fn is_route(&self, object: &Value) -> bool {
        object["kind"] == self.form.kind
    }
}

impl Router for ByRoute {
    fn name(&self) -> &'static str {
        self.form.name
    }

    fn listens(&self, namespace: &str) -> Option<Topic> {
        Some(Topic {
            path: address::all(&self.version, self.form.kind, namespace),
            selectors: address::ours(&self.service.agent),
        })
    }

    fn owns(&self, object: &Value) -> bool {
        self.is_route(object) || self.service.owns(object)
    }

    fn objects(&self, kept: &[Value], things: &Things, traffic: &Traffic) -> Vec<(What, Value)> {
        let own = kept.iter().find(|object| self.service.owns(object));
        let split = Split::of(&self.service.agent, own, things, traffic);
        let routes = kept.iter().filter(|object| self.is_route(object)).take(1);
        let routes = routes.flat_map(|route| (self.form.split)(route, &split));
        let mut routes: Vec<Value> = routes.collect();
        if let (Some(main), Some(_)) = (routes.last_mut(), &split.chosen) {
            mark(main, traffic);
        }
        let routes = routes.into_iter().map(|route| (What::Routes, route));
        let most = self.service.objects(kept, things, &to_the_most(traffic));
        routes.chain(most).collect()
    }

    /// Who says something to get a release has no weight: that is written down.
    fn shares(&self, things: &Things) -> BTreeMap<ReleaseId, Percent> {
        let routes = self.routes(things);
        if let Some(shares) = routes.iter().find_map(|route| marked(route)) {
            return shares;
        }
        let weights = (self.form.weights)(&routes);
        let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let prefix = format!("{}-", self.service.agent);
        let mut shares = BTreeMap::new();
        for (service, weight) in weights.into_iter().filter(|(_, weight)| *weight > 0) {
            let release = service.strip_prefix(&prefix).and_then(|id| id.parse().ok());
            let hundredths = u16::try_from(weight * 10_000 / total).unwrap_or_default();
            if let Some(release) = release {
                shares.insert(release, Percent::from_hundredths(hundredths));
            }
        }
        shares
    }

    fn is_confirmed(&self, things: &Things, traffic: &Traffic) -> bool {
        self.shares(things) == traffic.shares && self.lacks(things).is_none()
    }

    fn lacks(&self, things: &Things) -> Option<String> {
        self.routes(things).into_iter().find_map(self.form.lacks)
    }

    fn url(&self, things: &Things) -> Option<String> {
        let routes = self.routes(things);
        let named = routes.into_iter().find_map(self.form.url);
        named.or_else(|| self.service.url(things))
    }
}

/// The older one where two have as much.
fn to_the_most(traffic: &Traffic) -> Traffic {
    let shares = everyone(traffic).into_iter().rev();
    let most = shares.max_by_key(|(_, share)| *share);
    Traffic {
        shares: most
            .map(|(release, _)| (release, Percent::FULL))
            .into_iter()
            .collect(),
        ..traffic.clone()
    }
}

/// What conditions of an object say against it: each that is not true, or is about an older
/// generation of it.
pub(super) fn against(object: &Value, conditions: &Value, wanted: &[&str]) -> Option<String> {
    let generation = object["metadata"]["generation"]
        .as_u64()
        .unwrap_or_default();
    let all = conditions.as_array().map_or(&[][..], Vec::as_slice);
    wanted.iter().find_map(|wanted| {
        let found = all.iter().find(|condition| condition["type"] == *wanted);
        let Some(found) = found else {
            return Some(format!("nothing has said yet whether it is {wanted}"));
        };
        let seen = found["observedGeneration"].as_u64().unwrap_or(generation);
        match (found["status"] == "True", seen >= generation) {
            (true, true) => None,
            (true, false) => Some("its last change was not looked at yet".to_owned()),
            (false, _) => Some(format!(
                "it is not {wanted}: {}",
                found["message"].as_str().unwrap_or("no reason is given")
            )),
        }
    })
}

/// A route whose last rule is for everyone; before it comes one for who says something, which is like it
/// but for where it leads.
pub(super) fn ruled(
    route: &Value,
    rules: &str,
    split: &Split,
    chosen: fn(&mut Value, &Backend, &[Says]),
    everyone: fn(&mut Value, &Split),
) -> Vec<Value> {
    let mut route = route.clone();
    let Some(rules) = route["spec"][rules].as_array_mut() else {
        return Vec::new();
    };
    let Some(last) = rules.last_mut() else {
        return Vec::new();
    };
    let first = split.chosen.as_ref().map(|(to, says)| {
        let mut rule = last.clone();
        chosen(&mut rule, to, says);
        rule
    });
    everyone(last, split);
    rules.splice(..0, first);
    vec![route]
}

/// `metadata` of a rendered object with this name instead of its own.
pub(super) fn renamed(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["name"] = json!(name);
    object
}

#[cfg(test)]
mod tests;
