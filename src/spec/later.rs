//! Keys and values that agent.toml is going to have and this version does not: whoever writes one
//! has not made a typing error. What gets supported loses its line here.

/// A key by its path, or `path = value`; `*` stands for any name and any place in a list.
const LATER: &[&str] = &["migrations", "flags"];

/// What to say of a key that is not supported yet.
pub(super) fn key(path: &str) -> Option<String> {
    let entry = LATER.iter().find(|entry| **entry == path)?;
    Some(not_supported(&written(entry)))
}

/// What to say of a value that is not supported yet.
pub(super) fn value(path: &str, text: &str) -> Option<String> {
    let wanted = format!("{path} = {text}");
    LATER
        .contains(&wanted.as_str())
        .then(|| not_supported(&format!("{path} = \"{text}\"")))
}

fn not_supported(what: &str) -> String {
    format!("{what} is not supported by this version of agentctl")
}

/// A section in brackets, a key as it is.
fn written(path: &str) -> String {
    match path.contains('.') {
        false => format!("[{path}]"),
        true => path.replace(".*.", "."),
    }
}
