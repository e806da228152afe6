//! What a target saw, as the rollout looks at it.

use crate::release::ReleaseId;
use crate::rollout::{Live, Plan, Side};
use crate::spec::Percent;
use crate::target::{Seen, SeenRelease};

pub(super) fn live(seen: &Seen, plan: &Plan) -> Live {
    let stable = plan.stable();
    let ours = |id: &ReleaseId| *id == plan.to || Some(*id) == stable;
    Live {
        stable: stable.map(|id| side(seen, id)).unwrap_or_default(),
        candidate: side(seen, plan.to),
        weight: weight(seen, plan),
        mirror: mirror(seen).map_or(Percent::ZERO, |(_, share)| share),
        others: seen
            .releases
            .iter()
            .filter(|(id, release)| !ours(id) && release.wanted > 0)
            .map(|(id, _)| *id)
            .collect(),
    }
}

fn side(seen: &Seen, id: ReleaseId) -> Side {
    seen.releases.get(&id).map(as_side).unwrap_or_default()
}

fn as_side(release: &SeenRelease) -> Side {
    Side {
        wanted: release.wanted,
        ready: release.ready,
        coming: release.coming,
        leaving: release.leaving,
    }
}

/// The candidate's share, if nobody but candidate and stable has one.
fn weight(seen: &Seen, plan: &Plan) -> Option<Percent> {
    let of = |id: ReleaseId| seen.shares.get(&id).copied().unwrap_or_default();
    let candidate = of(plan.to);
    let stable = plan.stable().map(of);
    let rest = Percent::FULL.hundredths() - candidate.hundredths();
    let whole = match stable {
        Some(stable) => stable.hundredths() == rest,
        None => rest == 0 || seen.shares.is_empty(),
    };
    // Copies for another release are somebody's who is not here any more.
    let ours = mirror(seen).is_none_or(|(to, _)| to == plan.to);
    (whole && ours).then_some(candidate)
}

fn mirror(seen: &Seen) -> Option<(ReleaseId, Percent)> {
    let mirrored = seen.mirrored.as_ref()?;
    Some((mirrored.copies.to, mirrored.copies.share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::samples::plan_between;

    fn seen(shares: &[(u32, u16)]) -> Seen {
        Seen {
            shares: shares
                .iter()
                .map(|(id, share)| (ReleaseId(*id), Percent::from_hundredths(*share)))
                .collect(),
            ..Seen::default()
        }
    }

    #[test]
    fn the_weight_is_known_only_between_the_two() {
        let first = plan_between(None, 2);
        let next = plan_between(Some(1), 2);
        let cases = [
            (&next, seen(&[(1, 9_000), (2, 1_000)]), Some(1_000)),
            (&next, seen(&[(1, 10_000)]), Some(0)),
            (&next, seen(&[(2, 10_000)]), Some(10_000)),
            (&next, seen(&[(3, 10_000)]), None),
            (&next, seen(&[(1, 5_000), (2, 1_000), (3, 4_000)]), None),
            (&next, seen(&[]), None),
            (&first, seen(&[]), Some(0)),
            (&first, seen(&[(2, 10_000)]), Some(10_000)),
            (&first, seen(&[(3, 10_000)]), None),
        ];
        for (plan, seen, weight) in cases {
            assert_eq!(
                live(&seen, plan).weight,
                weight.map(Percent::from_hundredths),
                "{:?}",
                seen.shares
            );
        }
    }
}
