//! What a shadow kept: requests, each with what both releases answered.

use anyhow::{Result, anyhow};
use serde::Deserialize;
use serde_json::Value;

/// One request and both answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Pair {
    pub(crate) request: Asked,
    pub(crate) stable: Answered,
    pub(crate) candidate: Answered,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) body: Value,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Answered {
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    body: Value,
}

impl Answered {
    /// As it was sent: what is no JSON was kept as text.
    pub(crate) fn text(&self) -> String {
        match &self.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            json => json.to_string(),
        }
    }
}

/// # Errors
/// The first line that is no pair.
pub(crate) fn pairs(text: &str) -> Result<Vec<Pair>> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| anyhow!("line {}: {error}", at + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_the_edge_writes_it() {
        let line = r#"{"at":1,"request":{"method":"POST","path":"/chat","headers":{},"body":{"m":"hi"}},"stable":{"release":"r1","status":200,"millis":1,"body":{"reply":"a"}},"candidate":{"release":"r2","status":null,"body":"b"},"same":false}"#;
        let all = pairs(&format!("{line}\n\n")).unwrap();
        assert_eq!(all[0].stable.text(), r#"{"reply":"a"}"#);
        assert_eq!(
            (all[0].candidate.status, all[0].candidate.text().as_str()),
            (None, "b")
        );
        let error = pairs(&format!("{line}\n{{\"time\":1}}")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("line 2: missing field `request`"),
            "{error}"
        );
    }
}
