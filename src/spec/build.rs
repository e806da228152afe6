use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// How the image is built; without it a ready image is named in `[image]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    /// What the agent is written in; dockerfile: the folder has a Dockerfile of its own.
    pub(crate) runtime: Runtime,
    /// The runtime's version, as its base image writes it, like `3.12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "tag"))]
    pub(crate) version: Option<String>,
    /// What installs the dependencies; not given: what the lock file in the folder tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manager: Option<Manager>,
    /// Program and arguments of the image, no shell; not given: `run.command`, or what the runtime
    /// usually starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entry: Vec<String>,
    /// The folder that is built from, beside agent.toml.
    #[serde(default = "here")]
    #[schemars(extend("format" = "beside"))]
    pub(crate) context: String,
    /// The Dockerfile in that folder, for `runtime = "dockerfile"`.
    #[serde(default = "dockerfile")]
    #[schemars(extend("format" = "beside"))]
    pub(crate) dockerfile: String,
    /// Debian packages that the agent needs while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "format": "package"}))]
    pub(crate) system_packages: Vec<String>,
    /// A CUDA version, like `12.4.1`: the base is NVIDIA's runtime image of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "tag"))]
    pub(crate) cuda: Option<String>,
    /// Platforms to build for, like `linux/amd64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "format": "platform"}))]
    pub(crate) platforms: Vec<String>,
    /// Build arguments; never secrets: they stay readable in the image's history.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "variable"}))]
    pub(crate) args: BTreeMap<String, Template>,
    /// Variables that are mounted as files while dependencies are installed, and never in a layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "format": "variable"}))]
    pub(crate) secrets: Vec<String>,
    /// Files that look like secrets and are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<Allow>,
}

/// Files that the scan for secrets would refuse, and somebody looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    /// A path in the context, or a pattern as in .dockerignore, like `tests/fixtures/*.pem`.
    #[schemars(extend("format" = "pattern"))]
    pub(crate) path: String,
    /// Why they are no secrets, for whoever reads this next.
    #[schemars(length(min = 1))]
    pub(crate) reason: String,
}

fn here() -> String {
    ".".to_owned()
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runtime {
    Python,
    Node,
    Rust,
    Go,
    Dockerfile,
}

/// What installs the dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Manager {
    Pip,
    Uv,
    Poetry,
    Npm,
    Pnpm,
    Yarn,
}

/// What the tag begins with that says what is in an image. Only agentctl makes such tags, and
/// believes them.
pub(crate) const CONTENT_TAG: &str = "sha-";

/// Where the image is kept, and what it is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Image {
    /// A ready image to run, instead of a `[build]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "image"))]
    pub(crate) image: Option<String>,
    /// The repository that a built image is pushed to; not given: the agent's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "repository"))]
    pub(crate) repository: Option<String>,
    /// Tags beside the one made from the contents; `{version}`, `{git_sha}`, `{branch}` and
    /// `{date}` are put in.
    #[schemars(extend("items" = {"type": "string", "format": "tag-pattern"}))]
    pub(crate) tags: Vec<String>,
    /// How many releases' images are kept; never less than what runs or may be gone back to.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) keep: u32,
    /// What cosign signs a pushed image with, where it is on PATH: `keyless`, or a key's file or
    /// KMS address like `awskms:///alias/release`; not given: nothing is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub(crate) sign: Option<String>,
    /// Nodes pull before the first step.
    pub(crate) prepull: bool,
    /// Existing Secrets of the cluster that hold registry credentials.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "format": "object-name"}))]
    pub(crate) pull_secrets: Vec<String>,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            image: None,
            repository: None,
            tags: Vec::new(),
            keep: 15,
            sign: None,
            prepull: false,
            pull_secrets: Vec::new(),
        }
    }
}
