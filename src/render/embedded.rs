macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "compose/collector.yaml",
    "compose/compose.yaml",
    "compose/container.yaml",
    "compose/front.conf",
    "kubernetes/beside-deployment.yaml",
    "kubernetes/beside-pod.yaml",
    "kubernetes/beside-service.yaml",
    "kubernetes/beside-statefulset.yaml",
    "kubernetes/config.yaml",
    "kubernetes/container.yaml",
    "kubernetes/deployment.yaml",
    "kubernetes/pod.yaml",
    "kubernetes/service.yaml",
];
