//! What applying a release would change, object by object, as the cluster itself says it. No object of a
//! release holds a secret's value: they refer to it.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::orders::{is_scaler, is_workload};
use super::refusal;
use super::world::release_of;
use super::{Kubernetes, address, router};
use crate::release::{Release, ReleaseId};
use crate::target::Target;

/// What the cluster itself writes.
const ITS_OWN: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
];

/// What a field is called that says where requests go, in any router's objects.
const TRAFFIC: [&str; 7] = [
    "annotations",
    "selector",
    "backend",
    "route",
    "mirror",
    "filters",
    "subsets",
];

/// More of one value is not read.
const SHOWN: usize = 60;

impl Kubernetes {
    /// One line for each object that is new, and for each field that is another; nothing is changed.
    pub(crate) async fn differences(&self, release: &Release) -> Result<Vec<String>> {
        let seen = self.observe().await?;
        let before = seen.shares.keys().find(|id| **id != release.id);
        let stable = match before {
            Some(stable) => self.objects_of(*stable).await?.to_vec(),
            None => Vec::new(),
        };
        let mut lines = Vec::new();
        for object in &release.objects {
            lines.extend(self.difference(object, &stable, release).await?);
        }
        Ok(lines)
    }

    /// The same where the release runs already: its replicas and who gets requests stay as they are.
    pub(crate) async fn due(&self, release: &Release) -> Result<Vec<String>> {
        let router = router::of(&release.objects, &self.cluster.agent);
        let stays = |object: &&Value| is_workload(object, release.id) || router.owns(object);
        let mut lines = Vec::new();
        for object in release.objects.iter().filter(|object| !stays(object)) {
            lines.extend(self.difference(object, &[], release).await?);
        }
        Ok(lines)
    }

    async fn difference(
        &self,
        object: &Value,
        stable: &[Value],
        release: &Release,
    ) -> Result<Vec<String>> {
        let title = address::title(object);
        let path = address::of(object, &self.cluster.namespace)?;
        let Some(live) = self.cluster.get(&path).await? else {
            self.may_be_made(object).await?;
            let alike = stable.iter().find(|one| is_like(one, object));
            let more = alike.map(|one| between(one, object));
            return Ok(with_title('+', &title, more.unwrap_or_default()));
        };
        self.cluster.is_no_stranger(&live)?;
        let applied = match self.cluster.would_apply(object).await {
            // A rollout takes it away and makes it anew, whoever changed it.
            Err(error) if is_scaler(object) && refusal::code(&error) == Some(409) => live.clone(),
            applied => applied?,
        };
        let router = router::of(&release.objects, &self.cluster.agent);
        let mut changed = between(&plain(live), &plain(applied));
        changed.retain(|line| !router.owns(object) || !is_of_traffic(line));
        Ok(match changed.is_empty() {
            true => changed,
            false => with_title('~', &title, changed),
        })
    }

    /// In a namespace that is made first, nothing can be tried.
    async fn may_be_made(&self, object: &Value) -> Result<()> {
        match self.cluster.would_apply(object).await {
            Err(error) if self.cluster.makes_namespace.get() && is_missing(&error) => Ok(()),
            tried => tried.map(drop),
        }
    }
}

fn with_title(sign: char, title: &str, more: Vec<String>) -> Vec<String> {
    let title = format!("{sign} {title}");
    std::iter::once(title).chain(more).collect()
}

/// Where requests go is changed by the rollout, and by nothing else.
fn is_of_traffic(line: &str) -> bool {
    let field = line.split(": ").next().unwrap_or_default();
    TRAFFIC.iter().any(|part| field.contains(part))
}

fn is_missing(error: &anyhow::Error) -> bool {
    refusal::code(error) == Some(404)
}

/// The same thing of another release.
fn is_like(other: &Value, object: &Value) -> bool {
    let name = |object: &Value, release: ReleaseId| {
        let name = object["metadata"]["name"].as_str()?;
        Some(name.replace(&format!("-{release}"), ""))
    };
    match (release_of(other), release_of(object)) {
        (Some(old), Some(new)) => {
            other["kind"] == object["kind"] && name(other, old) == name(object, new)
        }
        _ => false,
    }
}

fn plain(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| !ITS_OWN.contains(&name.as_str()));
    }
    object
}

/// `spec.replicas: 3 → 4`, but for what only says of which release it is.
fn between(old: &Value, new: &Value) -> Vec<String> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    leaves(old, String::new(), &mut before);
    leaves(new, String::new(), &mut after);
    let releases = [release_of(old), release_of(new)];
    let of_release = |value: Option<&String>, release: Option<ReleaseId>| {
        let (value, release) = (value?, release?);
        let id = release.to_string();
        Some(
            value
                .replace(&format!("-{id}"), "-")
                .replace(&format!("\"{id}\""), ""),
        )
    };
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| {
        let (old, new) = (before.get(*name), after.get(*name));
        let (old_plain, new_plain) = (of_release(old, releases[0]), of_release(new, releases[1]));
        old != new && (old_plain.is_none() || old_plain != new_plain)
    });
    changed
        .map(|name| {
            let shown =
                |value: Option<&String>| value.map_or("not set".to_owned(), |text| cut(text));
            format!(
                "    {name}: {} → {}",
                shown(before.get(name)),
                shown(after.get(name))
            )
        })
        .collect()
}

fn leaves(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, below(name), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let name = item["name"].as_str().map_or(at.to_string(), str::to_owned);
                leaves(item, below(&name), found);
            }
        }
        value => drop(found.insert(path, value.to_string())),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(release: &str, image: &str) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {
                "name": format!("bot-{release}"),
                "labels": { "agentctl.dev/release": release },
            },
            "spec": { "containers": [{ "name": "bot", "image": image }] },
        })
    }

    #[test]
    fn a_new_release_is_held_against_the_one_before() {
        let (old, new) = (workload("r1", "bot@1"), workload("r2", "bot@2"));
        assert!(is_like(&old, &new));
        assert_eq!(
            between(&old, &new),
            ["    spec.containers.bot.image: \"bot@1\" → \"bot@2\""]
        );
    }

    #[test]
    fn what_the_cluster_writes_is_no_difference() {
        let live =
            json!({ "metadata": { "uid": "1", "name": "bot" }, "spec": { "a": 1 }, "status": {} });
        let applied = json!({ "metadata": { "uid": "2", "name": "bot" }, "spec": { "a": 2 } });
        assert_eq!(
            between(&plain(live), &plain(applied)),
            ["    spec.a: 1 → 2"]
        );
    }
}
