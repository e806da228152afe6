//! The candidate's share where a file does not say it: of what began. One share for all is right only
//! where it was one: pooled over several, a release that got more traffic on a bad day looks worse.

use std::collections::HashSet;

use super::super::judges::{Arm, Share};
use super::Observation;

/// As many parts of a file are looked at.
const PARTS: usize = 10;
/// A part says something with so many beginnings.
const ENOUGH: usize = 50;
/// Standard deviations that chance alone does not bring about: once in 10⁸ files.
const FAR: f64 = 6.0;

/// `None`: the traffic is one release's.
pub(crate) fn share(all: &[Observation]) -> Option<Share> {
    Share::new(part(&firsts(all)))
}

/// The least and the most share, where it cannot have been one and not each reply names its weight.
pub(crate) fn moves(all: &[Observation]) -> Option<(f64, f64)> {
    if all.iter().all(|one| one.weight.is_some()) {
        return None;
    }
    let firsts = firsts(all);
    let of_all = part(&firsts);
    let parts: Vec<(usize, f64)> = firsts
        .chunks(firsts.len().div_ceil(PARTS).max(ENOUGH))
        .map(|some| (some.len(), part(some)))
        .filter(|(count, _)| *count >= ENOUGH)
        .collect();
    let is_far = |(count, share): &(usize, f64)| {
        let deviation = (of_all * (1.0 - of_all) / *count as f64).sqrt();
        (share - of_all).abs() > FAR * deviation
    };
    let shares = parts.iter().map(|(_, share)| *share);
    parts.iter().any(is_far).then(|| {
        (
            shares.clone().fold(1.0, f64::min),
            shares.fold(0.0, f64::max),
        )
    })
}

/// Of each conversation its first reply; each that is of none.
fn firsts(all: &[Observation]) -> Vec<&Observation> {
    let mut begun: HashSet<&str> = HashSet::new();
    let mut firsts = Vec::new();
    for one in all {
        if one
            .conversation
            .as_ref()
            .is_none_or(|name| begun.insert(name))
        {
            firsts.push(one);
        }
    }
    firsts
}

fn part(firsts: &[&Observation]) -> f64 {
    let candidates = firsts.iter().filter(|one| one.arm == Some(Arm::Candidate));
    candidates.count() as f64 / firsts.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One in so many is the candidate's.
    fn replies(count: usize, one_in: usize) -> Vec<Observation> {
        let reply = |at: usize| Observation {
            time: at as f64,
            arm: Some(match at.is_multiple_of(one_in) {
                true => Arm::Candidate,
                false => Arm::Stable,
            }),
            failed: false,
            latency: None,
            cost: None,
            conversation: None,
            weight: None,
        };
        (0..count).map(reply).collect()
    }

    #[test]
    fn one_share_does_not_move() {
        assert_eq!(moves(&replies(2_000, 4)), None);
        assert_eq!(moves(&replies(30, 2)), None);
        assert_eq!(moves(&[]), None);
    }

    #[test]
    fn steps_are_seen() {
        let steps = [replies(2_000, 20), replies(2_000, 2)].concat();
        assert_eq!(moves(&steps), Some((0.05, 0.5)));
        let told = steps.into_iter().map(|one| Observation {
            weight: crate::spec::Percent::new(5.0),
            ..one
        });
        assert_eq!(moves(&told.collect::<Vec<_>>()), None);
    }
}
