//! The tag that says what is in an image: the same for the same files, recipe and bases.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::release::Identity;
use crate::spec::CONTENT_TAG;

/// Counts up when what the tag is made of changes, so that no old image passes for a new one.
const FORMAT: u32 = 3;
/// In characters: as long as a commit's.
const LENGTH: usize = 40;
/// They differ from commit to commit, or from build to build, while the image stays what it is.
const OF_THE_BUILD: [&str; 3] = ["OCI_VERSION", "OCI_REVISION", "OCI_CREATED"];

/// `sha-` and 40 hexadecimal digits. `platform` is like `linux/amd64`. A secret is told by its name: its value makes no image
/// another. Two agents never share an image: whose it is stands in it, and decides who may delete it.
pub(crate) fn content_tag<'a>(
    agent: &str,
    files: &Identity,
    dockerfile: &str,
    args: &BTreeMap<String, String>,
    secrets: impl IntoIterator<Item = &'a str>,
    platform: &str,
    bases: &BTreeMap<String, String>,
) -> String {
    let mut secrets: Vec<_> = secrets.into_iter().collect();
    secrets.sort_unstable();
    let of_the_build = |name: &String| OF_THE_BUILD.contains(&name.as_str());
    let lasting = args.iter().filter(|(name, _)| !of_the_build(name));
    let content = json!({
        "format": FORMAT,
        "agent": agent,
        "files": files,
        "dockerfile": dockerfile,
        "args": lasting.collect::<BTreeMap<_, _>>(),
        "secrets": secrets,
        "platform": platform,
        "bases": bases,
    });
    let mut digits = hex(&Sha256::digest(content.to_string().as_bytes()));
    digits.truncate(LENGTH);
    format!("{CONTENT_TAG}{digits}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Given {
        agent: &'static str,
        files: &'static [u8],
        dockerfile: &'static str,
        args: &'static [(&'static str, &'static str)],
        secrets: &'static [&'static str],
        platform: &'static str,
        bases: &'static [(&'static str, &'static str)],
    }

    const PLAIN: Given = Given {
        agent: "bot",
        files: b"files",
        dockerfile: "FROM a",
        args: &[("A", "1")],
        secrets: &["TOKEN"],
        platform: "linux/amd64",
        bases: &[("a", "sha256:1")],
    };

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs.map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    fn tag(given: &Given) -> String {
        content_tag(
            given.agent,
            &Identity::of(given.files),
            given.dockerfile,
            &map(given.args),
            given.secrets.iter().copied(),
            given.platform,
            &map(given.bases),
        )
    }

    #[test]
    fn every_part_makes_another() {
        let given = [
            PLAIN,
            Given {
                agent: "other",
                ..PLAIN
            },
            Given {
                files: b"other",
                ..PLAIN
            },
            Given {
                dockerfile: "FROM a\n",
                ..PLAIN
            },
            Given { args: &[], ..PLAIN },
            Given {
                args: &[("A", "2")],
                ..PLAIN
            },
            Given {
                args: &[("A1", "")],
                ..PLAIN
            },
            Given {
                secrets: &[],
                ..PLAIN
            },
            Given {
                secrets: &["TOKEN", "A"],
                ..PLAIN
            },
            Given {
                platform: "linux/arm64",
                ..PLAIN
            },
            Given {
                bases: &[],
                ..PLAIN
            },
            Given {
                bases: &[("a", "sha256:2")],
                ..PLAIN
            },
        ];
        let tags: BTreeSet<_> = given.iter().map(tag).collect();
        assert_eq!(tags.len(), given.len());
        for tag in tags {
            let hash = tag.strip_prefix("sha-").unwrap();
            assert_eq!(hash.len(), 40);
            assert!(hash.chars().all(|c| c.is_ascii_hexdigit()), "{tag}");
        }
    }

    #[test]
    fn what_only_the_build_changes_makes_the_same() {
        let same = [
            Given {
                args: &[
                    ("A", "1"),
                    ("OCI_VERSION", "2"),
                    ("OCI_REVISION", "f"),
                    ("OCI_CREATED", "now"),
                ],
                ..PLAIN
            },
            Given {
                secrets: &["TOKEN"],
                ..PLAIN
            },
        ];
        for given in same {
            assert_eq!(tag(&given), tag(&PLAIN));
        }
        let ordered = Given {
            secrets: &["A", "B"],
            ..PLAIN
        };
        let other = Given {
            secrets: &["B", "A"],
            ..PLAIN
        };
        assert_eq!(tag(&ordered), tag(&other));
    }

    #[test]
    fn the_form_is_kept() {
        assert_eq!(tag(&PLAIN), "sha-357c6f22e10e70aee632637110469f6395bdb58e");
    }
}
