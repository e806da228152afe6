use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::advice::advice;
use crate::release::{Identity, ReleaseId};
use crate::spec::TargetSpec;

const ADDRESS: &str = "address";
const TARGET: &str = "target.json";
const EVIDENCE: &str = "evidence";

/// Where one agent in one environment keeps everything on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    /// `$XDG_STATE_HOME/agentctl/NAME`, with `.ENVIRONMENT` behind it where there is one; a dot
    /// stands in neither name, so that no two agents meet.
    pub(crate) fn of(
        variable: &dyn Fn(&str) -> Option<String>,
        agent: &str,
        environment: Option<&str>,
    ) -> Result<Self> {
        for name in [Some(agent), environment].into_iter().flatten() {
            ensure!(
                is_name(name),
                "\"{name}\" cannot be the name of an agent or an environment"
            );
        }
        let name = match environment {
            Some(environment) => format!("{agent}.{environment}"),
            None => agent.to_owned(),
        };
        Ok(Self(root(variable)?.join("agentctl").join(name)))
    }

    pub(crate) fn at(path: &str) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Copies of the agent's files, by what is in them.
    pub(super) fn files(&self, identity: &Identity) -> PathBuf {
        self.0.join("files").join(identity.to_string())
    }

    pub(super) fn all_files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// What `$AGENT_CONFIG` names for this release.
    pub(super) fn config(&self, release: ReleaseId) -> PathBuf {
        self.0.join("config").join(format!("{release}.json"))
    }

    pub(super) fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// Written by the edge before it does anything: while it is there, something may run.
    pub(super) fn snapshot(&self) -> PathBuf {
        self.0.join("edge.json")
    }

    /// Where users reached the agent last: a rollback after a stop begins there again.
    pub(in crate::target) fn kept_address(&self) -> Result<Option<SocketAddr>> {
        let path = self.0.join(ADDRESS);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().parse().with_context(|| {
                format!("{} is not what agentctl wrote", path.display())
            })?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
        }
    }

    pub(in crate::target) fn keep_address(&self, address: SocketAddr) -> Result<()> {
        let path = self.0.join(ADDRESS);
        fs::write(&path, format!("{address}\n"))
            .with_context(|| format!("could not write {}", path.display()))
    }

    pub(crate) fn evidence(&self, rollout: u64) -> PathBuf {
        self.all_evidence().join(format!("{rollout:04}"))
    }

    fn all_evidence(&self) -> PathBuf {
        self.0.join(EVIDENCE)
    }

    /// Where the agent was deployed to from here: for whoever names it without its agent.toml. What
    /// runs on this machine tells that by itself.
    pub(crate) fn keep_target(&self, target: &TargetSpec) -> Result<()> {
        let path = self.0.join(TARGET);
        let kept = match target {
            TargetSpec::Process { .. } => fs::remove_file(&path).or_else(unless_missing),
            _ => fs::create_dir_all(&self.0)
                .and_then(|()| fs::write(&path, serde_json::to_vec(target).unwrap_or_default())),
        };
        kept.with_context(|| format!("could not write {}", path.display()))
    }

    /// `None`: from here it never was.
    pub(crate) fn kept_target(&self) -> Result<Option<TargetSpec>> {
        let path = self.0.join(TARGET);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .with_context(|| format!("{} is not what agentctl wrote", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(self.is_of_this_machine().then(TargetSpec::default))
            }
            Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
        }
    }

    /// Evidence is kept here of rollouts elsewhere, too.
    fn is_of_this_machine(&self) -> bool {
        let entries = fs::read_dir(&self.0).into_iter().flatten();
        let mut names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        names.any(|name| name != EVIDENCE)
    }

    /// What is kept here of rollouts elsewhere. Anything else would be of an agent that runs here,
    /// and stays.
    pub(crate) fn forget_evidence(&self) -> Result<()> {
        let forgotten = fs::remove_dir_all(self.all_evidence()).or_else(unless_missing);
        let target = || fs::remove_file(self.0.join(TARGET)).or_else(unless_missing);
        let removed = forgotten
            .and_then(|()| target())
            .and_then(|()| fs::remove_dir(&self.0));
        match removed {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            done => done.or_else(unless_missing),
        }
        .with_context(|| format!("could not remove {}", self.0.display()))
    }
}

fn unless_missing(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

/// No part of a path, and no dot.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(fits)
}

fn root(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf> {
    let set = |name| variable(name).filter(|value| value.starts_with('/'));
    set("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/state")))
        .ok_or_else(|| {
            advice(
                "there is no place to keep state: neither XDG_STATE_HOME nor HOME is set",
                "set XDG_STATE_HOME to a folder of yours",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_per_agent_and_environment() {
        let home = |name: &str| (name == "HOME").then(|| "/home/anna".to_owned());
        let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/state".to_owned());
        let path = |variable: &dyn Fn(&str) -> Option<String>, environment| {
            StateDir::of(variable, "bot", environment)
                .unwrap()
                .0
                .display()
                .to_string()
        };
        assert_eq!(path(&home, None), "/home/anna/.local/state/agentctl/bot");
        assert_eq!(path(&xdg, Some("staging")), "/state/agentctl/bot.staging");
        assert!(StateDir::of(&|_| None, "bot", None).is_err());
        assert!(StateDir::of(&home, "bot", Some("../other")).is_err());
    }

    #[test]
    fn whoever_knows_the_name_alone_finds_where_it_is() {
        let place = tempfile::tempdir().unwrap();
        let dir = StateDir(place.path().join("bot"));
        let docker = TargetSpec::Docker {
            host: Some("ssh://deploy@host".to_owned()),
            listen: std::net::Ipv4Addr::UNSPECIFIED.into(),
        };
        assert_eq!(dir.kept_target().unwrap(), None);
        fs::create_dir_all(dir.evidence(3)).unwrap();
        assert_eq!(dir.kept_target().unwrap(), None);
        dir.keep_target(&docker).unwrap();
        assert_eq!(dir.kept_target().unwrap(), Some(docker.clone()));
        dir.keep_target(&TargetSpec::default()).unwrap();
        assert_eq!(dir.kept_target().unwrap(), None);
        fs::write(dir.0.join("lease.json"), "{}").unwrap();
        assert_eq!(dir.kept_target().unwrap(), Some(TargetSpec::default()));
        fs::remove_file(dir.0.join("lease.json")).unwrap();
        dir.keep_target(&docker).unwrap();
        dir.forget_evidence().unwrap();
        assert!(!dir.0.exists());
    }

    #[test]
    fn evidence_goes_and_what_runs_here_stays() {
        let place = tempfile::tempdir().unwrap();
        let dir = StateDir(place.path().join("bot"));
        dir.forget_evidence().unwrap();
        fs::create_dir_all(dir.evidence(3)).unwrap();
        fs::write(dir.0.join("snapshot.json"), "{}").unwrap();
        dir.forget_evidence().unwrap();
        assert!(!dir.all_evidence().exists() && dir.0.join("snapshot.json").exists());
        fs::remove_file(dir.0.join("snapshot.json")).unwrap();
        dir.forget_evidence().unwrap();
        assert!(!dir.0.exists());
    }
}
