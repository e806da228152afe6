//! The objects as a Kustomize base, with an overlay for each environment that turns the base's
//! objects into those of that environment: exactly what rendering it alone gives.

mod difference;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Object, objects};
use crate::render::filled::filled;
use crate::render::{Failure, Files, Input, Templates, yaml};
use difference::difference;

const TEMPLATE: &str = "kubernetes/kustomization.yaml";
const BASE: &str = "../../base";

/// `environments` are overlays of `base`; each input has its environment's name.
pub(crate) fn kustomize(
    base: &Input,
    environments: &[Input],
    templates: &Templates,
) -> Result<Files, Failure> {
    let base = objects(base, templates)?;
    let mut files = Files::default();
    files.extend("base/", folder(&base, None, Vec::new(), templates)?);
    for input in environments {
        let name = folder_name(input)?;
        let overlay = overlay(&base, input, templates)?;
        files.extend(&format!("overlays/{name}/"), overlay);
    }
    Ok(files)
}

fn folder_name(input: &Input) -> Result<&str, Failure> {
    let name = input.environment.as_deref().unwrap_or_default();
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(harmless) {
        true => Ok(name),
        false => Err(Failure::refused(format!(
            "the environment \"{name}\" cannot be the name of a folder"
        ))),
    }
}

fn overlay(base: &[Object], input: &Input, templates: &Templates) -> Result<Files, Failure> {
    let wanted = &objects(input, templates)?;
    let namespace = input.namespace();
    let has = |list: &[Object], one: &Object| list.iter().any(|other| id(other) == id(one));
    let gone = base.iter().filter(|object| !has(wanted, object));
    let mut patches = gone.map(removal).collect::<Result<Vec<Value>, _>>()?;
    let mut own = Vec::new();
    for object in wanted {
        match base.iter().find(|other| id(other) == id(object)) {
            Some(before) => patches.extend(change(&within(before, namespace), object)?),
            None => own.push(object.clone()),
        }
    }
    folder(&own, Some((BASE, namespace)), patches, templates)
}

/// The object as Kustomize hands it to the patches, once it has put all into the namespace.
fn within(object: &Object, namespace: Option<&str>) -> Object {
    let mut object = object.clone();
    if let (Some(namespace), true) = (namespace, object.value["kind"] != "Namespace") {
        object.value["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// The objects as files, and the list of them that Kustomize reads; an overlay has a base, and
/// perhaps a namespace that all of it is in.
fn folder(
    objects: &[Object],
    base: Option<(&str, Option<&str>)>,
    patches: Vec<Value>,
    templates: &Templates,
) -> Result<Files, Failure> {
    let mut files = Files::default();
    for object in objects {
        files.add(format!("{}.yaml", object.file), yaml::write(&object.value)?);
    }
    let own: BTreeSet<String> = files.iter().map(|(path, _)| path.to_owned()).collect();
    let (base, namespace) = base.unzip();
    let resources: Vec<String> = base.map(str::to_owned).into_iter().chain(own).collect();
    let context = json!({
        "namespace": namespace.flatten(),
        "resources": resources,
        "patches": filled(patches),
    });
    let list = templates.object(TEMPLATE, &context)?;
    files.add("kustomization.yaml", yaml::write(&list)?);
    Ok(files)
}

/// What tells objects apart; the namespace may be one that only the overlay names.
fn id(object: &Object) -> [&Value; 3] {
    let value = &object.value;
    [
        &value["apiVersion"],
        &value["kind"],
        &value["metadata"]["name"],
    ]
}

fn change(before: &Object, after: &Object) -> Result<Option<Value>, Failure> {
    let operations = difference(&before.value, &after.value);
    match operations.is_empty() {
        true => Ok(None),
        false => Ok(Some(patch(before, &json!(operations))?)),
    }
}

fn removal(object: &Object) -> Result<Value, Failure> {
    let [version, kind, name] = id(object);
    let directive = json!({
        "$patch": "delete",
        "apiVersion": version,
        "kind": kind,
        "metadata": { "name": name },
    });
    patch(object, &directive)
}

fn patch(object: &Object, patch: &Value) -> Result<Value, Failure> {
    let [version, kind, name] = id(object);
    let version = version.as_str().unwrap_or_default();
    let (group, version) = match version.split_once('/') {
        Some((group, version)) => (Some(group), version),
        None => (None, version),
    };
    let mut target = json!({ "version": version, "kind": kind, "name": name });
    if let Some(group) = group {
        target["group"] = json!(group);
    }
    Ok(json!({ "target": target, "patch": yaml::write(patch)? }))
}

#[cfg(test)]
mod tests;
