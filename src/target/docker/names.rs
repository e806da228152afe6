//! What things on a Docker host are called, and the labels that say whose they are.

use std::collections::HashMap;

use crate::edge::containers::{EDGE, NUMBER};
use crate::release::{Identity, ReleaseId};

/// As `docker compose` writes them.
pub(super) const PROJECT: &str = "com.docker.compose.project";
pub(super) const SERVICE: &str = "com.docker.compose.service";
const HASH: &str = "com.docker.compose.config-hash";
/// What a service or tool was started with, as a hash.
pub(super) const DEFINITION: &str = "agentctl.definition";

/// Everything of one agent in one environment begins with this; no agent and no environment has an
/// underscore at its end, so no two meet.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(super) agent: String,
    pub(super) project: String,
    /// For messages: `support-agent (staging)`.
    pub(super) title: String,
}

/// A release's number, on what belongs to it.
pub(super) const RELEASE: &str = "agentctl.release";
/// Who made it: what lacks it is never touched.
pub(super) const AGENT: &str = "agentctl.agent";

impl Names {
    pub(crate) fn new(agent: &str, environment: Option<&str>) -> Self {
        let (project, title) = match environment {
            Some(name) => (format!("{agent}_{name}"), format!("{agent} ({name})")),
            None => (agent.to_owned(), agent.to_owned()),
        };
        Self {
            agent: agent.to_owned(),
            project,
            title,
        }
    }

    pub(super) fn edge(&self) -> String {
        format!("{}-edge", self.project)
    }

    /// Whether a replica, or what stands beside one, may be called so.
    pub(super) fn is_replica(&self, name: &str) -> bool {
        let own = name.strip_prefix(&self.project);
        let Some((release, rest)) = own.and_then(|rest| rest.strip_prefix("-r")?.split_once('-'))
        else {
            return false;
        };
        let replica = rest.split_once('-').map_or(rest, |(replica, _)| replica);
        [release, replica]
            .iter()
            .all(|number| number.parse::<u32>().is_ok())
    }

    /// Looks into the volumes while no edge runs.
    pub(super) fn visitor(&self) -> String {
        format!("{}-visitor-{}", self.project, std::process::id())
    }

    pub(super) fn volume(&self, what: &str) -> String {
        format!("{}_{what}", self.project)
    }

    /// A service's or tool's container.
    pub(super) fn service(&self, name: &str) -> String {
        format!("{}-{name}", self.project)
    }

    /// Where its data lies; as in a rendered compose.yaml.
    pub(super) fn disk(&self, service: &str) -> String {
        self.volume(&format!("{service}_data"))
    }

    /// The labels of all that agentctl made for this agent in this environment.
    pub(super) fn own(&self) -> Vec<String> {
        vec![
            format!("{AGENT}={}", self.agent),
            format!("{PROJECT}={}", self.project),
        ]
    }

    /// Of what is no container.
    pub(super) fn labels(&self, service: &str) -> HashMap<String, String> {
        HashMap::from([
            (AGENT.to_owned(), self.agent.clone()),
            (PROJECT.to_owned(), self.project.clone()),
            (SERVICE.to_owned(), service.to_owned()),
            ("com.docker.compose.oneoff".to_owned(), "False".to_owned()),
        ])
    }

    /// So that `docker compose ps` shows it: without a hash of what it is made of, it does not.
    pub(super) fn of_container(
        &self,
        service: &str,
        made_of: &Identity,
    ) -> HashMap<String, String> {
        let mut labels = self.labels(service);
        labels.extend(counted(made_of));
        labels
    }

    /// What finds the replicas of one release.
    pub(super) fn of_release(&self, release: ReleaseId) -> HashMap<String, Vec<String>> {
        let labels = vec![
            format!("{EDGE}={}", self.project),
            format!("{RELEASE}={release}"),
        ];
        HashMap::from([("label".to_owned(), labels)])
    }
}

/// What `docker compose` knows a service's only container by.
pub(super) fn counted(made_of: &Identity) -> [(String, String); 2] {
    [
        (HASH.to_owned(), made_of.to_string()),
        (NUMBER.to_owned(), "1".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_known_by_their_names() {
        let names = Names::new("bot", Some("prod"));
        for own in ["bot_prod-r2-1", "bot_prod-r13-10", "bot_prod-r2-1-search"] {
            assert!(names.is_replica(own), "{own}");
        }
        let others = [
            "bot_prod-edge",
            "bot_prod-r2",
            "bot_prod-red-1",
            "bot-r2-1",
            "bot_prod-r2-x",
        ];
        for other in others {
            assert!(!names.is_replica(other), "{other}");
        }
    }
}
