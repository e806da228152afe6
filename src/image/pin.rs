//! `agent.lock`: the digest of each image that the agent is built on, so that a build next year
//! stands on what this one stood on.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::context::text;
use super::dockerfile::Dockerfile;
use super::registry::Digest;
use crate::advice::{Advise, advice};
use crate::durable;

pub(crate) const LOCK: &str = "agent.lock";
const HEADER: &str = "# The images this agent is built on, by digest. Commit it; agentctl build --pin makes it anew.\n\n";
const AGAIN: &str = "make it anew: agentctl build --pin";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// `sha256:…` by the image as the Dockerfile names it.
    pub(crate) bases: BTreeMap<String, String>,
}

impl Lock {
    /// `None`: nothing is pinned in this folder.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        match text(&folder.join(LOCK)) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).advise(
                format!("could not read {LOCK} in {}", folder.display()),
                "it has to be a file; move it away, and make it anew: agentctl build --pin",
            ),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let what = format!("could not understand {LOCK}");
        let lock: Self = toml::from_str(text).advise(&what, AGAIN)?;
        let is_none = |digest: &str| digest.parse::<Digest>().is_err();
        match lock.bases.iter().find(|(_, digest)| is_none(digest)) {
            Some((image, _)) => Err(advice(
                format!("{what}: {image} has no digest there"),
                AGAIN,
            )),
            None => Ok(lock),
        }
    }

    fn text(&self) -> Result<String> {
        Ok(HEADER.to_owned() + &toml::to_string(self)?)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        durable::replace(&folder.join(LOCK), self.text()?.as_bytes(), durable::SHARED)
            .with_context(|| format!("could not write {LOCK} in {}", folder.display()))
    }

    /// Those of its digests that this Dockerfile is built on: others change nothing. A base that it
    /// does not know is an error, since nobody would see that it is pinned no more.
    pub(crate) fn used(
        &self,
        dockerfile: &Dockerfile,
        args: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>> {
        let mut used = BTreeMap::new();
        for base in dockerfile.bases(args) {
            match self.bases.get(&base.image) {
                Some(digest) => drop(used.insert(base.image, digest.clone())),
                None if base.image.contains('@') => {}
                None => {
                    let (image, line) = (&base.image, base.line);
                    let what =
                        format!("{LOCK} does not name {image} (line {line} of the Dockerfile)");
                    return Err(advice(what, "pin it too: agentctl build --pin"));
                }
            }
        }
        Ok(used)
    }
}

/// Asks for the digest of each base that does not name its own.
pub(crate) async fn pin(
    dockerfile: &Dockerfile,
    args: &BTreeMap<String, String>,
    resolve: impl AsyncFn(&str) -> Result<String>,
) -> Result<Lock> {
    let mut lock = Lock::default();
    for base in dockerfile.bases(args) {
        if base.image.contains('@') || lock.bases.contains_key(&base.image) {
            continue;
        }
        let digest = resolve(&base.image).await.advise(
            format!("could not pin {} (line {})", base.image, base.line),
            "only a registry gives a digest that others can pull by: push the base to one, or build without --pin",
        )?;
        lock.bases.insert(base.image, digest);
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use anyhow::bail;

    use super::*;

    fn digest(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[tokio::test]
    async fn what_is_pinned_is_read_again() {
        let text = "FROM python:3.13 AS a\nFROM a\nFROM python:3.13\nFROM b@sha256:0";
        let dockerfile = Dockerfile::parse(text);
        let none = BTreeMap::new();
        let lock = pin(&dockerfile, &none, async |_| Ok(digest("a"))).await;
        let lock = lock.unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), None);
        lock.write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap().as_ref(), Some(&lock));
        let written = fs::read_to_string(folder.path().join(LOCK)).unwrap();
        let line = format!("[bases]\n\"python:3.13\" = \"{}\"\n", digest("a"));
        assert_eq!(written, format!("{HEADER}{line}"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(lock.used(&dockerfile, &none).unwrap(), lock.bases);
        let none_of_it = Dockerfile::parse("FROM c@sha256:0 AS d\nFROM scratch\nFROM d");
        assert_eq!(lock.used(&none_of_it, &none).unwrap(), BTreeMap::new());
    }

    #[tokio::test]
    async fn a_base_that_no_registry_has_is_named() {
        let dockerfile = Dockerfile::parse("\nFROM mine:1");
        let none = BTreeMap::new();
        let error = pin(&dockerfile, &none, async |_| bail!("404")).await;
        let error = format!("{:#}", error.unwrap_err());
        assert_eq!(error, "could not pin mine:1 (line 2): 404");
    }

    #[test]
    fn a_base_that_is_pinned_no_more_is_told() {
        let lock = Lock {
            bases: [("a:1".to_owned(), digest("a"))].into(),
        };
        let dockerfile = Dockerfile::parse("FROM a:1 AS one\nFROM a:2\nCOPY --from=one x x");
        let error = lock.used(&dockerfile, &BTreeMap::new()).unwrap_err();
        let wanted = "agent.lock does not name a:2 (line 2 of the Dockerfile)";
        assert_eq!(error.to_string(), wanted);
    }

    #[test]
    fn what_is_no_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(LOCK)).unwrap();
        let error = Lock::read(folder.path()).unwrap_err();
        let hint = crate::advice::hint(&error).unwrap();
        assert!(hint.contains("agentctl build --pin"), "{hint}");
    }

    #[test]
    fn a_broken_lock_is_told() {
        let cases = [
            ("bases", "could not understand agent.lock"),
            (
                "[bases]\na = \"sha256:1\"",
                "could not understand agent.lock: a has no digest there",
            ),
            ("[base]", "could not understand agent.lock"),
        ];
        for (text, wanted) in cases {
            assert_eq!(Lock::parse(text).unwrap_err().to_string(), wanted, "{text}");
        }
    }
}
