macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "kubernetes/affinity.yaml",
    "kubernetes/collector.yaml",
    "kubernetes/config.yaml",
    "kubernetes/container.yaml",
    "kubernetes/container-security.yaml",
    "kubernetes/cron-job.yaml",
    "kubernetes/daemon-set.yaml",
    "kubernetes/deployment.yaml",
    "kubernetes/disruption-budget.yaml",
    "kubernetes/external-secret.yaml",
    "kubernetes/job.yaml",
    "kubernetes/job-spec.yaml",
    "kubernetes/namespace.yaml",
    "kubernetes/network-policy.yaml",
    "kubernetes/pod.yaml",
    "kubernetes/pod-security.yaml",
    "kubernetes/prepull.yaml",
    "kubernetes/secret-store.yaml",
    "kubernetes/service.yaml",
    "kubernetes/service-account.yaml",
    "kubernetes/service-headless.yaml",
    "kubernetes/stateful-set.yaml",
];
