//! Which images of a repository are kept, and the deletion of the others.
//!
//! Only what agentctl made for this agent is ever deleted: it bears a content tag, and a label says
//! whose it is. What is in use stays, however old, and so does what would be deployed next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::provenance::CREATED;
use super::registry::{Digest, Registry};
use crate::spec::CONTENT_TAG;

/// Requests under way at once.
const AT_ONCE: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) digest: Digest,
    /// All that point to it.
    pub(crate) tags: Vec<String>,
    /// When it was built.
    pub(crate) created: Option<Timestamp>,
    /// Which agent agentctl made it for.
    pub(crate) agent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept(Why),
    Deleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Not made by agentctl for this agent.
    NotOurs,
    /// A release that runs or may be gone back to needs it.
    InUse,
    /// Among the newest.
    New,
    /// A deploy of the tree that is here would take it, however long ago it was built.
    Next,
    /// Nothing tells how old it is.
    Undated,
}

/// What the histories that are known say of images, and what would come next.
#[derive(Debug, Default)]
pub(crate) struct Deployed {
    /// Runs, or may be gone back to.
    pub(crate) in_use: BTreeSet<Digest>,
    /// What the tree that is here would run.
    pub(crate) next: BTreeSet<Digest>,
    /// How many releases of its environment are newer.
    ranks: BTreeMap<Digest, usize>,
}

impl Deployed {
    /// All releases of one environment, the newest first.
    pub(crate) fn rank(&mut self, releases: impl IntoIterator<Item = Digest>) {
        for (newer, image) in releases.into_iter().enumerate() {
            let rank = self.ranks.entry(image).or_insert(newer);
            *rank = newer.min(*rank);
        }
    }
}

/// What comes first stays longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Built after every release: it may be the next.
    ToCome,
    Release(usize),
    /// No history knows it.
    Unknown,
}

/// In the order in which they are kept, within one turn the newest first and those that nothing
/// dates before them; `keep` counts ours, in use or not.
pub(crate) fn judge(
    mut stored: Vec<Stored>,
    agent: &str,
    keep: usize,
    deployed: &Deployed,
) -> Vec<(Stored, Fate)> {
    let age = |image: &Stored| image.created.unwrap_or(Timestamp::MAX);
    let rank = |image: &Stored| deployed.ranks.get(&image.digest).copied();
    let released = stored.iter().filter(|image| rank(image).is_some());
    let last = released.filter_map(|image| image.created).max();
    stored.sort_by_cached_key(|image| {
        let turn = match rank(image) {
            Some(newer) => Turn::Release(newer),
            None if last.is_none_or(|last| last < age(image)) => Turn::ToCome,
            None => Turn::Unknown,
        };
        (turn, Reverse(age(image)), image.digest.clone())
    });
    let mut newer = 0;
    let judged = stored.into_iter().map(|image| {
        let fate = fate(&image, agent, newer < keep, deployed);
        if fate != Fate::Kept(Why::NotOurs) {
            newer += 1;
        }
        (image, fate)
    });
    judged.collect()
}

fn fate(image: &Stored, agent: &str, is_new: bool, deployed: &Deployed) -> Fate {
    let is_ours =
        image.agent.as_deref() == Some(agent) && image.tags.iter().any(|tag| is_content(tag));
    match image.created {
        Some(_) if is_ours && is_new => Fate::Kept(Why::New),
        _ if !is_ours => Fate::Kept(Why::NotOurs),
        _ if deployed.in_use.contains(&image.digest) => Fate::Kept(Why::InUse),
        _ if deployed.next.contains(&image.digest) => Fate::Kept(Why::Next),
        None => Fate::Kept(Why::Undated),
        Some(_) => Fate::Deleted,
    }
}

fn is_content(tag: &str) -> bool {
    let hex = tag.strip_prefix(CONTENT_TAG).unwrap_or_default();
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    !hex.is_empty() && hex.bytes().all(is_hex)
}

