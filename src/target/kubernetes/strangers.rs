//! What somebody else has made, or set, of what a release wants. Applying fails only where fields
//! differ: what fits by chance would become agentctl's unseen, and go with `destroy`. And it fails
//! late: who gets requests is ordered when replicas stand already.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::address;
use super::cluster::MANAGER;
use super::orders::named_by;
use super::refusal;
use super::world::{NAME, release_of};
use super::{Cluster, Kubernetes};
use crate::advice::because;
use crate::release::Release;
use crate::spec::Percent;
use crate::target::{Target, Traffic};

/// Which agent a service or a tool is of; what is the agent's own has its name alone.
const PART_OF: &str = "app.kubernetes.io/part-of";

impl Kubernetes {
    /// Only what nothing that runs has yet is looked at, and of what is of one release alone its Service
    /// only: a selector would be merged with theirs, where all else does not fit. A ConfigMap is called by
    /// what is in it.
    ///
    /// # Errors
    /// One of them is somebody else's; nothing was changed.
    pub(super) async fn has_no_strangers(&self, release: &Release) -> Result<()> {
        let namespace = &self.cluster.namespace;
        let mut known = BTreeSet::new();
        for running in self.observe().await?.releases.into_keys() {
            for object in self.objects_of(running).await?.iter() {
                known.insert(address::of(object, namespace)?);
            }
        }
        for object in &release.objects {
            let path = address::of(object, namespace)?;
            if may_fit(object) && !known.contains(&path) {
                self.cluster.is_free(&path).await?;
            }
        }
        Ok(())
    }

    /// Once a rollout walks, who gets requests is for it alone to say.
    ///
    /// # Errors
    /// Somebody else has set fields of what splits requests.
    pub(crate) async fn may_route(&self, release: &Release) -> Result<()> {
        let touched = self
            .with_world(async |world, router| {
                world.catch_up()?;
                let routes = router.objects(&release.objects, &world.things, &all_to(release));
                let is_touched = |one: &Value| {
                    let live = world.things.splitting(one);
                    live.is_some_and(has_others)
                };
                let objects = routes.into_iter().map(|(_, object)| object);
                Ok(objects.filter(is_touched).collect::<Vec<_>>())
            })
            .await?;
        for object in &touched {
            self.cluster.would_apply(object).await?;
        }
        Ok(())
    }
}

impl Cluster {
    async fn is_free(&self, path: &str) -> Result<()> {
        match self.get(path).await {
            // Who may not look finds out when it is applied.
            Err(error) if refusal::code(&error) == Some(403) => Ok(()),
            found => match found? {
                Some(live) => self.is_no_stranger(&live),
                None => Ok(()),
            },
        }
    }

    /// # Errors
    /// It is somebody else's, and is not to be taken over.
    pub(super) fn is_no_stranger(&self, live: &Value) -> Result<()> {
        let Some(whose) = whose(live, &self.agent).filter(|_| !self.takes_over.get()) else {
            return Ok(());
        };
        let (title, namespace) = (address::title(live), &self.namespace);
        Err(because(
            format!("could not apply {title}"),
            format!("the namespace {namespace} has one already, and {whose}"),
            "another agent.name; or agentctl deploy --take-over makes it agentctl's, and then destroy \
             removes it",
        ))
    }
}

/// As it is when the rollout is over.
fn all_to(release: &Release) -> Traffic {
    Traffic {
        shares: BTreeMap::from([(release.id, Percent::FULL)]),
        keys: Vec::new(),
        sticky: false,
        settle: None,
        mirror: None,
        arms: None,
    }
}

/// Whether anybody but us has set anything in it beside its status.
fn has_others(live: &Value) -> bool {
    let managers = live["metadata"]["managedFields"].as_array();
    let mut managers = managers.into_iter().flatten();
    managers.any(|one| {
        let fields = &one["fieldsV1"];
        let sets = !fields["f:spec"].is_null() || !fields["f:metadata"].is_null();
        one["manager"] != MANAGER && sets
    })
}

fn may_fit(object: &Value) -> bool {
    let is_shared = release_of(object).is_none_or(|of| !named_by(object, of));
    match object["kind"].as_str() {
        Some("Namespace" | "ConfigMap") => false,
        Some("Service") => true,
        _ => is_shared,
    }
}

/// None: this agent's.
fn whose(live: &Value, agent: &str) -> Option<String> {
    let labels = &live["metadata"]["labels"];
    let of = labels[PART_OF].as_str().or(labels[NAME].as_str());
    match of.filter(|_| address::is_ours(live)) {
        Some(of) if of == agent => None,
        Some(of) => Some(format!("it belongs to the agent {of}")),
        None => Some("agentctl did not make it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_bears_our_labels_is_ours() {
        let live = |by: &str, name: &str| json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": by, NAME: name } } });
        let mut service = live("agentctl", "cache");
        service["metadata"]["labels"][PART_OF] = json!("bot");
        let cases = [
            (live("agentctl", "bot"), None),
            (service, None),
            (
                live("agentctl", "bot-cache"),
                Some("it belongs to the agent bot-cache"),
            ),
            (live("Helm", "bot"), Some("agentctl did not make it")),
            (json!({}), Some("agentctl did not make it")),
        ];
        for (live, expected) in cases {
            assert_eq!(whose(&live, "bot").as_deref(), expected, "{live}");
        }
    }
}
