//! Secrets that the External Secrets operator fetches into the cluster, and the stores they are in.
//! Only references are written: a value is never in a file.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Part, env};
use crate::render::Input;
use crate::spec::{SecretSource, SecretStore};

const VAULT: &str = "vault";

/// One secret of a store.
struct Entry<'a> {
    name: &'a str,
    store: &'a str,
    key: String,
    /// The field of an entry that has several.
    property: Option<&'a str>,
}

pub(super) fn parts(input: &Input) -> Vec<Part> {
    let entries: Vec<Entry<'_>> = entries(input).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let secrets: Vec<Value> = entries.iter().map(|entry| entry_of(entry, input)).collect();
    let name = env::external(input);
    let context = json!({ "metadata": input.metadata(&name), "target": name, "secrets": secrets });
    let external = Part::new(
        "kubernetes/external-secret.yaml",
        "external-secret",
        context,
    );
    stores(&entries, input).chain([external]).collect()
}

fn entries(input: &Input) -> impl Iterator<Item = Entry<'_>> {
    let secrets = input.spec.secrets.iter();
    secrets.filter_map(|(name, source)| match source {
        SecretSource::Vault(place) => {
            let (path, field) = place.split_once('#')?;
            let key = below_mount(path, input).to_owned();
            Some(Entry {
                name,
                store: VAULT,
                key,
                property: Some(field),
            })
        }
        SecretSource::External(place) => {
            let (store, key) = place.split_once('/')?;
            Some(Entry {
                name,
                store,
                key: key.to_owned(),
                property: None,
            })
        }
        _ => None,
    })
}

/// Paths are written as Vault's API has them; the store names the mount already.
fn below_mount<'a>(path: &'a str, input: &Input) -> &'a str {
    let Some(SecretStore::Vault { mount, .. }) = input.spec.stores.get(VAULT) else {
        return path;
    };
    let below = path.strip_prefix(mount.as_str());
    let below = below.and_then(|below| below.strip_prefix('/'));
    let below = below.map(|below| below.strip_prefix("data/").unwrap_or(below));
    below.unwrap_or(path)
}

fn entry_of(entry: &Entry<'_>, input: &Input) -> Value {
    let own = input.spec.stores.contains_key(entry.store);
    let (store, kind) = match own {
        true => (store_name(entry.store, input), "SecretStore"),
        false => (entry.store.to_owned(), "ClusterSecretStore"),
    };
    json!({
        "name": entry.name,
        "key": entry.key,
        "property": entry.property,
        "store": store,
        "kind": kind,
    })
}

fn store_name(store: &str, input: &Input) -> String {
    format!("{}-{store}", input.agent())
}

/// Those of `[stores]` that a secret is in.
fn stores<'a>(entries: &[Entry<'a>], input: &'a Input) -> impl Iterator<Item = Part> {
    let used: BTreeSet<&str> = entries.iter().map(|entry| entry.store).collect();
    let used = used
        .into_iter()
        .filter_map(|name| Some((name, input.spec.stores.get(name)?)));
    used.map(|(name, store)| {
        let file = format!("secret-store-{name}");
        Part::new(
            "kubernetes/secret-store.yaml",
            file,
            of_store(name, store, input),
        )
    })
}

fn of_store(name: &str, store: &SecretStore, input: &Input) -> Value {
    let (vault, aws, gcp) = match store {
        SecretStore::Vault {
            server,
            mount,
            role,
        } => (
            json!({ "server": server, "mount": mount, "role": role }),
            Value::Null,
            Value::Null,
        ),
        SecretStore::Aws { region, role } => (
            Value::Null,
            json!({ "region": region, "role": role }),
            Value::Null,
        ),
        SecretStore::Gcp { project } => (Value::Null, Value::Null, json!({ "project": project })),
    };
    json!({
        "metadata": input.metadata(&store_name(name, input)),
        "account": input.agent(),
        "vault": vault,
        "aws": aws,
        "gcp": gcp,
    })
}
