use serde_json::{Value, json};

/// The operations of a JSON patch that make `after` of `before`. Lists of one length are compared
/// item by item; others are replaced, which stays readable. The path stands last: Kustomize cuts
/// line ends off a patch, and they must not be a value's.
pub(super) fn difference(before: &Value, after: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    compare("", before, after, &mut operations);
    operations
}

fn compare(path: &str, before: &Value, after: &Value, operations: &mut Vec<Value>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            operations.extend(gone.map(|key| json!({ "op": "remove", "path": below(path, key) })));
            for (key, value) in new {
                let path = below(path, key);
                match old.get(key) {
                    Some(before) => compare(&path, before, value, operations),
                    None => operations.push(json!({ "op": "add", "value": value, "path": path })),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (before, after)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}/{at}"), before, after, operations);
            }
        }
        (before, after) if before == after => {}
        (_, after) => operations.push(json!({ "op": "replace", "value": after, "path": path })),
    }
}

fn below(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}
