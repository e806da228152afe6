macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, by its path below `templates/`; a test compares the list with the folder.
pub(super) const EMBEDDED: &[(&str, &str)] = embed![
    "kubernetes/analysis-template.yaml",
    "kubernetes/canary.yaml",
    "kubernetes/config.yaml",
    "kubernetes/container.yaml",
    "kubernetes/dashboard.yaml",
    "kubernetes/deployment.yaml",
    "kubernetes/destination-rule.yaml",
    "kubernetes/grafana.yaml",
    "kubernetes/horizontal-pod-autoscaler.yaml",
    "kubernetes/http-route.yaml",
    "kubernetes/ingress.yaml",
    "kubernetes/kustomization.yaml",
    "kubernetes/metric-template.yaml",
    "kubernetes/pod-monitor.yaml",
    "kubernetes/pod.yaml",
    "kubernetes/prometheus-rule.yaml",
    "kubernetes/rollout.yaml",
    "kubernetes/scale-behavior.yaml",
    "kubernetes/scaled-object.yaml",
    "kubernetes/service-monitor.yaml",
    "kubernetes/service.yaml",
    "kubernetes/trigger-authentication.yaml",
    "kubernetes/vertical-pod-autoscaler.yaml",
    "kubernetes/virtual-service.yaml",
];
