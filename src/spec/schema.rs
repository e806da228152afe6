//! The JSON Schema of agent.toml, made from its types. It is the one list of keys: editors,
//! the check of a file's shape and the reference all read it.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value, json};

use super::{Environment, Spec};

/// Draft 2020-12.
pub(crate) fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(make);
    &SCHEMA
}

fn make() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut generator = settings
        .with_transform(RecursiveTransform(without_null))
        .into_generator();
    let environment = generator.subschema_for::<Environment>().to_value();
    let mut root = generator.into_root_schema_for::<Spec>().to_value();
    root["title"] = json!("agent.toml");
    let mut sections = root["properties"].clone();
    each(&mut sections, |section| relax(section, &mut root["$defs"]));
    let overlay = &mut root["$defs"]["Environment"];
    each(&mut sections, |section| remove(section, "default"));
    extend(&mut overlay["properties"], sections);
    overlay["additionalProperties"] = json!(false);
    root["properties"]["environments"] = environments(environment);
    root
}

fn environments(one: Value) -> Value {
    json!({
        "description": "What is different in each environment; `-e NAME` chooses one.",
        "type": "object",
        "propertyNames": {"format": "label"},
        "additionalProperties": one,
    })
}

/// An environment may say a part of a section: what the section requires may come from the base.
fn relax(section: &mut Value, definitions: &mut Value) {
    let Some(name) = definition(section).map(str::to_owned) else {
        return;
    };
    if definitions[&name]["required"].is_null() {
        return;
    }
    let mut partial = definitions[&name].clone();
    remove(&mut partial, "required");
    definitions[format!("Partial{name}")] = partial;
    section["$ref"] = json!(format!("#/$defs/Partial{name}"));
}

/// The name of the definition that `schema` refers to.
pub(super) fn definition(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// `schema`, or the definition in `root` that it refers to.
pub(super) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    definition(schema).map_or(schema, |name| &root["$defs"][name])
}

/// The schemas of which one has to hold; the schema itself where there is no choice.
pub(super) fn alternatives(wanted: &Value) -> Vec<&Value> {
    let options = wanted["oneOf"].as_array().or(wanted["anyOf"].as_array());
    match options {
        Some(options) => options
            .iter()
            .map(|option| resolve(schema(), option))
            .collect(),
        None => vec![wanted],
    }
}

/// The names of the keys that a table may have.
pub(super) fn properties(table: &Value) -> impl Iterator<Item = &str> {
    let names = table["properties"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.as_str())
}

fn each(object: &mut Value, change: impl FnMut(&mut Value)) {
    object
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
        .for_each(change);
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

fn remove(object: &mut Value, key: &str) {
    if let Value::Object(object) = object {
        object.remove(key);
    }
}

/// TOML has no null: an optional key is just not there.
fn without_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = object.get_mut("anyOf") {
        any.retain(|schema| schema["type"] != "null");
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    object.retain(|key, value| key != "default" || !value.is_null());
}
