macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "kubernetes/config.yaml",
    "kubernetes/container.yaml",
    "kubernetes/deployment.yaml",
    "kubernetes/pod.yaml",
    "kubernetes/service.yaml",
];
