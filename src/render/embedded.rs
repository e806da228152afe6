macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "dockerfile/args",
    "dockerfile/go",
    "dockerfile/last",
    "dockerfile/mounts",
    "dockerfile/node",
    "dockerfile/node.npm",
    "dockerfile/node.pnpm",
    "dockerfile/node.yarn",
    "dockerfile/packages",
    "dockerfile/python",
    "dockerfile/python.pip",
    "dockerfile/python.poetry",
    "dockerfile/python.uv",
    "dockerfile/rust",
    "dockerfile/secrets",
    "dockerignore",
    "kubernetes/config.yaml",
    "kubernetes/container.yaml",
    "kubernetes/deployment.yaml",
    "kubernetes/pod.yaml",
    "kubernetes/service.yaml",
];
