macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "ci/check.sh",
    "ci/deploy-docker.sh",
    "ci/deploy-kubernetes.sh",
    "ci/deploy-process.sh",
    "ci/github-deploy.yaml",
    "ci/github.yaml",
    "ci/gitlab-deploy.yaml",
    "ci/gitlab.yaml",
    "ci/image.sh",
    "ci/notify.sh",
    "ci/smoke-kubernetes.sh",
    "ci/smoke-process.sh",
    "ci/test-go.sh",
    "ci/test-node.sh",
    "ci/test-python.sh",
    "ci/test-rust.sh",
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
