//! The tags that `image.tags` asks for.

use anyhow::Result;

use super::git::{Commit, Unknown};
use crate::advice::{advice, because};

const LONGEST: usize = 128;
/// What was built from more than the commit does not bear the name of a commit, branch, version or
/// day alone. A tag without any of them says nothing that could be wrong.
const DIRTY: &str = "-dirty";

/// What may stand in a pattern.
pub(crate) struct Known<'a> {
    pub(crate) version: Option<&'a str>,
    pub(crate) commit: Result<&'a Commit, &'a Unknown>,
    /// Today, like `20260131`.
    pub(crate) date: &'a str,
}

/// In the order of the patterns, each once.
pub(crate) fn tags(patterns: &[String], known: &Known) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    for pattern in patterns {
        let tag = tag(pattern, known)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn tag(pattern: &str, known: &Known) -> Result<String> {
    let mut tag = pattern.to_owned();
    for place in ["{version}", "{git_sha}", "{branch}", "{date}"] {
        if tag.contains(place) {
            let value = value(place, known).ok_or_else(|| unknown(pattern, place, known))?;
            tag = tag.replace(place, &value);
        }
    }
    if tag != pattern && known.commit.is_ok_and(|commit| commit.is_dirty) {
        tag += DIRTY;
    }
    match is_tag(&tag) {
        true => Ok(tag),
        false => Err(advice(
            format!("\"{pattern}\" of image.tags makes \"{tag}\", which is no tag"),
            "a tag has up to 128 letters, digits, _, . and -, and begins with none of . and -",
        )),
    }
}

fn value(place: &str, known: &Known) -> Option<String> {
    match place {
        "{version}" => known.version.map(str::to_owned),
        "{git_sha}" => Some(known.commit.ok()?.short().to_owned()),
        "{branch}" => known.commit.ok()?.branch.as_deref().map(plain),
        _ => Some(known.date.to_owned()),
    }
}

fn plain(branch: &str) -> String {
    branch
        .chars()
        .map(|c| if may_stand(c) { c } else { '-' })
        .collect()
}

fn unknown(pattern: &str, place: &str, known: &Known) -> anyhow::Error {
    let what = format!("\"{pattern}\" of image.tags wants {place}, and nothing tells it");
    match (place, known.commit) {
        ("{version}", _) => advice(
            what,
            "say it in agent.toml: agent.version, or take it out of image.tags",
        ),
        (_, Err(why @ Unknown::Refused { .. })) => because(what, why.to_string(), why.hint()),
        (_, Err(why)) => advice(what, why.hint()),
        _ => advice(
            what,
            "no branch is checked out, and no variable of a CI names one: git switch BRANCH, BRANCH_NAME=… \
             before the command, or take it out of image.tags",
        ),
    }
}

fn may_stand(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

pub(crate) fn is_tag(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.chars().all(may_stand)
        && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(branch: Option<&str>, is_dirty: bool) -> Commit {
        Commit {
            hash: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            branch: branch.map(str::to_owned),
            is_dirty,
            origin: None,
        }
    }

    fn made(
        pattern: &str,
        version: Option<&str>,
        commit: Result<&Commit, &Unknown>,
    ) -> Result<String> {
        let known = Known {
            version,
            commit,
            date: "20260131",
        };
        Ok(tags(&[pattern.to_owned()], &known)?.remove(0))
    }

    #[test]
    fn patterns_become_tags() {
        let (clean, dirty) = (
            commit(Some("feature/x#1"), false),
            commit(Some("main"), true),
        );
        let cases = [
            ("latest", &clean, "latest"),
            ("v{version}", &clean, "v1.2.0"),
            ("{git_sha}", &clean, "0123456789ab"),
            ("{git_sha}", &dirty, "0123456789ab-dirty"),
            ("{branch}", &clean, "feature-x-1"),
            ("{branch}-{date}", &clean, "feature-x-1-20260131"),
            ("{branch}-{date}", &dirty, "main-20260131-dirty"),
            ("{git_sha}-slim", &dirty, "0123456789ab-slim-dirty"),
            ("v{version}", &dirty, "v1.2.0-dirty"),
            ("latest", &dirty, "latest"),
        ];
        for (pattern, commit, tag) in cases {
            assert_eq!(made(pattern, Some("1.2.0"), Ok(commit)).unwrap(), tag);
        }
    }

    #[test]
    fn what_makes_no_tag_is_an_error() {
        let (detached, dashed) = (commit(None, false), commit(Some("/x"), false));
        let long = "x".repeat(129);
        let none = Err(&Unknown::NoCommit);
        let refused = Unknown::Refused {
            folder: "/a".into(),
            said: String::new(),
            hint: "git config".to_owned(),
        };
        let cases = [
            ("{version}", None, none, "agent.version"),
            ("{git_sha}", None, none, "no git commit"),
            ("{git_sha}", None, Err(&Unknown::NoGit), "no git on PATH"),
            ("{branch}", None, Err(&refused), "git config"),
            ("{branch}", None, Ok(&detached), "git switch"),
            ("{branch}", None, Ok(&dashed), "up to 128"),
            ("{version}", Some("1+2"), none, "up to 128"),
            (&long, None, none, "up to 128"),
        ];
        for (pattern, version, commit, words) in cases {
            let error = made(pattern, version, commit).unwrap_err();
            let hint = &error.downcast_ref::<crate::advice::Advice>().unwrap().hint;
            assert!(hint.contains(words), "{pattern}: {hint}");
        }
    }

    #[test]
    fn equal_tags_are_one() {
        let known = Known {
            version: Some("1"),
            commit: Err(&Unknown::NoCommit),
            date: "20260131",
        };
        let patterns = ["1", "{version}", "b"].map(str::to_owned);
        assert_eq!(tags(&patterns, &known).unwrap(), ["1", "b"]);
    }
}
