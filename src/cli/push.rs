//! `agentctl push`

use anyhow::Result;
use serde_json::json;

use super::args;
use super::exit::Exit;
use super::image::{Subject, has_place, list_packages, published, sign};
use super::show::Shown;
use super::site::Project;

pub(crate) async fn run(args: &args::Push, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(&args.file)?;
    shown.warnings(&project.loaded.warnings);
    let platform = args.platform.platform.as_deref();
    let list = args.sbom.path.as_deref();
    list.map_or(Ok(()), has_place)?;
    let subject = Subject::look_through(&project, platform, list, shown).await?;
    let published = published(&subject, shown).await?;
    let image = format!("{}@{}", subject.repository(), published.digest);
    if let Some(file) = list {
        list_packages(&subject, Some(&published.digest), file).await?;
    }
    sign(&subject, &published.digest, list, shown).await?;
    let (outcome, says) = published.in_words(&subject);
    let more = json!({
        "image": image,
        "digest": published.digest.to_string(),
        "tags": subject.all_tags(),
    });
    shown.result(outcome, says, more);
    Ok(Exit::Done)
}
