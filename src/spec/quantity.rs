use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in Kubernetes notation: `"500m"` (thousandths), `"2"`, `"1Gi"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    text: String,
    milli: u128,
}

/// Every unit, in thousandths.
const UNITS: [(&str, u128); 13] = [
    ("m", 1),
    ("", 1000),
    ("k", 1_000_000),
    ("M", 1000 * 1000u128.pow(2)),
    ("G", 1000 * 1000u128.pow(3)),
    ("T", 1000 * 1000u128.pow(4)),
    ("P", 1000 * 1000u128.pow(5)),
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("E", 1000 * 1000u128.pow(6)),
];

impl Quantity {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match milli(text) {
            Some(milli) => Ok(Self {
                text: text.to_owned(),
                milli,
            }),
            None => Err(format!(
                "\"{text}\" is not a quantity like \"500m\", \"2\" or \"1Gi\""
            )),
        }
    }

    /// In thousandths of the unit; what is finer is rounded down.
    pub(crate) fn milli(&self) -> u128 {
        self.milli
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

fn milli(text: &str) -> Option<u128> {
    let at = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than any machine has room for; so the product below cannot overflow.
    if !digits(whole) || !digits(fraction) || whole.len() > 15 || fraction.len() > 9 {
        return None;
    }
    let parts = 10u128.pow(fraction.len() as u32);
    let fraction: u128 = fraction.parse().ok()?;
    let whole: u128 = whole.parse().ok()?;
    Some(whole * factor + fraction * factor / parts)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "quantity",
            "description": "An amount in Kubernetes notation: \"500m\", \"2\", \"1Gi\".",
            "examples": ["500m", "2", "1Gi"],
        })
    }
}
