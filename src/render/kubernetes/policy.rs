//! Who may reach a replica, and what it may reach. A policy of the cluster knows no names but those
//! of pods and namespaces: a host outside is any public address, on its port alone.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{Part, probes};
use crate::render::{Input, telemetry};
use crate::spec::Mode;

/// Not on the Internet: other machines of the network, and the cloud's own service on each node.
const PRIVATE: [&str; 7] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "0.0.0.0/8",
];
const PRIVATE_V6: [&str; 3] = ["fc00::/7", "fe80::/10", "::1/128"];

/// A host of two words is a Service in a namespace, unless it ends like these or with a country.
const PUBLIC: [&str; 10] = [
    "com", "net", "org", "edu", "gov", "info", "dev", "app", "cloud", "tech",
];

/// Merged figures, health and figures of Istio's proxy.
const PROXY: [u16; 3] = [15020, 15021, 15090];

/// What the proxy gets its certificates and routes from.
const MESH: (&str, u16) = ("istiod.istio-system.svc", 15012);

pub(super) fn parts(input: &Input) -> Vec<Part> {
    let (metadata, selector) = match input.traffic.by {
        // What serves must not get the ports and hosts of what is to follow.
        None => (
            input.release_metadata(&input.release_name()),
            input.release_selector(),
        ),
        Some(_) => (input.metadata(input.agent()), input.selector()),
    };
    let context = json!({
        "metadata": metadata,
        "selector": selector,
        "ingress": ingress(input),
        "egress": egress(input),
    });
    vec![Part::new(
        "kubernetes/network-policy.yaml",
        "network-policy",
        context,
    )]
}

/// The agent's port, and those on which a mesh's own proxy tells of itself and of the agent.
fn ingress(input: &Input) -> Vec<u16> {
    let own = probes::listens(input).then_some(input.spec.run.port);
    let proxy = input.in_mesh().then_some(PROXY).into_iter().flatten();
    own.into_iter().chain(proxy).collect()
}

/// `None`: all.
fn egress(input: &Input) -> Option<Vec<Value>> {
    let named = input.spec.network.allow.as_ref()?;
    let named = named
        .iter()
        .filter_map(|endpoint| endpoint.rsplit_once(':'));
    let named = named.filter_map(|(host, port)| Some((host, port.parse().ok()?)));
    let mut rules: Vec<Value> = Vec::new();
    let traces = telemetry::leaves_for(&input.spec).and_then(authority);
    let mesh = input.in_mesh().then_some(MESH);
    for (host, port) in named.chain(traces).chain(mesh) {
        let to = peers(host, input);
        let rule = json!({ "to": to, "port": port });
        if !to.is_empty() && !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    Some(rules)
}

/// The host and the port of a URL.
fn authority(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let all = rest.split(['/', '?', '#']).next()?;
    let host = all.rsplit_once('@').map_or(all, |(_, host)| host);
    let usual = if scheme == "https" { 443 } else { 80 };
    match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, port.parse().ok()?)),
        _ => Some((host, usual)),
    }
}

/// Who answers by this name; nobody else for what is in the same pod.
fn peers(host: &str, input: &Input) -> Vec<Value> {
    let words: Vec<&str> = host.split('.').collect();
    match (block(host), words.as_slice()) {
        (Some((address, _)), _) if address.is_loopback() => Vec::new(),
        (Some((address, bits)), _) => vec![cidr(&format!("{address}/{bits}"))],
        (None, ["localhost"]) => Vec::new(),
        (None, [name]) if is_beside(name, input) => {
            vec![json!({ "podSelector": { "matchLabels": input.beside_selector(name) } })]
        }
        // Some other Service of the same namespace.
        (None, [_]) => vec![json!({ "podSelector": {} })],
        (None, words) => match namespace(words) {
            Some(namespace) => vec![of_namespace(namespace)],
            None => outside(),
        },
    }
}

fn is_beside(name: &str, input: &Input) -> bool {
    let tool = input.spec.tools.get(name);
    input.spec.services.contains_key(name) || tool.is_some_and(|tool| tool.mode == Mode::Service)
}

/// An address alone is a block of one; what is behind the block's bits is cleared.
fn block(host: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match host.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (host, None),
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    Some(match address.parse().ok()? {
        IpAddr::V4(address) => {
            let bits = bits.unwrap_or(32);
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            (IpAddr::V4((u32::from(address) & mask).into()), bits)
        }
        IpAddr::V6(address) => {
            let bits = bits.unwrap_or(128);
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            (IpAddr::V6((u128::from(address) & mask).into()), bits)
        }
    })
}

/// `service.namespace`, or any name with `.namespace.svc` in it.
fn namespace<'a>(words: &[&'a str]) -> Option<&'a str> {
    if let Some(at) = words.iter().rposition(|word| *word == "svc")
        && at >= 2
    {
        return words.get(at - 1).copied();
    }
    let public = |word: &str| word.len() == 2 || PUBLIC.contains(&word);
    match words {
        [_, namespace] if !public(namespace) => Some(namespace),
        _ => None,
    }
}

fn of_namespace(name: &str) -> Value {
    json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } } })
}

fn outside() -> Vec<Value> {
    vec![
        json!({ "ipBlock": { "cidr": "0.0.0.0/0", "except": PRIVATE } }),
        json!({ "ipBlock": { "cidr": "::/0", "except": PRIVATE_V6 } }),
    ]
}

fn cidr(block: &str) -> Value {
    json!({ "ipBlock": { "cidr": block } })
}
