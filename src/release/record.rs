use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Identity, Origin, ReleaseId};
use crate::spec::{
    Config, Drain, Gpu, Health, Kind, Mode, Resources, SecretSource, Sidecar, Spec, Template, Tool,
};

/// What is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Artifact {
    /// A copy of the agent's files, kept under the hash of what is in it.
    Files(Identity),
    Image(Box<Image>),
}

/// An image, and all that its containers are given beside what every artifact is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// By digest; where no registry keeps it, by the engine's own id.
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) user: u32,
    pub(crate) writable: Vec<String>,
    pub(crate) resources: Resources,
    pub(crate) gpu: Option<Gpu>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Those that stand beside each replica.
    pub(crate) tools: BTreeMap<String, Tool>,
    pub(crate) sidecars: BTreeMap<String, Sidecar>,
    /// Texts by their path below `config.prompts`.
    pub(crate) prompts: BTreeMap<String, String>,
    /// What a cluster is given beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster: Option<Given>,
}

/// What decides in a cluster how a release behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// Of the object that makes its replicas, but for how many.
    pub(crate) workload: Identity,
    /// Of the values of its secrets, which are part of it: what was started has the old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_values: Option<Identity>,
    /// Of the values that it refers to, by the Secret of the cluster that has them: somebody else may
    /// change those.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) referred: BTreeMap<String, Identity>,
}

impl Image {
    pub(crate) fn of(spec: &Spec, name: String, prompts: BTreeMap<String, String>) -> Self {
        let run = &spec.run;
        let tools = spec.tools.iter();
        let tools = tools.filter(|(_, tool)| tool.mode == Mode::Sidecar);
        Self {
            name,
            port: run.port,
            user: run.user,
            writable: run.writable.clone(),
            resources: run.resources.clone(),
            gpu: run.gpu.clone(),
            labels: spec.agent.labels.clone(),
            tools: tools
                .map(|(name, tool)| (name.clone(), tool.clone()))
                .collect(),
            sidecars: spec.sidecars.clone(),
            prompts,
            cluster: None,
        }
    }
}

/// All that decides how a release behaves, and so all that its identity is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) artifact: Artifact,
    /// With `${VAR}` already put in; secrets and `${PORT}` are put in where it is started.
    pub(crate) command: Vec<Template>,
    pub(crate) env: BTreeMap<String, Template>,
    pub(crate) config: Config,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    pub(crate) health: Health,
    pub(crate) drain: Drain,
    #[serde(default, skip_serializing_if = "Kind::is_service")]
    pub(crate) kind: Kind,
}

impl Contents {
    pub(crate) fn of(spec: &Spec, artifact: Artifact) -> Self {
        let command = match artifact {
            Artifact::Files(_) => &spec.run.command,
            Artifact::Image(_) => spec.container_command(),
        };
        Self {
            command: command.to_vec(),
            artifact,
            env: spec.run.env.clone(),
            config: spec.config.clone(),
            secrets: spec.secrets.clone(),
            health: spec.health.clone(),
            drain: spec.drain.clone(),
            kind: spec.agent.kind,
        }
    }

    /// What could not be looked at counts as it was before: nothing tells that it changed.
    pub(crate) fn unseen_as_in(&mut self, before: &Self) {
        let known = before.referred().cloned().unwrap_or_default();
        let named = self.secrets.iter();
        let named = named.filter_map(|(name, source)| source.referred(name));
        let named: BTreeSet<String> = named.map(|(secret, _)| secret.to_owned()).collect();
        let Artifact::Image(image) = &mut self.artifact else {
            return;
        };
        if let Some(given) = &mut image.cluster {
            for (secret, mark) in known
                .into_iter()
                .filter(|(secret, _)| named.contains(secret))
            {
                given.referred.entry(secret).or_insert(mark);
            }
        }
    }

    fn referred(&self) -> Option<&BTreeMap<String, Identity>> {
        match &self.artifact {
            Artifact::Image(image) => Some(&image.cluster.as_ref()?.referred),
            Artifact::Files(_) => None,
        }
    }

    pub(crate) fn identity(&self) -> serde_json::Result<Identity> {
        serde_json::to_vec(self).map(|json| Identity::of(&json))
    }
}

