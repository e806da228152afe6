//! On which nodes of a cluster a replica may run, and which it prefers.

use serde_json::{Map, Value, json};

use super::replicas;
use crate::render::filled::filled;
use crate::render::{Failure, Input, Templates};
use crate::spec::{Gpu, Quantity, Toleration};

/// How the usual clouds mark nodes that they may take away: by a label, and some by a taint of the
/// same name and value.
const SPOT: [(&str, &str); 5] = [
    ("karpenter.sh/capacity-type", "spot"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("cloud.google.com/gke-spot", "true"),
    ("cloud.google.com/gke-preemptible", "true"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
];

const MIB: u128 = 1000 << 20;

/// `labels`, `tolerations` and `affinity`; null where nothing is asked for.
pub(super) fn nodes(input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let apart = replicas::several(input).then(|| input.workload_selector());
    of(input, templates, apart)
}

/// As for a replica, for what does not have to keep apart from its like.
pub(super) fn of(
    input: &Input,
    templates: &Templates,
    apart: Option<Map<String, Value>>,
) -> Result<Value, Failure> {
    let labels = &input.spec.run.nodes.labels;
    let tolerations = tolerations(input);
    Ok(json!({
        "labels": filled(labels.clone()),
        "tolerations": filled(tolerations),
        "affinity": affinity(input, templates, apart)?,
    }))
}

fn tolerations(input: &Input) -> Vec<Value> {
    let run = &input.spec.run;
    let own = run.nodes.tolerations.iter().map(toleration);
    // Nodes with graphics processors are kept free for whoever needs them, by their usual name.
    let gpu = run.gpu.iter().flat_map(|gpu| taints(&gpu.kind));
    let gpu = gpu.map(|key| json!({ "key": key, "operator": "Exists", "effect": "NoSchedule" }));
    let spot = SPOT.iter().filter(|_| run.spot);
    let spot = spot.map(
        |(key, value)| json!({ "key": key, "operator": "Equal", "value": value, "effect": "NoSchedule" }),
    );
    own.chain(gpu).chain(spot).collect()
}

/// Parts of NVIDIA's (`nvidia.com/mig-1g.5gb`) are on nodes that are marked as all of theirs.
fn taints(kind: &str) -> impl Iterator<Item = &str> {
    const NVIDIA: &str = "nvidia.com/gpu";
    let is_part = kind.starts_with("nvidia.com/") && kind != NVIDIA;
    is_part.then_some(NVIDIA).into_iter().chain([kind])
}

fn toleration(toleration: &Toleration) -> Value {
    let operator = match toleration.value {
        Some(_) => "Equal",
        None => "Exists",
    };
    json!({
        "key": toleration.key,
        "operator": operator,
        "value": toleration.value,
        "effect": toleration.effect,
    })
}

fn affinity(
    input: &Input,
    templates: &Templates,
    apart: Option<Map<String, Value>>,
) -> Result<Option<Value>, Failure> {
    let memory = input.spec.run.gpu.as_ref().and_then(gpu_memory);
    let spot = input.spec.run.spot.then(spot);
    if memory.is_none() && spot.is_none() && apart.is_none() {
        return Ok(None);
    }
    let context = json!({ "gpu_memory": memory, "spot": spot, "apart": apart });
    templates
        .object("kubernetes/affinity.yaml", &context)
        .map(Some)
}

/// What NVIDIA's feature discovery says of a node, in MiB.
fn gpu_memory(gpu: &Gpu) -> Option<Value> {
    let above = mib(gpu.memory.as_ref()?).saturating_sub(1);
    Some(json!({ "label": format!("{}.memory", gpu.kind), "above": above.to_string() }))
}

fn mib(quantity: &Quantity) -> u128 {
    quantity.milli().div_ceil(MIB)
}

fn spot() -> Vec<Value> {
    let labels = SPOT.iter();
    labels
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}
