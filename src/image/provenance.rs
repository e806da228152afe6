//! Where an image came from, told in its labels.
//!
//! Invariant: a key has one value. A Dockerfile that makes labels of `OCI_…` arguments is given
//! these, and the engine no label of the same name.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::dockerfile::Dockerfile;

pub(super) const BASE_NAME: &str = "org.opencontainers.image.base.name";
pub(super) const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// The label that says whose an image is.
pub(crate) const OF_AGENT: &str = "dev.agentctl.agent";

/// The label that says when an image was built. What is built from a cache has the dates of that,
/// and would pass for older than it is.
pub(super) const CREATED: &str = "org.opencontainers.image.created";

/// The label that says which contents an image was made of: its content tag.
pub(super) const CONTENT: &str = "dev.agentctl.content";

/// What is known where the image is built; `None` makes no label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provenance {
    pub(crate) agent: String,
    pub(crate) source: Option<String>,
    pub(crate) version: Option<String>,
    /// The commit.
    pub(crate) revision: Option<String>,
    /// When it is built.
    pub(crate) created: Option<Timestamp>,
    /// Whether something was changed since the commit.
    pub(crate) dirty: Option<bool>,
    /// The tag that says what is in it.
    pub(crate) content: String,
    /// The last stage's image and, where it is known, its digest.
    pub(crate) base: Option<(String, Option<String>)>,
}

type Pairs = BTreeMap<String, String>;

impl Provenance {
    /// Those that the Dockerfile takes.
    pub(crate) fn args(&self, dockerfile: &Dockerfile) -> Pairs {
        let taken = self.said().into_iter().filter(|one| one.by_arg(dockerfile));
        let pairs = taken.filter_map(|one| Some((one.arg?.to_owned(), one.value?)));
        pairs.collect()
    }

    /// All but those that the Dockerfile makes of its arguments.
    pub(crate) fn labels(&self, dockerfile: &Dockerfile) -> Pairs {
        let others = self
            .said()
            .into_iter()
            .filter(|one| !one.by_arg(dockerfile));
        let pairs = others.filter_map(|one| Some((one.label.to_owned(), one.value?)));
        pairs.collect()
    }

    fn said(&self) -> [Said; 11] {
        let (name, digest) = self.base.clone().unzip();
        let oci = |arg, label, value| Said { arg, label, value };
        let own = |label, value: &str| oci(None, label, Some(value.to_owned()));
        let agentctl = env!("CARGO_PKG_VERSION");
        [
            oci(
                Some("OCI_TITLE"),
                "org.opencontainers.image.title",
                Some(self.agent.clone()),
            ),
            oci(
                Some("OCI_SOURCE"),
                "org.opencontainers.image.source",
                self.source.clone(),
            ),
            oci(
                Some("OCI_VERSION"),
                "org.opencontainers.image.version",
                self.version.clone(),
            ),
            oci(
                Some("OCI_REVISION"),
                "org.opencontainers.image.revision",
                self.revision.clone(),
            ),
            oci(
                Some("OCI_CREATED"),
                CREATED,
                self.created.map(|at| at.to_string()),
            ),
            oci(None, BASE_NAME, name),
            oci(None, BASE_DIGEST, digest.flatten()),
            own(OF_AGENT, &self.agent),
            own(CONTENT, &self.content),
            own("dev.agentctl.version", agentctl),
            oci(
                None,
                "dev.agentctl.dirty",
                self.dirty.map(|dirty| dirty.to_string()),
            ),
        ]
    }
}

struct Said {
    /// The argument that the templates make this label of.
    arg: Option<&'static str>,
    label: &'static str,
    value: Option<String>,
}

impl Said {
    fn by_arg(&self, dockerfile: &Dockerfile) -> bool {
        self.arg.is_some_and(|arg| dockerfile.takes(arg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance {
            agent: "greeter".to_owned(),
            version: Some("1.2".to_owned()),
            content: "sha-1".to_owned(),
            base: Some(("a:1".to_owned(), None)),
            dirty: Some(true),
            ..Provenance::default()
        }
    }

    #[test]
    fn a_label_comes_from_the_dockerfile_or_from_outside() {
        let cases = [
            ("FROM a", false),
            ("FROM a\nARG OCI_VERSION=\"\"\nLABEL v=$OCI_VERSION", true),
        ];
        for (text, by_arg) in cases {
            let dockerfile = Dockerfile::parse(text);
            let args = provenance().args(&dockerfile);
            let labels = provenance().labels(&dockerfile);
            assert_eq!(args.contains_key("OCI_VERSION"), by_arg, "{text}");
            let label = labels.contains_key("org.opencontainers.image.version");
            assert_eq!(label, !by_arg, "{text}");
        }
    }

    #[test]
    fn only_what_is_known_is_said() {
        let unknown = Provenance::default().labels(&Dockerfile::parse("FROM a:1"));
        assert!(!unknown.contains_key("dev.agentctl.dirty"), "{unknown:?}");
        let labels = provenance().labels(&Dockerfile::parse("FROM a:1"));
        let said: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let wanted = [
            "dev.agentctl.agent=greeter",
            "dev.agentctl.content=sha-1",
            "dev.agentctl.dirty=true",
            concat!("dev.agentctl.version=", env!("CARGO_PKG_VERSION")),
            "org.opencontainers.image.base.name=a:1",
            "org.opencontainers.image.title=greeter",
            "org.opencontainers.image.version=1.2",
        ];
        assert_eq!(said, wanted);
    }
}
