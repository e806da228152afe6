//! An image in its registry, by digest.

use anyhow::Result;

use super::super::show::Shown;
use super::super::site::{Project, variable};
use super::make::{made, watched};
use super::subject::{Subject, current_tags};
use crate::advice::{advice, in_a_line};
use crate::image::{self, Digest, Registry, Repository, Surroundings};

/// An image whose digest the registry confirmed.
pub(crate) struct Published {
    pub(crate) digest: Digest,
    /// It was there already.
    pub(crate) unchanged: bool,
    /// Tags beside the content tag that named another image before, or none.
    tagged: Vec<String>,
}

impl Published {
    pub(crate) fn in_words(&self, subject: &Subject) -> (&'static str, String) {
        let image = format!("{}@{}", subject.repository(), self.digest);
        let there = format!("nothing to build or push: {image}");
        match (self.unchanged, self.tagged.as_slice()) {
            (true, []) => ("unchanged", there),
            (true, new) => ("unchanged", format!("{there}\ntagged: {}", new.join(", "))),
            (false, _) => (
                "pushed",
                format!("pushed {image}\ntags: {}", subject.all_tags().join(", ")),
            ),
        }
    }
}

/// Where agent.toml says that images are kept.
pub(crate) fn registry(project: &Project) -> Result<Registry> {
    let Some(name) = &project.loaded.spec.image.repository else {
        return Err(advice(
            "agent.toml names no registry",
            "repository = \"registry.example.com/agents/NAME\" under [image]",
        ));
    };
    Registry::new(Repository::parse(name)?, Surroundings::find(&variable))
}

/// What comes of this work, while it is said where a registry is asked again.
pub(crate) async fn heard<T>(
    registry: &Registry,
    shown: &mut Shown,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            again = registry.again() => shown.note(again),
        }
    }
}

/// The digest of the very same image, where the registry has it.
pub(crate) async fn pushed(subject: &Subject<'_>, shown: &mut Shown) -> Result<Option<Digest>> {
    let registry = registry(subject.project)?;
    heard(&registry, shown, registry.head(&subject.content)).await
}

/// As `pushed`; a registry that cannot be asked hinders no build.
pub(crate) async fn pushed_before(subject: &Subject<'_>, shown: &mut Shown) -> Option<Digest> {
    subject.project.loaded.spec.image.repository.as_ref()?;
    match pushed(subject, shown).await {
        Ok(found) => found,
        Err(error) => {
            shown.warn(&in_a_line(&error));
            None
        }
    }
}

/// Images by this one's own tags that the registry has: a tag that moves, like `{branch}`, leads to
/// the one before. Where it cannot be asked there is none to be had either.
pub(super) async fn cached(subject: &Subject<'_>) -> Vec<String> {
    let Ok(registry) = registry(subject.project) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for tag in &subject.tags {
        if let Ok(Some(_)) = registry.head(tag).await {
            found.push(format!("{}:{tag}", subject.repository()));
        }
    }
    found
}

/// Gives an image that the registry has its tags, in case whoever pushed it was killed before.
pub(crate) async fn tagged(project: &Project, name: &str) -> Result<()> {
    let spec = &project.loaded.spec;
    let digest = name
        .split_once('@')
        .and_then(|(_, digest)| digest.parse().ok());
    let (Some(digest), Some(_), Some(_)) = (digest, &spec.build, &spec.image.repository) else {
        return Ok(());
    };
    let tags = current_tags(project)?;
    image::retag(&registry(project)?, &digest, &tags).await?;
    Ok(())
}

/// Builds and pushes what is not there yet.
pub(crate) async fn published(subject: &Subject<'_>, shown: &mut Shown) -> Result<Published> {
    let registry = registry(subject.project)?;
    let found = heard(&registry, shown, registry.head(&subject.content)).await?;
    let unchanged = found.is_some();
    let digest = match found {
        Some(digest) => digest,
        None => made_and_sent(subject, &registry, shown).await?,
    };
    let named = image::retag(&registry, &digest, &subject.tags);
    let tagged = heard(&registry, shown, named).await?;
    Ok(Published {
        digest,
        unchanged,
        tagged,
    })
}

async fn made_and_sent(
    subject: &Subject<'_>,
    registry: &Registry,
    shown: &mut Shown,
) -> Result<Digest> {
    // What cannot be pushed for want of a login is not built first.
    heard(registry, shown, registry.credentials()).await?;
    made(subject, shown).await?;
    let engine = subject.engine().await?;
    let work = async |watch: &mut dyn FnMut(image::Progress)| {
        image::push(engine, registry, &subject.content, watch).await
    };
    watched(shown, "push", work).await
}
