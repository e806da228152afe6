//! The strategy that fits what changed: `strategy = "auto"`.

use serde::{Deserialize, Serialize};

use super::changes::{Changed, changed};
use super::{Identity, Release};
use crate::spec::{Risk, Strategy};

/// What a release was made from, where that is known; no part of its identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// `agent.version`: its first number is the interface's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Of the files that name dependencies, and of what an image is built on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dependencies: Option<Identity>,
    /// Of all other files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Identity>,
}

/// Files that name dependencies, and nothing that an agent does.
pub(crate) const MANIFESTS: [&str; 14] = [
    "requirements.txt",
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "go.sum",
    "agent.lock",
    "Dockerfile",
];

/// What says how replicas are run, and nothing of what they answer.
const PLACE: [&str; 10] = [
    "health.",
    "drain.",
    "agent.labels.",
    "run.resources",
    "run.writable",
    "run.user",
    "run.gpu",
    "run.port",
    "sidecars.",
    "cluster.",
];

/// The strategy, and why it is that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) strategy: Strategy,
    pub(crate) why: String,
}

impl Choice {
    fn new(strategy: Strategy, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { strategy, why }
    }

    /// Where both releases cannot stand whole side by side.
    pub(crate) fn in_one_set(self) -> Self {
        match self.strategy {
            Strategy::BlueGreen | Strategy::Shadow | Strategy::Ab => Self {
                strategy: Strategy::Rolling,
                why: format!("{}, and its replicas are one set", self.why),
            },
            _ => self,
        }
    }
}

/// The most careful of what the changes ask for; where they may change what an agent of high risk
/// answers it begins with a shadow.
pub(crate) fn choose(old: &Release, new: &Release, risk: Risk) -> serde_json::Result<Choice> {
    if let Some((from, to)) = breaks(&old.origin, &new.origin) {
        let why = format!("agent.version {from} → {to} changes the interface");
        return Ok(Choice::new(Strategy::BlueGreen, why));
    }
    let all = changed(&old.contents, &new.contents)?;
    let choice = by_changes(&all, old, new);
    let is_risky = risk == Risk::High && !all.iter().all(|change| is_place(&change.name));
    Ok(match is_risky {
        true => Choice::new(
            Strategy::Shadow,
            format!("{}, and agent.risk is high", choice.why),
        ),
        false => choice,
    })
}

fn by_changes(all: &[Changed], old: &Release, new: &Release) -> Choice {
    let names = |change: &&Changed| !change.is_files() && !is_place(&change.name);
    match all.iter().find(names) {
        Some(change) => Choice::new(Strategy::Canary, format!("{} changed", change.name)),
        None if all.iter().any(Changed::is_files) => by_files(&old.origin, &new.origin),
        None => Choice::new(Strategy::Rolling, "only how replicas are run changed"),
    }
}

fn is_place(name: &str) -> bool {
    PLACE.iter().any(|place| name.starts_with(place))
}

fn by_files(old: &Origin, new: &Origin) -> Choice {
    let same = |of: fn(&Origin) -> Option<&Identity>| of(old).is_some() && of(old) == of(new);
    let same_code = same(|origin| origin.code.as_ref());
    match same_code {
        true if same(|origin| origin.dependencies.as_ref()) => {
            Choice::new(Strategy::Rolling, "only the base image changed")
        }
        true => Choice::new(
            Strategy::Rolling,
            "only dependencies or the base image changed",
        ),
        false => Choice::new(Strategy::Canary, "files of the agent changed"),
    }
}

fn breaks<'o>(old: &'o Origin, new: &'o Origin) -> Option<(&'o str, &'o str)> {
    let (old, new) = (old.version.as_deref()?, new.version.as_deref()?);
    let major = |version: &str| {
        let number = version.trim_start_matches('v').split('.').next();
        number.and_then(|number| number.parse::<u64>().ok())
    };
    (major(old)? != major(new)?).then_some((old, new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::release::{Contents, ReleaseId};

    fn release(change: serde_json::Value, origin: [&str; 3]) -> Release {
        let mut contents = json!({
            "artifact": { "files": "f0" },
            "command": ["./a"],
            "env": {},
            "config": { "model": "m", "settings": {} },
            "secrets": {},
            "health": {},
            "drain": {},
        });
        let given = change.as_object().unwrap();
        for (key, value) in given {
            contents[key] = value.clone();
        }
        let contents: Contents = serde_json::from_value(contents).unwrap();
        let known = |text: &str| (!text.is_empty()).then(|| Identity::of(text.as_bytes()));
        let [version, dependencies, code] = origin;
        Release {
            id: ReleaseId(1),
            identity: contents.identity().unwrap(),
            made: 0,
            by: String::new(),
            base: None,
            objects: Vec::new(),
            beside: Vec::new(),
            origin: Origin {
                version: Some(version.to_owned()),
                dependencies: known(dependencies),
                code: known(code),
            },
            contents,
        }
    }

    #[test]
    fn each_change_has_its_strategy() {
        use Strategy::{BlueGreen, Canary, Rolling, Shadow};
        let old = release(json!({}), ["1.4", "d", "c"]);
        let model = json!({ "config": { "model": "n", "settings": {} } });
        let files = json!({ "artifact": { "files": "f1" } });
        let both =
            json!({ "artifact": { "files": "f1" }, "config": { "model": "n", "settings": {} } });
        let health = json!({ "health": { "every": "3s" } });
        let cases = [
            (
                model.clone(),
                ["1.5", "d", "c"],
                Canary,
                "config.model changed",
            ),
            (
                files.clone(),
                ["1.5", "e", "c"],
                Rolling,
                "only dependencies or the base image changed",
            ),
            (
                files.clone(),
                ["1.5", "d", "c"],
                Rolling,
                "only the base image changed",
            ),
            (
                files.clone(),
                ["1.5", "e", "b"],
                Canary,
                "files of the agent changed",
            ),
            (files, ["1.5", "", ""], Canary, "files of the agent changed"),
            (both, ["1.5", "e", "c"], Canary, "config.model changed"),
            (
                health,
                ["1.5", "d", "c"],
                Rolling,
                "only how replicas are run changed",
            ),
            (
                model,
                ["2.0", "d", "c"],
                BlueGreen,
                "agent.version 1.4 → 2.0 changes the interface",
            ),
        ];
        for (change, origin, strategy, why) in cases {
            let new = release(change, origin);
            let choice = choose(&old, &new, Risk::Normal).unwrap();
            assert_eq!(choice, Choice::new(strategy, why));
            let risky = choose(&old, &new, Risk::High).unwrap();
            let stays = strategy == BlueGreen || why.starts_with("only how");
            assert_eq!(risky.strategy, if stays { strategy } else { Shadow });
        }
    }
}
