use super::*;
use crate::render::fixtures::{self, holding, load, templates};

const TWO: &str = r#"
[agent]
name = "bot"
[build]
runtime = "python"
entry = ["python", "app.py"]
secrets = ["PIP_INDEX_URL"]
[image]
repository = "ghcr.io/team/bot"
[health]
ready = "/ready"
[secrets]
KEY = { env = "MODEL_KEY" }
HOOK = { env = "SLACK_HOOK" }
[notify]
slack = "${secret:HOOK}"
[environments.staging]
target = { process = {} }
[environments.production]
target = { kubernetes = { context = "prod", namespace = "agents" } }
approve = true
"#;

/// With every environment of the file, in its order.
fn made(text: &str, system: System) -> Value {
    let loaded = load(text, None);
    let names = loaded.environments.iter().map(|name| Some(name.as_str()));
    let names: Vec<_> = match loaded.environments.is_empty() {
        true => vec![None],
        false => names.collect(),
    };
    let stage = |name: &Option<&str>| {
        let loaded = load(text, *name);
        Stage {
            environment: loaded.environment,
            spec: loaded.spec,
            target: loaded.target,
            approve: loaded.approve,
        }
    };
    let pipeline = Pipeline {
        system,
        file: "agents/bot/agent.toml".to_owned(),
        stages: names.iter().map(stage).collect(),
    };
    let input = Input {
        folder: holding(&["requirements.txt", "tests"]),
        ..fixtures::input(text)
    };
    let files = ci(&input, &pipeline, &templates()).unwrap();
    let (_, text) = files.iter().next().unwrap();
    yaml::parse(text).unwrap().pop().unwrap()
}

/// The scripts of a GitHub job.
fn scripts(job: &Value) -> String {
    let steps = job["steps"].as_array().unwrap().iter();
    steps.filter_map(|step| step["run"].as_str()).collect()
}

#[test]
fn environments_follow_each_other_in_the_order_of_the_file() {
    let jobs = &made(TWO, System::Github)["jobs"];
    let names: Vec<&String> = jobs.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "test",
            "check",
            "image",
            "deploy-staging",
            "deploy-production"
        ]
    );
    assert_eq!(jobs["image"]["needs"], json!(["test", "check"]));
    assert_eq!(jobs["deploy-staging"]["needs"], json!(["image"]));
    assert_eq!(
        jobs["deploy-production"]["needs"],
        json!(["deploy-staging"])
    );
    let gitlab = made(TWO, System::Gitlab);
    assert_eq!(
        gitlab["stages"],
        json!(["test", "build-image", "deploy-staging", "deploy-production"])
    );
}

#[test]
fn two_pipelines_queue() {
    let github = made(TWO, System::Github);
    let concurrency = &github["jobs"]["deploy-production"]["concurrency"];
    assert_eq!(
        *concurrency,
        json!({ "group": "bot-production", "cancel-in-progress": false })
    );
    let gitlab = made(TWO, System::Gitlab);
    assert_eq!(gitlab["deploy-staging"]["resource_group"], "bot-staging");
}

#[test]
fn each_job_may_do_as_little_as_it_needs() {
    let github = made(TWO, System::Github);
    assert_eq!(github["permissions"], json!({ "contents": "read" }));
    let image = &github["jobs"]["image"]["permissions"];
    assert_eq!(*image, json!({ "contents": "read", "packages": "write" }));
    let elsewhere = made(
        &TWO.replace("ghcr.io", "registry.example.com"),
        System::Github,
    );
    assert_eq!(
        elsewhere["jobs"]["image"]["permissions"],
        json!({ "contents": "read" })
    );
}

#[test]
fn a_secret_stands_in_the_environment_of_one_step_only() {
    let github = made(TWO, System::Github);
    let deploy = &github["jobs"]["deploy-staging"];
    assert_eq!(
        deploy["steps"][1]["env"]["MODEL_KEY"],
        "${{ secrets.MODEL_KEY }}"
    );
    assert!(!deploy["env"].to_string().contains("secrets."));
    let all = github["jobs"].as_object().unwrap().values().map(scripts);
    assert!(all.into_iter().all(|script| !script.contains("secrets.")));
    let gitlab = made(TWO, System::Gitlab);
    assert_eq!(
        gitlab["deploy-staging"]["variables"]["SLACK_URL"],
        "$SLACK_HOOK"
    );
}