/// What a repository holds.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) images: Vec<Stored>,
    pub(crate) broken: Vec<Broken>,
}

/// What the registry lists and cannot show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) tags: Vec<String>,
    pub(crate) why: String,
    /// It may be any other image by one more name: a content tag is of no other.
    pub(crate) may_be_any: bool,
}

/// All that is in the repository; `label` is the name of the one that says whose an image is.
pub(crate) async fn stored(registry: &Registry, label: &str) -> Result<Holdings> {
    let tags = registry.tags().await?;
    let heads = stream::iter(tags).map(async |tag| {
        let digest = shown(registry, registry.head(&tag).await).await?;
        anyhow::Ok((digest, tag))
    });
    let mut found: Vec<_> = heads.buffered(AT_ONCE).try_collect().await?;
    // Not every registry lists them in order.
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    let mut all = Holdings::default();
    let mut images: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    for (digest, tag) in found {
        match digest {
            Ok(Some(digest)) => images.entry(digest).or_default().push(tag),
            Ok(None) => all.broken.push(Broken {
                tags: vec![tag],
                why: "the registry lists it, and has nothing by that name".to_owned(),
                may_be_any: false,
            }),
            Err(why) => all.broken.push(Broken {
                may_be_any: !is_content(&tag),
                tags: vec![tag],
                why,
            }),
        }
    }
    let described = stream::iter(images).map(async |(digest, tags)| {
        let image = described(registry, label, digest, tags.clone()).await;
        anyhow::Ok((shown(registry, image).await?, tags))
    });
    let described: Vec<_> = described.buffered(AT_ONCE).try_collect().await?;
    for (image, tags) in described {
        match image {
            Ok(image) => all.images.push(image),
            Err(why) => all.broken.push(Broken {
                tags,
                why,
                may_be_any: false,
            }),
        }
    }
    Ok(all)
}

/// What was found, or why not: an error is one of the image's own if the registry answers otherwise.
async fn shown<T>(registry: &Registry, found: Result<T>) -> Result<Result<T, String>> {
    match found {
        Err(why) if registry.answers().await => Ok(Err(format!("{why:#}"))),
        found => found.map(Ok),
    }
}

/// What bears no content tag stays anyway, and may be no image at all.
async fn described(
    registry: &Registry,
    label: &str,
    digest: Digest,
    tags: Vec<String>,
) -> Result<Stored> {
    let config = match tags.iter().any(|tag| is_content(tag)) {
        true => registry.config(&digest).await?,
        false => Value::Null,
    };
    Ok(Stored {
        created: created(&config),
        agent: config["config"]["Labels"][label]
            .as_str()
            .map(str::to_owned),
        digest,
        tags,
    })
}

/// Of a build from a cache the configuration has the date of the cache: the label counts.
fn created(config: &Value) -> Option<Timestamp> {
    let said = [&config["config"]["Labels"][CREATED], &config["created"]];
    said.into_iter().find_map(|one| one.as_str()?.parse().ok())
}

/// Whether it was there: what is gone already is as good.
pub(crate) async fn delete(registry: &Registry, image: &Digest) -> Result<bool> {
    let was_there = registry.delete(image).await?;
    forget_signatures(registry, image).await?;
    Ok(was_there)
}

