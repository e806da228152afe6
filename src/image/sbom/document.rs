//! CycloneDX 1.6. No time and no random number is in it, so that the same image makes the same.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::found::Packages;
use super::package::{Licence, Package};
use crate::hex::hex;

pub(super) fn document(image: &str, digest: &str, packages: &Packages) -> Value {
    let components = packages.by_url.iter();
    let components: Vec<_> = components.map(|(url, one)| component(url, one)).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(digest),
        "version": 1,
        "metadata": {
            "tools": { "components": [{
                "type": "application",
                "name": "agentctl",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": {
                "bom-ref": digest,
                "type": "container",
                "name": image,
                "version": digest,
            },
        },
        "components": components,
    })
}

fn component(url: &str, package: &Package) -> Value {
    let (group, name) = match package.name.split_once('/') {
        Some((group, name)) => (Some(group), name),
        None => (None, package.name.as_str()),
    };
    let mut component = json!({
        "bom-ref": url,
        "type": "library",
        "name": name,
        "version": package.version,
        "purl": url,
    });
    if let Some(group) = group {
        component["group"] = json!(group);
    }
    if let Some(licence) = &package.licence {
        component["licenses"] = json!([match licence {
            Licence::Expression(text) => json!({ "expression": text }),
            Licence::Name(name) => json!({ "license": { "name": name } }),
        }]);
    }
    component
}

/// A UUID of the kind that is made of anything (version 8).
fn serial(digest: &str) -> String {
    let mut bytes = Sha256::digest(digest.as_bytes());
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes[..16]);
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("urn:uuid:{a}-{b}-{c}-{d}-{e}")
}