#[test]
fn actions_are_pinned() {
    let text = made(TWO, System::Github).to_string();
    let uses: Vec<&str> = text.split("\"uses\":\"").skip(1).collect();
    assert_eq!(uses.len(), 5);
    for action in uses {
        let (_, commit) = action.split('"').next().unwrap().split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
fn an_image_is_pushed_once_and_deployed_where_it_runs() {
    let jobs = made(TWO, System::Github)["jobs"].take();
    assert_eq!(jobs["image"]["env"]["ENVIRONMENTS"], "production");
    assert!(scripts(&jobs["image"]).contains("agentctl push"));
    let secrets = &jobs["image"]["steps"][1]["env"];
    assert_eq!(secrets["PIP_INDEX_URL"], "${{ secrets.PIP_INDEX_URL }}");
    assert!(scripts(&jobs["deploy-production"]).contains("docker login"));
    assert!(!scripts(&jobs["deploy-staging"]).contains("docker login"));
}

#[test]
fn every_target_is_deployed_by_agentctl_with_its_secrets() {
    let docker = TWO.replace("process = {}", "docker = {}");
    let jobs = made(&docker, System::Github)["jobs"].take();
    for stage in ["deploy-staging", "deploy-production"] {
        assert!(scripts(&jobs[stage]).contains("agentctl deploy"), "{stage}");
        let secrets = &jobs[stage]["steps"][1]["env"];
        assert_eq!(secrets["MODEL_KEY"], "${{ secrets.MODEL_KEY }}", "{stage}");
    }
}

#[test]
fn without_a_registry_the_host_builds() {
    let bare = TWO.replace("repository = \"ghcr.io/team/bot\"\n", "");
    let docker = bare.replace(
        "kubernetes = { context = \"prod\", namespace = \"agents\" }",
        "docker = {}",
    );
    let jobs = made(&docker, System::Github)["jobs"].take();
    assert_eq!(jobs["image"], Value::Null);
    assert!(!scripts(&jobs["deploy-production"]).contains("docker login"));
}

#[test]
fn one_place_is_one_job_and_processes_need_no_image() {
    let one = "agent.name = \"bot\"\nrun.command = [\"./a\"]\n";
    let jobs = made(one, System::Github)["jobs"].take();
    let names: Vec<&String> = jobs.as_object().unwrap().keys().collect();
    assert_eq!(names, ["check", "deploy-default"]);
    assert_eq!(
        jobs["deploy-default"]["runs-on"],
        json!(["self-hosted", "agentctl", "default"])
    );
    assert_eq!(jobs["deploy-default"]["environment"], Value::Null);
}

#[test]
fn an_approval_is_a_click_at_gitlab() {
    let gitlab = made(TWO, System::Gitlab);
    assert_eq!(gitlab["deploy-production"]["rules"][0]["when"], "manual");
    assert_eq!(gitlab["deploy-staging"]["rules"][0]["when"], Value::Null);
}

#[test]
fn a_dollar_is_a_dollar_at_gitlab() {
    let gitlab = made(&TWO.replace("/ready", "/$a"), System::Gitlab);
    assert_eq!(gitlab["deploy-staging"]["variables"]["READY"], "/$$a");
}

/// What a file holds is kept where the system keeps its secrets; files of the machine stay its own.
#[test]
fn files_of_secrets_are_there_for_the_deploy() {
    let with = TWO.replace(
        "HOOK = {",
        "FILED = { file = \"keys/a b\" }\nOWN = { file = \"/etc/own\" }\nHOOK = {",
    );
    let jobs = made(&with, System::Github)["jobs"].take();
    let job = &jobs["deploy-staging"];
    assert_eq!(job["env"]["SECRET_FILES"], "FILED agents/bot/keys/a b");
    let secrets = &job["steps"][1]["env"];
    assert_eq!(secrets["FILED"], "${{ secrets.FILED }}");
    assert_eq!(secrets["OWN"], Value::Null);
    assert!(scripts(job).contains("SECRET_FILES"));
    let without = made(TWO, System::Gitlab)["deploy-staging"].to_string();
    assert!(!without.contains("SECRET_FILES"));
}

#[test]
fn variables_that_the_system_sets_are_no_secrets() {
    let pipeline = |system| Pipeline {
        system,
        file: "agent.toml".to_owned(),
        stages: Vec::new(),
    };
    let made = |name: &str, system| {
        let input = fixtures::input(&TWO.replace("MODEL_KEY", name));
        ci(&input, &pipeline(system), &templates()).map(drop)
    };
    let refused = made("GITHUB_PAT", System::Github).unwrap_err().to_string();
    let says = "no secret of a pipeline can be named GITHUB_PAT, which the system sets itself";
    assert_eq!(refused, says);
    made("GITHUB_PAT", System::Gitlab).unwrap();
    made("GITHUB_TOKEN", System::Github).unwrap();
    made("PATH", System::Gitlab).unwrap_err();
}

#[test]
fn what_a_spec_says_is_no_expression_at_github() {
    let jobs = made(
        &TWO.replace("/ready", "/${{secrets.OTHER}}"),
        System::Github,
    )["jobs"]
        .take();
    let told = &jobs["deploy-staging"]["env"]["READY"];
    assert_eq!(told, "/${{ '${{' }}secrets.OTHER}}");
}