/// What cosign left beside an image is good for nothing without it.
async fn forget_signatures(registry: &Registry, image: &Digest) -> Result<()> {
    let tag = image.as_str().replace(':', "-");
    for end in [".sig", ".att"] {
        if let Some(signature) = registry.head(&format!("{tag}{end}")).await? {
            registry.delete(&signature).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `digest` is a letter's.
    fn image(name: &str, tags: &[&str], day: Option<&str>, agent: Option<&str>) -> Stored {
        Stored {
            digest: Digest::of(name.as_bytes()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            created: day.map(|day| format!("2026-01-{day}T00:00:00Z").parse().unwrap()),
            agent: agent.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_is_ours_old_and_idle_goes() {
        let ours = Some("support");
        let stored = vec![
            image("newest", &["sha-a1", "latest"], Some("09"), ours),
            image("second", &["sha-a2"], Some("08"), ours),
            image("old", &["sha-a3", "v1"], Some("07"), ours),
            image("used", &["sha-a4"], Some("01"), ours),
            image("next", &["sha-a9"], Some("01"), ours),
            image("oldest", &["sha-a5"], Some("02"), ours),
            image("undated", &["sha-a6"], None, ours),
            image("another", &["sha-a7"], Some("01"), Some("sales")),
            image("by hand", &["v0", "sha-nothex"], Some("01"), ours),
            image("unlabelled", &["sha-a8"], Some("01"), None),
        ];
        let deployed = Deployed {
            in_use: BTreeSet::from([Digest::of(b"used"), Digest::of(b"another")]),
            next: BTreeSet::from([Digest::of(b"next")]),
            ..Deployed::default()
        };
        let judged = judge(stored, "support", 3, &deployed);
        let fate = |name: &str| {
            let digest = Digest::of(name.as_bytes());
            judged
                .iter()
                .find(|(image, _)| image.digest == digest)
                .unwrap()
                .1
        };
        let cases = [
            ("newest", Fate::Kept(Why::New)),
            ("second", Fate::Kept(Why::New)),
            ("old", Fate::Deleted),
            ("oldest", Fate::Deleted),
            ("used", Fate::Kept(Why::InUse)),
            ("next", Fate::Kept(Why::Next)),
            ("undated", Fate::Kept(Why::Undated)),
            ("another", Fate::Kept(Why::NotOurs)),
            ("by hand", Fate::Kept(Why::NotOurs)),
            ("unlabelled", Fate::Kept(Why::NotOurs)),
        ];
        for (name, expected) in cases {
            assert_eq!(fate(name), expected, "{name}");
        }
    }

    #[test]
    fn an_image_is_as_old_as_its_label_says() {
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00.5Z");
        let cases = [
            (json!({"created": old}), Some(old)),
            (
                json!({"created": old, "config": {"Labels": {CREATED: new}}}),
                Some(new),
            ),
            (
                json!({"created": old, "config": {"Labels": {CREATED: ""}}}),
                Some(old),
            ),
            (
                json!({"created": old, "config": {"Labels": null}}),
                Some(old),
            ),
            (json!({"config": {"Labels": {CREATED: new}}}), Some(new)),
            (json!({"created": "yesterday"}), None),
            (Value::Null, None),
        ];
        for (config, wanted) in cases {
            let wanted = wanted.map(|text| text.parse().unwrap());
            assert_eq!(created(&config), wanted, "{config}");
        }
    }

    /// Built in another order than they were deployed in, by two environments.
    #[test]
    fn releases_go_by_their_numbers_and_not_by_when_they_were_built() {
        let ours = Some("support");
        let of = |name: &str, day: &str| image(name, &["sha-a1"], Some(day), ours);
        let stored = vec![
            of("pushed now", "09"),
            of("r1", "08"),
            of("never deployed", "07"),
            of("r2 of prod", "06"),
            of("r3", "02"),
            of("r2", "01"),
        ];
        let digests = |names: &[&str]| {
            let digests = names.iter().map(|name| Digest::of(name.as_bytes()));
            digests.collect::<Vec<_>>()
        };
        let mut deployed = Deployed::default();
        deployed.rank(digests(&["r3", "r2", "r1"]));
        deployed.rank(digests(&["r2 of prod", "r3"]));
        let judged = judge(stored, "support", 3, &deployed);
        let names = [
            "pushed now",
            "r2 of prod",
            "r3",
            "r2",
            "r1",
            "never deployed",
        ];
        let order: Vec<_> = judged
            .iter()
            .map(|(image, _)| image.digest.clone())
            .collect();
        assert_eq!(order, digests(&names));
        let kept = judged.iter().map(|(_, fate)| *fate == Fate::Kept(Why::New));
        assert_eq!(kept.filter(|kept| *kept).count(), 3);
    }
}