/// A release as it is kept: its contents, its number and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: ReleaseId,
    pub(crate) identity: Identity,
    /// Milliseconds since the Unix epoch.
    pub(crate) made: u64,
    /// Who made it: `anna@laptop`.
    pub(crate) by: String,
    /// What its image was built on, by digest where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<String>,
    #[serde(default)]
    pub(crate) origin: Origin,
    /// As they were rendered for a cluster, so that going back needs no source tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Value>,
    /// The names of services and tools that it was last deployed beside: they are no part of it, and
    /// it may not do without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<String>,
    #[serde(flatten)]
    pub(crate) contents: Contents,
}

/// What makes replicas in a cluster, and is changed in place: two would run a schedule twice.
const IN_PLACE: [&str; 2] = ["CronJob", "DaemonSet"];

/// The object of this release that makes its replicas in a cluster.
pub(crate) fn workload_of(objects: &[Value], release: ReleaseId) -> Option<&Value> {
    let id = release.to_string();
    objects.iter().find(|object| {
        let metadata = &object["metadata"];
        let is_its = metadata["labels"]["agentctl.dev/release"] == id.as_str();
        let pods = [&object["spec"]["template"], &object["spec"]["jobTemplate"]];
        let name = metadata["name"].as_str().unwrap_or_default();
        is_its && !name.ends_with("-prepull") && pods.iter().any(|pod| !pod.is_null())
    })
}

impl Release {
    /// Whether it takes the place of the release before it at once.
    pub(crate) fn is_in_place(&self) -> bool {
        self.workload().is_some_and(|kind| IN_PLACE.contains(&kind))
    }

    /// Whether its replicas and those of the release before it are one set.
    pub(crate) fn is_one_set(&self) -> bool {
        self.workload() == Some("StatefulSet")
    }

    /// The kind of what makes its replicas in a cluster.
    fn workload(&self) -> Option<&str> {
        workload_of(&self.objects, self.id)?["kind"].as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::release::changes;

    /// Of an agent.toml with these lines.
    fn contents(lines: &str) -> Contents {
        let text = format!("agent.name = \"bot\"\n{lines}");
        let loaded = Spec::load(&text, "agent.toml", None, &|_| None).unwrap();
        let image = Image::of(&loaded.spec, "bot@sha256:0".to_owned(), BTreeMap::new());
        Contents::of(&loaded.spec, Artifact::Image(Box::new(image)))
    }

    #[test]
    fn another_command_is_another_release_unless_the_image_was_written_to_start_it() {
        let differs = |image: &str| {
            let [one, two] = ["one", "two"]
                .map(|word| contents(&format!("{image}\nrun.command = [\"{word}\"]")));
            one.identity().unwrap() != two.identity().unwrap()
        };
        assert!(differs("image.image = \"bot:1\""));
        assert!(differs("build.runtime = \"dockerfile\""));
        assert!(!differs("build.runtime = \"python\""));
    }

    fn referring(referred: Value) -> Contents {
        let cluster = json!({ "workload": "w", "referred": referred });
        serde_json::from_value(json!({
            "artifact": { "image": {
                "name": "bot@1", "port": 8000, "user": 1, "writable": [], "resources": {},
                "gpu": null, "labels": {}, "tools": {}, "sidecars": {}, "prompts": {},
                "cluster": cluster,
            } },
            "command": [],
            "env": {},
            "config": { "model": "m", "settings": {} },
            "secrets": { "KEY": { "kubernetes": "theirs/key" } },
            "health": {},
            "drain": {},
        }))
        .unwrap()
    }

    #[test]
    fn a_value_that_is_referred_to_is_part_of_a_release_and_never_named() {
        let (old, new) = (json!({ "theirs": "old" }), json!({ "theirs": "new" }));
        let (old, new) = (referring(old), referring(new));
        assert_ne!(old.identity().unwrap(), new.identity().unwrap());
        assert_eq!(
            changes(&old, &new).unwrap(),
            ["a value in the Secret theirs"]
        );
    }

    #[test]
    fn what_could_not_be_looked_at_counts_as_it_was() {
        let old = referring(json!({ "theirs": "old", "gone": "old" }));
        let mut unseen = referring(json!({}));
        unseen.unseen_as_in(&old);
        assert_eq!(unseen, referring(json!({ "theirs": "old" })));
        let mut seen = referring(json!({ "theirs": "new" }));
        seen.unseen_as_in(&old);
        assert_eq!(seen, referring(json!({ "theirs": "new" })));
    }

    #[test]
    fn who_refers_to_nothing_is_as_before() {
        let text = serde_json::to_string(&referring(json!({}))).unwrap();
        assert!(!text.contains("referred"), "{text}");
    }
}
