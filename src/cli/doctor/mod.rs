//! `agentctl doctor`: everything that a deploy needs, looked at before one is begun. It changes
//! nothing.

mod cluster;
mod host;
mod machine;

use anyhow::Result;

use super::args::File;
use super::artifact;
use super::deploy;
use super::exit::Exit;
use super::show::Shown;
use super::site::{Project, now};
use crate::spec::TargetSpec;
use crate::ui::{DoctorView, Finding};

pub(crate) async fn run(args: &File, shown: &mut Shown) -> Result<Exit> {
    let mut project = Project::load(args)?;
    let mut findings = vec![file(&mut project), secrets(&project)];
    findings.extend(match project.loaded.target {
        TargetSpec::Process { .. } => machine::findings(&project).await,
        TargetSpec::Docker { .. } => host::findings(&project).await,
        TargetSpec::Kubernetes { .. } => cluster::findings(&mut project).await,
    });
    findings.extend(image(&project, shown).await);
    let is_wrong = findings.iter().any(Finding::is_wrong);
    shown.console().show(&DoctorView { findings }, now());
    Ok(match is_wrong {
        true => Exit::WrongInput,
        false => Exit::Done,
    })
}

fn file(project: &mut Project) -> Finding {
    let right = super::render::check(project);
    let name = project.site.name();
    let deployable = right.and_then(|()| Ok(project.loaded.deployable()?));
    Finding::of(
        "agent.toml",
        deployable.map(|()| format!("{name} can be deployed")),
    )
}

fn secrets(project: &Project) -> Finding {
    let names = project.loaded.spec.secrets.len();
    match names {
        0 => Finding::absent("secrets", "none are named"),
        _ => Finding::of(
            "secrets",
            deploy::secret_values(project).map(|values| match values.len() {
                0 => "no value is taken from here".to_owned(),
                here => format!("all {here} have a value"),
            }),
        ),
    }
}

/// What would run, by what a registry or the engine says of it now.
async fn image(project: &Project, shown: &mut Shown) -> Option<Finding> {
    if !project.loaded.target.runs_images() {
        return None;
    }
    let image = artifact::planned_image(project, shown).await;
    let says = image.map(|name| match name.contains("sha256:") {
        true => name,
        false => format!("{name} is not built yet"),
    });
    Some(Finding::of("image", says))
}
