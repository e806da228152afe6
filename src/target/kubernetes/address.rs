//! Where an object stands in the cluster's API.

use anyhow::Result;
use serde_json::Value;

use super::cluster::MANAGER;
use super::refusal::no_object;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// `Deployment support-agent-r13`.
pub(super) fn title(object: &Value) -> String {
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The path of this object.
pub(super) fn of(object: &Value, namespace: &str) -> Result<String> {
    let text = |field: &Value| field.as_str().map(str::to_owned);
    let parts = || {
        let (version, kind) = (text(&object["apiVersion"])?, text(&object["kind"])?);
        Some((version, kind, text(&object["metadata"]["name"])?))
    };
    let (version, kind, name) = parts().ok_or_else(|| no_object(&title(object)))?;
    Ok(format!("{}/{name}", all(&version, &kind, namespace)))
}

/// The path of all objects of a kind.
pub(super) fn all(version: &str, kind: &str, namespace: &str) -> String {
    let group = match version.contains('/') {
        true => format!("/apis/{version}"),
        false => format!("/api/{version}"),
    };
    match kind {
        "Namespace" => format!("{group}/namespaces"),
        _ => format!("{group}/namespaces/{namespace}/{}", plural(kind)),
    }
}

fn plural(kind: &str) -> String {
    let word = kind.to_lowercase();
    match word.as_str() {
        "endpoints" => word,
        word if word.ends_with('y') && !word.ends_with("gateway") => {
            format!("{}ies", word.strip_suffix('y').unwrap_or(word))
        }
        word if word.ends_with('s') => format!("{word}es"),
        word => format!("{word}s"),
    }
}

/// The part of a query that asks only for what has these labels.
pub(super) fn labelled(labels: &str) -> String {
    format!("&labelSelector={}", escaped(labels))
}

/// Asks only for what agentctl made for this agent.
pub(super) fn ours(agent: &str) -> String {
    labelled(&format!(
        "app.kubernetes.io/name={agent},{MANAGED_BY}={MANAGER}"
    ))
}

/// Whether agentctl made it.
pub(super) fn is_ours(object: &Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == MANAGER
}

/// As a part of a query: what is not plain is written as bytes.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let each = text.bytes().map(|byte| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_has_its_place() {
        let cases = [
            ("v1", "Service", "/api/v1/namespaces/agents/services/bot"),
            ("v1", "Namespace", "/api/v1/namespaces/bot"),
            ("v1", "Endpoints", "/api/v1/namespaces/agents/endpoints/bot"),
            (
                "networking.k8s.io/v1",
                "NetworkPolicy",
                "/apis/networking.k8s.io/v1/namespaces/agents/networkpolicies/bot",
            ),
            (
                "networking.k8s.io/v1",
                "Ingress",
                "/apis/networking.k8s.io/v1/namespaces/agents/ingresses/bot",
            ),
        ];
        for (version, kind, path) in cases {
            let object =
                json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "bot" } });
            assert_eq!(of(&object, "agents").unwrap(), path);
        }
        assert!(of(&json!({ "kind": "Service" }), "agents").is_err());
        assert_eq!(escaped("a=b,c"), "a%3Db%2Cc");
    }
}
