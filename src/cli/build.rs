//! `agentctl build`

use anyhow::Result;
use serde_json::json;

use super::args;
use super::exit::Exit;
use super::image::{Subject, has_place, list_packages, made, pin, pushed_before};
use super::show::Shown;
use super::site::Project;

pub(crate) async fn run(args: &args::Build, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(&args.file)?;
    shown.warnings(&project.loaded.warnings);
    if args.pin {
        pin(&project, shown).await?;
    }
    let platform = args.platform.platform.as_deref();
    let list = args.sbom.path.as_deref();
    list.map_or(Ok(()), has_place)?;
    let subject = Subject::look_through(&project, platform, list, shown).await?;
    let pushed = pushed_before(&subject, shown).await;
    let (outcome, says) = match &pushed {
        Some(digest) => {
            let says = format!(
                "nothing to build: the registry has {} ({digest})",
                subject.name()
            );
            ("unchanged", says)
        }
        None => made(&subject, shown).await?.in_words(&subject),
    };
    let image = subject.name();
    if let Some(file) = list {
        list_packages(&subject, pushed.as_ref(), file).await?;
    }
    shown.result(
        outcome,
        says,
        json!({ "image": image, "tags": subject.tags }),
    );
    Ok(Exit::Done)
}
