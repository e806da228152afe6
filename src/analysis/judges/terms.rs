use serde::{Deserialize, Serialize};

/// A number that cannot be outside its range, nor NaN, not even when it is read from a journal.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inside:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// `None` outside its range.
            #[must_use]
            pub fn new(value: f64) -> Option<Self> {
                let inside: fn(f64) -> bool = $inside;
                inside(value).then_some(Self(value))
            }

            #[must_use]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from(value: f64) -> Result<Self, String> {
                Self::new(value).ok_or_else(|| format!("{value} is out of range"))
            }
        }

        impl From<$name> for f64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }
    };
}

number! {
    /// The candidate's share of what begins: more than 0, less than 1, so that both arms have some.
    Share, |value| value > 0.0 && value < 1.0
}

number! {
    /// How much worse the candidate may be, as a part of the stable release's figure: 0.1 is a
    /// tenth. From 0 to 4.
    Margin, |value| (0.0..=4.0).contains(&value)
}

number! {
    /// The probability of being right that is promised: more than 0.5, less than 1.
    Confidence, |value| value > 0.5 && value < 1.0
}

number! {
    /// The probability of being wrong that is taken: more than 0, less than 0.5.
    Risk, |value| value > 0.0 && value < 0.5
}

number! {
    /// What a conversation may cost at most, in the unit of the values: more than 0, and finite.
    Cap, |value| value > 0.0 && value.is_finite()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    Stable,
    Candidate,
}

impl Margin {
    pub const NONE: Self = Self(0.0);

    /// The largest ratio that is not worse.
    pub(super) fn ratio(self) -> f64 {
        1.0 + self.0
    }

    /// The ratio that must be excluded before a candidate counts as harmless: a doubling, and
    /// well beyond the margin.
    #[must_use]
    pub fn harm(self) -> f64 {
        (1.0 + 2.0 * self.0).max(2.0)
    }
}

impl Risk {
    pub(super) const FIVE_PER_CENT: Self = Self(0.05);

    /// What evidence, the logarithm of an e-value, must reach.
    #[must_use]
    pub fn bound(self) -> f64 {
        -self.0.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_its_range() {
        for wrong in [f64::NAN, f64::INFINITY, -0.1, 0.0, 1.0, 7.0] {
            assert_eq!(Share::new(wrong), None, "{wrong}");
            assert_eq!(Confidence::new(wrong), None, "{wrong}");
            assert_eq!(Risk::new(wrong), None, "{wrong}");
        }
        assert_eq!(Confidence::new(0.5), None);
        assert_eq!(Margin::new(f64::NAN), None);
        assert_eq!(Cap::new(0.0), None);
        assert!(serde_json::from_str::<Share>("1.0").is_err());
        assert!(serde_json::from_str::<Share>("null").is_err());
    }
}
