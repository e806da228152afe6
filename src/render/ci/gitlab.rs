//! A pipeline of GitLab CI.

use serde_json::{Value, json};

use super::{Pipeline, Stage, deploy, image, notify, test};
use crate::render::{Failure, Input, Templates};

pub(super) fn pipeline(
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Value, Failure> {
    let image = image::job(input, pipeline, templates)?;
    let before = ["test"]
        .into_iter()
        .chain(image.is_some().then_some("build-image"));
    let stages = before.map(str::to_owned);
    let stages = stages.chain(pipeline.stages.iter().map(Stage::job));
    let context = json!({
        "stages": stages.collect::<Vec<_>>(),
        "file": pipeline.file,
        "folder": pipeline.context(input),
        "environments": pipeline.environments(),
        "test": test::script(input, templates)?,
        "check": templates.text("ci/check.sh", &())?,
        "image": image.as_ref().map(|job| &job.script),
        "image_env": image.as_ref().map(|job| &job.env),
    });
    let mut made = templates.object("ci/gitlab.yaml", &context)?;
    for stage in &pipeline.stages {
        made[stage.job()] = self::deploy(stage, input, pipeline, templates)?;
    }
    Ok(made)
}

fn deploy(
    stage: &Stage,
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Value, Failure> {
    let mut job = deploy::job(stage, pipeline, templates)?;
    let notify = notify::env(stage, pipeline);
    job.env.extend(notify.clone().unwrap_or_default());
    let context = json!({
        "stage": stage.job(),
        "tags": tags(stage),
        "environment": stage.environment,
        "group": format!("{}-{}", input.spec.agent.name, stage.name()),
        "approve": stage.approve.then_some("manual"),
        "env": job.env,
        "script": std::iter::once(job.deploy).chain(job.smoke).collect::<Vec<_>>(),
        "notify": notify.map(|_| templates.text("ci/notify.sh", &())).transpose()?,
    });
    templates.object("ci/gitlab-deploy.yaml", &context)
}

/// Processes are deployed on the machine that they run on.
fn tags(stage: &Stage) -> Vec<&str> {
    let machine = (!stage.target.runs_images()).then(|| stage.name());
    std::iter::once("agentctl").chain(machine).collect()
}
