//! What whoever deploys an agent has to be allowed to do in its namespace, and the Role that allows
//! it: to apply what is rendered of the agent, to keep its journal, to look, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Part, objects};
use crate::release::ReleaseId;
use crate::render::{Failure, Files, Input, Templates, yaml};
use crate::spec::Kind;

const APPLY: &str = "get list watch create patch delete";
const LOOK: &str = "get list watch";

/// Beside applying objects: group, resource, verbs.
type Rows<'a> = &'a [(&'static str, &'static str, &'static str)];

/// Of that, what no deploy does without.
const ALWAYS: Rows<'_> = &[
    ("", "configmaps", "get list create update patch delete"),
    (
        "coordination.k8s.io",
        "leases",
        "get list watch create update",
    ),
    ("", "pods", "list watch"),
    ("", "pods/log", "get"),
    ("", "events", "list watch"),
];
const SECRETS: Rows<'_> = &[("", "secrets", "get list create patch delete")];
const PROBES: Rows<'_> = &[("", "pods/proxy", "get create")];

/// With what other commands do, and every agent.toml may ask for.
const GRANTED: [(&str, &str, &str); 12] = [
    // The journal, the releases and who may write.
    (
        "",
        "configmaps",
        "get list watch create update patch delete deletecollection",
    ),
    (
        "coordination.k8s.io",
        "leases",
        "get list watch create update patch delete",
    ),
    ("", "secrets", APPLY),
    ("", "serviceaccounts", APPLY),
    // How replicas are, and why they are not; `stop --now` ends them.
    ("", "pods", "get list watch deletecollection"),
    ("", "pods/log", "get"),
    ("", "events", LOOK),
    ("", "endpoints", LOOK),
    ("discovery.k8s.io", "endpointslices", LOOK),
    // Probes are requests to one replica, by any method.
    ("", "pods/proxy", "get create update patch delete"),
    // A pipeline asks the agent's Service whether it is ready.
    ("", "services/proxy", "get"),
    // `deploy --in-cluster`.
    ("batch", "jobs", APPLY),
];

/// What may be done with one kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Right {
    /// `""`: the core's.
    pub(crate) group: String,
    /// Like `pods` or `pods/log`.
    pub(crate) resource: String,
    pub(crate) verbs: Vec<String>,
}

/// All that deploying the agent takes, by group and resource.
pub(crate) fn rights(input: &Input, templates: &Templates) -> Result<Vec<Right>, Failure> {
    with_objects(&[&GRANTED], input, templates)
}

/// What of it this agent.toml cannot be deployed without.
pub(crate) fn needed(input: &Input, templates: &Templates) -> Result<Vec<Right>, Failure> {
    let spec = &input.spec;
    let mut rows = vec![ALWAYS];
    if !spec.secrets.is_empty() {
        rows.push(SECRETS);
    }
    if !spec.rollout.probe.is_empty() && spec.agent.kind == Kind::Service {
        rows.push(PROBES);
    }
    with_objects(&rows, input, templates)
}

fn with_objects(
    rows: &[Rows<'_>],
    input: &Input,
    templates: &Templates,
) -> Result<Vec<Right>, Failure> {
    let mut all: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    let mut may = |group: &str, resource: &str, verbs: &'static str| {
        let named = (group.to_owned(), resource.to_owned());
        all.entry(named).or_default().extend(verbs.split(' '));
    };
    for (group, resource, verbs) in rows.iter().copied().flatten() {
        may(group, resource, verbs);
    }
    for object in objects(&released(input), templates)? {
        if let Some((group, resource)) = resource(&object.value) {
            may(&group, &resource, APPLY);
        }
    }
    let rights = all.into_iter().map(|((group, resource), verbs)| Right {
        group,
        resource,
        verbs: verbs.into_iter().map(str::to_owned).collect(),
    });
    Ok(rights.collect())
}

/// Who deploys an agent where nobody else is named.
pub(crate) fn deployer(agent: &str) -> String {
    format!("{agent}-deployer")
}

/// The Role, with an account for whoever has no other and the binding of the two.
pub(crate) fn rbac(input: &Input, templates: &Templates) -> Result<Files, Failure> {
    let name = deployer(input.agent());
    let rules = rights(input, templates)?.into_iter().map(|right| {
        json!({ "apiGroups": [right.group], "resources": [right.resource], "verbs": right.verbs })
    });
    let metadata = input.metadata(&name);
    let account = json!({ "metadata": metadata });
    let role = json!({ "metadata": metadata, "rules": rules.collect::<Vec<_>>() });
    let binding = json!({ "metadata": metadata, "name": name, "namespace": input.namespace() });
    let mut files = Files::default();
    for part in [
        Part::new("kubernetes/deployer.yaml", "account", account),
        Part::new("kubernetes/role.yaml", "role", role),
        Part::new("kubernetes/role-binding.yaml", "role-binding", binding),
    ] {
        let object = super::object(part.template, &part.context, templates)?;
        files.add(format!("{}.yaml", part.file), yaml::write(&object)?);
    }
    Ok(files)
}

/// What is deployed is always of a release.
fn released(input: &Input) -> Input {
    Input {
        release: input.release.or(Some(ReleaseId(1))),
        ..input.clone()
    }
}

/// Group and plural; `None` for what is in no namespace, which no Role can give rights to.
fn resource(object: &Value) -> Option<(String, String)> {
    let kind = object["kind"]
        .as_str()
        .filter(|kind| *kind != "Namespace")?;
    let version = object["apiVersion"].as_str()?;
    let group = version.split_once('/').map_or("", |(group, _)| group);
    Some((group.to_owned(), plural(kind)))
}

fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests;
