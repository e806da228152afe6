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
use crate::spec::{SecretSource, Spec, TargetSpec};

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

    fn runs_images(&self) -> bool {
        !matches!(self.target, TargetSpec::Process { .. })
    }
}

pub(crate) fn ci(input: &Input, pipeline: &Pipeline, templates: &Templates) -> Result<Files> {
    let (path, object) = match pipeline.system {
        System::Github => {
            let path = format!(".github/workflows/{}.yaml", input.spec.agent.name);
            (path, github::workflow(input, pipeline, templates)?)
        }
        System::Gitlab => {
            let path = ".gitlab-ci.yml".to_owned();
            (path, gitlab::pipeline(input, pipeline, templates)?)
        }
    };
    Ok(Files::one(path, yaml::write(&object)?))
}

impl Pipeline {
    /// Where the image is built from and tests run, from the top of the repository.
    fn context(&self, input: &Input) -> String {
        let folder = self.file.rsplit_once('/').map_or(".", |(folder, _)| folder);
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

    fn runs_images(&self) -> bool {
        self.stages.iter().any(Stage::runs_images)
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
