//! What an engine has already.

use anyhow::Result;
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::{ListImagesOptions, TagImageOptionsBuilder};

use super::Repository;
use super::provenance::{BASE_DIGEST, BASE_NAME, CONTENT};
use crate::docker::Engine;

pub(crate) async fn is_there(engine: &Engine, name: &str) -> Result<bool> {
    Ok(inspected(engine, name).await?.is_some())
}

/// Whether it is what agentctl made of these contents: anybody can give any image such a tag.
pub(crate) async fn is_made(engine: &Engine, name: &str, content: &str) -> Result<bool> {
    let image = inspected(engine, name).await?;
    let labels = image.and_then(|image| image.config?.labels);
    Ok(labels.is_some_and(|labels| labels.get(CONTENT).is_some_and(|said| said == content)))
}

/// The id of an image that the engine has under this name, and that was never pulled or pushed under
/// it: no registry can say what it is.
pub(crate) async fn no_registrys(engine: &Engine, name: &str) -> Result<Option<String>> {
    let (repository, _) = Repository::of_image(name)?;
    let is_of_it = |known: &Vec<String>| digest_in(&repository, known).is_some();
    let image = inspected(engine, name).await?;
    let image = image.filter(|image| !image.repo_digests.as_ref().is_some_and(is_of_it));
    Ok(image.and_then(|image| image.id))
}

async fn inspected(engine: &Engine, name: &str) -> Result<Option<ImageInspect>> {
    match engine.docker.inspect_image(name).await {
        Ok(image) => Ok(Some(image)),
        Err(Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(error) => Err(engine.failure(error)),
    }
}

/// Gives an image that the engine has more names there.
pub(crate) async fn tag(
    engine: &Engine,
    name: &str,
    repository: &str,
    tags: &[String],
) -> Result<()> {
    for tag in tags {
        let options = TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        let tagged = engine.docker.tag_image(name, Some(options)).await;
        tagged.map_err(|error| engine.failure(error))?;
    }
    Ok(())
}

/// What an image that the engine has was built on: as its label says, by the digest that the label
/// tells, or that the engine knows of what the image begins with.
pub(crate) async fn base(engine: &Engine, name: &str) -> Result<Option<String>> {
    let image = engine.docker.inspect_image(name).await;
    let image = image.map_err(|error| engine.failure(error))?;
    let layers = layers(&image);
    let labels = image.config.and_then(|config| config.labels);
    let labels = labels.unwrap_or_default();
    let Some(base) = labels.get(BASE_NAME) else {
        return Ok(None);
    };
    let digest = match labels.get(BASE_DIGEST) {
        Some(digest) => Some(digest.clone()),
        None if base.contains('@') => None,
        None => begun_with(&layers, &bases(engine, base).await?).map(str::to_owned),
    };
    Ok(Some(match digest {
        Some(digest) => format!("{base}@{digest}"),
        None => base.clone(),
    }))
}

/// What an image may have been built on.
struct Base {
    digest: String,
    layers: Vec<String>,
}

/// Digest of the first whose layers the image has below its own.
fn begun_with<'b>(image: &[String], bases: &'b [Base]) -> Option<&'b str> {
    let is_below = |base: &&Base| !base.layers.is_empty() && image.starts_with(&base.layers);
    bases.iter().find(is_below).map(|base| base.digest.as_str())
}

/// What the engine has by the name of a base, then what else it has of the same repository: the name
/// may be of another image now.
async fn bases(engine: &Engine, name: &str) -> Result<Vec<Base>> {
    let Ok((repository, _)) = Repository::of_image(name) else {
        return Ok(Vec::new());
    };
    let all = engine.docker.list_images(None::<ListImagesOptions>).await;
    let all = all.map_err(|error| engine.failure(error))?;
    let of_it = all
        .iter()
        .filter(|image| digest_in(&repository, &image.repo_digests).is_some());
    let mut found = Vec::new();
    for known in std::iter::once(name).chain(of_it.map(|image| image.id.as_str())) {
        let image = inspected(engine, known).await?;
        found.extend(image.and_then(|image| {
            Some(Base {
                digest: digest_in(&repository, image.repo_digests.as_deref()?)?,
                layers: layers(&image),
            })
        }));
    }
    Ok(found)
}

/// What the registry calls an image that it keeps in this repository.
fn digest_in(repository: &Repository, known: &[String]) -> Option<String> {
    let is_of_it =
        |known: &&String| Repository::of_image(known).is_ok_and(|(other, _)| other == *repository);
    let (_, digest) = known.iter().find(is_of_it)?.rsplit_once('@')?;
    Some(digest.to_owned())
}

fn layers(image: &ImageInspect) -> Vec<String> {
    let root = image.root_fs.as_ref();
    let layers = root.and_then(|root| root.layers.clone());
    layers.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_what_an_image_begins_with() {
        let base = |digest: &str, layers: &str| Base {
            digest: digest.to_owned(),
            layers: layers.chars().map(String::from).collect(),
        };
        // The tag's own comes first.
        let cases = [
            (vec![base("now", "ab")], Some("now")),
            (vec![base("now", "abc")], Some("now")),
            (
                vec![base("moved", "x"), base("before", "ab")],
                Some("before"),
            ),
            (vec![base("now", "a"), base("other", "ab")], Some("now")),
            (vec![base("moved", "x")], None),
            (vec![base("later", "abcd")], None),
            (vec![base("within", "bc")], None),
            (vec![base("empty", "")], None),
            (vec![], None),
        ];
        let image: Vec<_> = "abc".chars().map(String::from).collect();
        for (bases, wanted) in cases {
            let said: Vec<_> = bases.iter().map(|base| base.digest.as_str()).collect();
            assert_eq!(begun_with(&image, &bases), wanted, "{said:?}");
        }
    }

    #[test]
    fn a_digest_is_the_repositorys_own() {
        let known = [
            "docker.io/team/a@sha256:1",
            "reg.example/team/a@sha256:2",
            "odd",
        ];
        let known = known.map(str::to_owned);
        for (name, wanted) in [
            ("team/a:1", Some("sha256:1")),
            ("reg.example/team/a", Some("sha256:2")),
            ("team/b", None),
        ] {
            let (repository, _) = Repository::of_image(name).unwrap();
            assert_eq!(digest_in(&repository, &known).as_deref(), wanted, "{name}");
        }
    }
}
