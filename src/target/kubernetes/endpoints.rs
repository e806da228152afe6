//! Who is sent requests, as slices and the older Endpoints tell it. Pure.

use serde_json::Value;

/// What the cluster calls the owner of a slice.
pub(super) const OF_SERVICE: &str = "kubernetes.io/service-name";

/// A slice names its Service; Endpoints are called as theirs is.
pub(super) fn service_of(object: &Value) -> &str {
    let metadata = &object["metadata"];
    let labelled = metadata["labels"][OF_SERVICE].as_str();
    let name = metadata["name"].as_str().unwrap_or_default();
    labelled.unwrap_or(name)
}

/// Names of the pods that are ready to be sent to.
pub(super) fn addresses(object: &Value) -> Vec<&str> {
    let slices = object["endpoints"].as_array().into_iter().flatten();
    let slices = slices.filter(|one| one["conditions"]["ready"] != false);
    let subsets = object["subsets"].as_array().into_iter().flatten();
    let subsets = subsets.filter_map(|subset| subset["addresses"].as_array());
    slices
        .chain(subsets.flatten())
        .filter_map(|one| one["targetRef"]["name"].as_str())
        .collect()
}
