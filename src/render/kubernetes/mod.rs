//! The objects of one agent in a cluster: what its kind and spec ask for, and nothing else.
//!
//! Each module beside this one says, as a list of `Part`s, which objects of its sort there are; the
//! templates say what they look like. What stands here turns parts into objects.

mod config;
mod container;
mod env;
mod names;
mod pod;
mod probes;
mod services;
mod workload;

use serde_json::Value;

use super::{Failure, Files, Input, Templates, yaml};

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
pub(crate) struct Object {
    pub(crate) file: String,
    pub(crate) value: Value,
}

/// Every object, in the order in which they are applied.
pub(crate) fn objects(input: &Input, templates: &Templates) -> Result<Vec<Object>, Failure> {
    let mut parts = config::parts(input)?;
    parts.extend(services::parts(input, templates)?);
    parts.extend(workload::parts(input, templates)?);
    let objects = parts.into_iter().map(|part| {
        Ok(Object {
            value: templates.object(part.template, &part.context)?,
            file: part.file,
        })
    });
    objects.collect()
}

/// A file for each object.
pub(crate) fn kubernetes(input: &Input, templates: &Templates) -> Result<Files, Failure> {
    let mut files = Files::default();
    for object in objects(input, templates)? {
        files.add(
            format!("{}.yaml", object.file),
            yaml::write(&object.value)
                .map_err(|error| Failure::of_platform(&object.file, error.to_string()))?,
        );
    }
    Ok(files)
}
