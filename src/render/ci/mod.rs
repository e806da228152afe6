//! A pipeline: test, check, image, then one environment after the other.
//!
//! What a job does is a shell script that GitHub and GitLab share, and that reads everything from
//! its environment: no value of a spec stands in a script, and no secret in the pipeline.

mod deploy;
mod github;
mod gitlab;
mod image;
mod notify;
mod test;
#[cfg(test)]
mod tests;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{Files, Input, Templates, yaml};
use crate::advice::advice;
use crate::spec::{SecretSource, Spec, TargetSpec};

/// The one file that GitLab reads.
pub(crate) const GITLAB: &str = ".gitlab-ci.yml";

/// Whose pipeline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Github,
    Gitlab,
}

/// What a pipeline needs to know beside one agent in one environment.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) system: System,
    /// agent.toml, from the top of the repository.
    pub(crate) file: String,
    /// Where it deploys to, one after the other.
    pub(crate) stages: Vec<Stage>,
}

/// One environment that a pipeline deploys to.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) environment: Option<String>,
    pub(crate) spec: Spec,
    pub(crate) target: TargetSpec,
    /// A person has to approve.
    pub(crate) approve: bool,
}

impl Stage {
    fn name(&self) -> &str {
        self.environment.as_deref().unwrap_or("default")
    }

    fn job(&self) -> String {
        format!("deploy-{}", self.name())
    }
}

pub(crate) fn ci(input: &Input, pipeline: &Pipeline, templates: &Templates) -> Result<Files> {
    have_names(input, pipeline)?;
    let (path, object) = match pipeline.system {
        System::Github => {
            let path = format!(".github/workflows/{}.yaml", input.spec.agent.name);
            (path, github::workflow(input, pipeline, templates)?)
        }
        System::Gitlab => {
            let path = GITLAB.to_owned();
            (path, gitlab::pipeline(input, pipeline, templates)?)
        }
    };
    Ok(Files::one(path, yaml::write(&object)?))
}

/// The pipeline that starts those of several agents, each in a folder by its name: GitLab reads one
/// file.
pub(crate) fn gitlab_agents(agents: &[&str], templates: &Templates) -> Result<Files> {
    let context = json!({ "agents": agents });
    let object = templates.object("ci/gitlab-agents.yaml", &context)?;
    Ok(Files::one(GITLAB, yaml::write(&object)?))
}

/// Refuses variables that no secret of the system can be called.
fn have_names(input: &Input, pipeline: &Pipeline) -> Result<()> {
    let specs = pipeline.stages.iter().map(|stage| &stage.spec);
    let mut names = std::iter::once(&input.spec).chain(specs).flat_map(|spec| {
        let build = spec.build.iter().flat_map(|build| &build.secrets);
        let secrets = spec.secrets.values().filter_map(variable);
        build.map(String::as_str).chain(secrets)
    });
    let is_github = pipeline.system == System::Github;
    let taken = |name: &&str| match *name {
        "GITHUB_TOKEN" => false,
        "PATH" | "HOME" => true,
        name => is_github && name.starts_with("GITHUB_"),
    };
    match names.find(taken) {
        None => Ok(()),
        Some(name) => Err(advice(
            format!("no secret of a pipeline can be named {name}, which the system sets itself"),
            format!("read it from another variable: {{ env = \"AGENT_{name}\" }} under [secrets]"),
        )),
    }
}

impl Pipeline {
    /// Where the image is built from and tests run, from the top of the repository.
    fn context(&self, input: &Input) -> String {
        let folder = self.folder();
        let context = input
            .spec
            .build
            .as_ref()
            .map_or(".", |build| build.context.as_str());
        match (folder, context) {
            (folder, ".") => folder.to_owned(),
            (".", context) => context.to_owned(),
            (folder, context) => format!("{folder}/{context}"),
        }
    }

    /// Where agent.toml is, from the top of the repository.
    fn folder(&self) -> &str {
        self.file.rsplit_once('/').map_or(".", |(folder, _)| folder)
    }

    fn runs_images(&self) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|stage| stage.target.runs_images())
    }

    fn environments(&self) -> String {
        let names = self
            .stages
            .iter()
            .filter_map(|stage| stage.environment.as_deref());
        names.collect::<Vec<_>>().join(" ")
    }

    /// A text of a spec, in which the system would put values into what looks like an expression or a
    /// variable of its own.
    fn literal(&self, text: &str) -> String {
        match self.system {
            System::Github => text.replace("${{", "${{ '${{' }}"),
            System::Gitlab => text.replace('$', "$$"),
        }
    }

    /// How the system writes a secret of its own.
    fn secret(&self, name: &str) -> String {
        match self.system {
            System::Github => format!("${{{{ secrets.{name} }}}}"),
            System::Gitlab => format!("${name}"),
        }
    }
}

/// The variable that a secret comes from, if it comes from one.
fn variable(source: &SecretSource) -> Option<&str> {
    match source {
        SecretSource::Env(name) => Some(name),
        _ => None,
    }
}

/// Variables that hold secrets of the CI system. GitLab gives them to every job by itself.
fn secrets<'a>(names: impl Iterator<Item = &'a str>, pipeline: &Pipeline) -> Map<String, Value> {
    match pipeline.system {
        System::Github => names
            .map(|name| (name.to_owned(), json!(pipeline.secret(name))))
            .collect(),
        System::Gitlab => Map::new(),
    }
}
