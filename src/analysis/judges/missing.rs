use std::time::Duration;

use super::EARLY;
use super::rates::Rates;
use super::spend::Spend;

/// Beyond this many failures nobody waits for an answer.
const MOST: f64 = 1e9;

/// What an undecided judge still needs to exclude the harm that matters, if there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Missing {
    /// It could begin only with the first comparable unit of each release.
    Everything,
    /// None has failed yet, so how many units that takes is not known.
    Failures(u64),
    /// About so many more.
    Units(u64),
    /// More of what was seen does not exclude it.
    Never,
    /// Units were shared out in another way than this share was to: nothing is compared.
    Split {
        /// The candidate's part, from 0 to 1.
        ordered: f64,
        seen: f64,
    },
}

impl Missing {
    /// Of a rate of failures: how many until harm is excluded, at the rate seen so far.
    #[must_use]
    pub fn of_rates(rates: &Rates) -> Self {
        if let Some((ordered, seen)) = rates.other_split() {
            let ordered = ordered.get();
            return Self::Split { ordered, seen };
        }
        let Some((seen, _)) = rates.so_far().filter(|(seen, _)| seen.units() > 0) else {
            return Self::Everything;
        };
        let more = failures_needed(|more| rates.harmless_after(more));
        match seen.failures() {
            0 => Self::Failures(more.ceil() as u64),
            failed => Self::Units((more * seen.units() as f64 / failed as f64).ceil() as u64),
        }
    }

    /// Of a mean: how many conversations, if they go on as they are.
    #[must_use]
    pub fn of_spend(spend: &Spend) -> Self {
        let (bets, share) = spend.excluding();
        let pairs = bets.pairs_until(EARLY.bound());
        match (pairs, share) {
            (Some(pairs), Some(share)) => {
                let rarer = share.get().min(1.0 - share.get());
                Self::Units((pairs / rarer).ceil() as u64)
            }
            (None, Some(_)) if bets.have_begun() => Self::Never,
            _ => Self::Everything,
        }
    }

    /// "needs about 1,900 more conversations, 40 min at this traffic, to exclude a doubling of errors".
    ///
    /// `units` and what is counted of them (`errors`) in the plural; `per_second`: how many begin now, of
    /// both releases; `harm` as a noun.
    #[must_use]
    pub fn says(self, units: &str, counted: &str, per_second: Option<f64>, harm: &str) -> String {
        match self {
            Self::Never => {
                format!("does not exclude {harm} so far, and more of the same will not")
            }
            Self::Split { ordered, seen } => format!(
                "is not compared: the candidate began {:.1} % of {units} in place of {:.1} %",
                seen * 100.0,
                ordered * 100.0
            ),
            Self::Everything => format!("needs {units} of both releases, to exclude {harm}"),
            Self::Failures(count) => format!(
                "needs about {} with {counted}, and has seen none yet, to exclude {harm}",
                about(count, units)
            ),
            Self::Units(count) => {
                let time = per_second.and_then(|rate| time(count, rate));
                let time =
                    time.map_or_else(String::new, |time| format!(", {time} at this traffic"));
                format!(
                    "needs about {}{time}, to exclude {harm}",
                    about(count, &format!("more {units}"))
                )
            }
        }
    }
}

/// The least number for which evidence reaches the bound; it rises with failures that are shared
/// out as a harmless candidate's are.
fn failures_needed(evidence: impl Fn(f64) -> f64) -> f64 {
    let enough = |more: f64| evidence(more) >= EARLY.bound();
    let mut most = 1.0;
    while !enough(most) && most < MOST {
        most *= 2.0;
    }
    let mut least = 0.0;
    while most - least > 0.5 {
        let middle = f64::midpoint(least, most);
        match enough(middle) {
            true => most = middle,
            false => least = middle,
        }
    }
    most
}

fn time(count: u64, per_second: f64) -> Option<String> {
    let seconds = count as f64 / per_second;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(match duration.as_secs() {
        0..90 => format!("{} s", duration.as_secs().max(1)),
        seconds @ 90..5_400 => format!("{} min", two_digits(seconds.div_ceil(60))),
        seconds @ 5_400..172_800 => format!("{} h", seconds.div_ceil(3_600)),
        seconds => format!("{} days", thousands(two_digits(seconds.div_ceil(86_400)))),
    })
}

fn about(count: u64, units: &str) -> String {
    format!("{} {units}", thousands(two_digits(count)))
}

/// Rounded up: more digits than two would claim more than is known.
fn two_digits(count: u64) -> u64 {
    let mut unit = 1;
    while count / unit >= 100 {
        unit *= 10;
    }
    count.div_ceil(unit).saturating_mul(unit)
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
