//! The objects of one agent in a cluster: what its kind and spec ask for, and nothing else.
//!
//! Each module beside this one says, as a list of `Part`s, which objects of its sort there are; the
//! templates say what they look like. What stands here turns parts into objects.

mod account;
mod by_hand;
mod collector;
mod config;
mod container;
mod controller;
mod disruption;
mod env;
mod external;
#[cfg(test)]
mod fixtures;
mod kustomize;
mod names;
mod nodes;
mod observe;
mod pod;
mod policy;
mod prepull;
mod probes;
mod reach;
mod replicas;
mod rights;
mod scale;
mod services;
mod sidecars;
mod traffic;
mod volumes;
mod workload;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::{Failure, Files, Input, Templates, yaml};

pub(crate) use by_hand::secret_command;
pub(crate) use env::secret_of;
pub(crate) use kustomize::kustomize;
pub(crate) use rights::{Right, deployer, needed, rbac, rights};
pub(crate) use services::names as service_names;
pub(crate) use traffic::{
    gateway_copies, gateway_matches, istio_matches, nginx_chosen, nginx_copies,
};

/// One object to be: the template that it is made from, and what the template is given.
struct Part {
    template: &'static str,
    /// The file's name without `.yaml`; also the order in which they are applied.
    file: String,
    context: Value,
}

impl Part {
    fn new(template: &'static str, file: impl Into<String>, context: Value) -> Self {
        Self {
            template,
            file: file.into(),
            context,
        }
    }
}

/// An object of the cluster, and the file that it belongs into.
#[derive(Clone, Debug, PartialEq)]
struct Object {
    file: String,
    value: Value,
}

/// Every object, in the order in which they are applied.
fn objects(input: &Input, templates: &Templates) -> Result<Vec<Object>, Failure> {
    // An older release must find its values in what it shares with this one.
    let shared = &Input {
        secret_values: None,
        ..input.clone()
    };
    let mut parts = account::parts(input);
    parts.extend(policy::parts(input));
    parts.extend(external::parts(input));
    parts.extend(config::parts(input)?);
    parts.extend(env::parts(input)?);
    parts.extend(collector::parts(input, templates)?);
    parts.extend(prepull::parts(input, templates)?);
    parts.extend(services::parts(shared, templates)?);
    parts.extend(workload::parts(input, templates)?);
    parts.extend(scale::parts(shared, templates)?);
    parts.extend(traffic::parts(input)?);
    parts.extend(observe::parts(input, templates)?);
    parts.extend(reach::parts(input));
    parts.extend(disruption::parts(input));
    let objects = parts.into_iter().map(|part| {
        Ok(Object {
            value: object(part.template, &part.context, templates)?,
            file: part.file,
        })
    });
    controller::instead(objects.collect::<Result<_, Failure>>()?, input, templates)
}

/// What a template makes, which one of a user's own may make no object of.
fn object(template: &str, context: &Value, templates: &Templates) -> Result<Value, Failure> {
    let made = templates.object(template, context)?;
    let places = ["/apiVersion", "/kind", "/metadata/name"];
    let missing = |place: &&str| !made.pointer(place).is_some_and(Value::is_string);
    match places.into_iter().find(missing) {
        None => Ok(made),
        Some(place) => {
            let place = place[1..].replace('/', ".");
            let message = format!("what it made is no object of a cluster: its {place} is no text");
            Err(Failure::made_wrong(template, message))
        }
    }
}

/// The objects themselves, for who applies them.
pub(crate) fn values(input: &Input, templates: &Templates) -> Result<Vec<Value>, Failure> {
    let objects = objects(input, templates)?.into_iter();
    Ok(objects.map(|object| object.value).collect())
}

/// A file for each object.
pub(crate) fn kubernetes(input: &Input, templates: &Templates) -> Result<Files, Failure> {
    let mut files = Files::default();
    for object in objects(input, templates)? {
        files.add(format!("{}.yaml", object.file), yaml::write(&object.value)?);
    }
    Ok(files)
}
