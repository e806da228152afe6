use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written `"30s"`, `"5m"`, `"2h"` or `"1h 30m"`, in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Period(Duration);

impl Period {
    #[cfg(test)]
    pub(crate) const fn millis(value: u64) -> Self {
        Self(Duration::from_millis(value))
    }

    pub(crate) const fn secs(value: u64) -> Self {
        Self(Duration::from_secs(value))
    }

    pub(crate) const fn get(self) -> Duration {
        self.0
    }

    pub(crate) fn as_millis(self) -> u64 {
        self.0.as_millis() as u64
    }

    /// Whole seconds or milliseconds, like `90s`: what knows no `1m 30s` reads it too.
    pub(crate) fn in_one_unit(self) -> String {
        match self.as_millis() {
            millis if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
            millis => format!("{millis}ms"),
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// At most a year: longer ones are typing errors, and sums of them must not overflow.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let period = humantime::parse_duration(text)
            .map_err(|_| format!("\"{text}\" is not a duration like \"30s\", \"5m\" or \"2h\""))?;
        match period <= Duration::from_secs(366 * 24 * 3600) {
            true => Ok(Self(Duration::from_millis(period.as_millis() as u64))),
            false => Err(format!("\"{text}\" is longer than a year")),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "period",
            "description": "A duration: \"30s\", \"5m\", \"2h\", \"1h 30m\".",
            "examples": ["30s", "5m", "2h"],
        })
    }
}
