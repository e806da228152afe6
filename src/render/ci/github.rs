//! A workflow of GitHub Actions.

use serde_json::{Value, json};

use super::{Pipeline, Stage, deploy, image, notify, test};
use crate::render::filled::filled;
use crate::render::{Failure, Input, Templates};

/// v5.0.0
const CHECKOUT: &str = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8";

pub(super) fn workflow(
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Value, Failure> {
    let image = image::job(input, pipeline, templates)?;
    let test = test::script(input, templates)?;
    let first: Vec<&str> = match test {
        Some(_) => vec!["test", "check"],
        None => vec!["check"],
    };
    let context = json!({
        "agent": input.spec.agent.name,
        "file": pipeline.literal(&pipeline.file),
        "folder": pipeline.literal(&pipeline.context(input)),
        "environments": pipeline.environments(),
        "checkout": checkout(),
        "test": test,
        "check": templates.text("ci/check.sh", &())?,
        "first": first,
        "image": image.as_ref().map(|job| &job.script),
        "image_env": image.as_ref().map(|job| &job.env),
        "image_secrets": image.as_ref().map(|job| filled(job.secrets.clone())),
        "packages": image.as_ref().is_some_and(|job| job.at_github).then_some("write"),
    });
    let mut workflow = templates.object("ci/github.yaml", &context)?;
    let mut before = match image {
        Some(_) => vec!["image".to_owned()],
        None => first.into_iter().map(str::to_owned).collect(),
    };
    for stage in &pipeline.stages {
        let name = stage.job();
        workflow["jobs"][&name] = self::deploy(stage, &before, input, pipeline, templates)?;
        before = vec![name];
    }
    Ok(workflow)
}

fn checkout() -> Value {
    json!({ "uses": CHECKOUT, "with": { "persist-credentials": false } })
}

fn deploy(
    stage: &Stage,
    needs: &[String],
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Value, Failure> {
    let job = deploy::job(stage, pipeline, templates)?;
    let context = json!({
        "needs": needs,
        "runs_on": runs_on(stage),
        "environment": stage.environment,
        "group": format!("{}-{}", input.spec.agent.name, stage.name()),
        "checkout": checkout(),
        "env": job.env,
        "deploy": job.deploy,
        "secrets": filled(job.secrets),
        "smoke": job.smoke,
        "notify": templates.text("ci/notify.sh", &())?,
        "notify_env": notify::env(stage, pipeline).map(|mut env| {
            env.insert("STATUS".to_owned(), json!("${{ job.status }}"));
            env.insert("RUN_URL".to_owned(), json!(RUN_URL));
            env
        }),
    });
    templates.object("ci/github-deploy.yaml", &context)
}

const RUN_URL: &str =
    "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}";

/// Processes are deployed on the machine that they run on.
fn runs_on(stage: &Stage) -> Vec<&str> {
    let usual = ["self-hosted", "agentctl"];
    let machine = (!stage.target.runs_images()).then(|| stage.name());
    usual.into_iter().chain(machine).collect()
}
