use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share from 0 to 100 per cent, exact to a hundredth of a per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Percent(u16);

impl Percent {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const FULL: Self = Self(10_000);

    /// `None` outside 0 to 100 and for what is not a number.
    pub(crate) fn new(value: f64) -> Option<Self> {
        let hundredths = (value * 100.0).round();
        (0.0..=10_000.0)
            .contains(&hundredths)
            .then_some(Self(hundredths as u16))
    }

    /// The share that `part` is of `whole`; zero of nothing is zero.
    pub(crate) fn of(part: u32, whole: u32) -> Self {
        let hundredths = u64::from(part.min(whole)) * 10_000;
        Self(hundredths.checked_div(u64::from(whole)).unwrap_or(0) as u16)
    }

    /// Neither nothing nor all.
    pub(crate) fn is_split(self) -> bool {
        self > Self::ZERO && self < Self::FULL
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// In hundredths of a per cent, 0 to 10,000.
    pub(crate) fn hundredths(self) -> u16 {
        self.0
    }

    pub(crate) fn is_whole(self) -> bool {
        self.0.is_multiple_of(100)
    }

    /// The share and what it is of: 100 where that is fine enough, else 10,000.
    pub(crate) fn in_whole_numbers(self) -> (u16, u16) {
        match self.is_whole() {
            true => (self.0 / 100, 100),
            false => (self.0, 10_000),
        }
    }

    pub(crate) fn from_hundredths(value: u16) -> Self {
        Self(value.min(10_000))
    }

    /// How many of `whole` replicas carry this share: rounded up, so that none carries more.
    pub(crate) fn ceil_of(self, whole: u32) -> u32 {
        (u64::from(whole) * u64::from(self.0)).div_ceil(10_000) as u32
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 100.0)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u16(self.0 / 100),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::new(value).ok_or_else(|| {
            serde::de::Error::custom(format!("{value} is not a percentage from 0 to 100"))
        })
    }
}

impl schemars::JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 100 })
    }
}
