use super::*;

fn taken(shares: &[u16], turns: usize) -> Vec<usize> {
    let table = Turns::new(shares.to_vec());
    (0..turns)
        .filter_map(|_| table.take(Of::Requests))
        .collect()
}

fn count(taken: &[usize], pool: usize) -> usize {
    taken.iter().filter(|taken| **taken == pool).count()
}

#[test]
fn five_per_cent_is_one_in_any_twenty() {
    let taken = taken(&[9_500, 500], 400);
    for twenty in taken.windows(20) {
        assert_eq!(count(twenty, 1), 1);
    }
}

#[test]
fn every_share_is_exact_over_a_round_and_never_more_than_one_off() {
    for shares in [
        &[10_000][..],
        &[9_999, 1],
        &[5_000, 5_000],
        &[3_333, 3_333, 3_334],
        &[1, 0, 4_999, 5_000],
        &[7_000, 2_500, 499, 1],
    ] {
        let taken = taken(shares, 10_000);
        let mut seen = vec![0_i64; shares.len()];
        for (turn, pool) in taken.iter().enumerate() {
            seen[*pool] += 1;
            for (pool, share) in shares.iter().enumerate() {
                let due = i64::from(*share) * (turn as i64 + 1);
                let off = (seen[pool] * 10_000 - due).abs();
                assert!(
                    off < 10_000 * (shares.len() as i64 - 1).max(1),
                    "{shares:?}"
                );
            }
        }
        let shares: Vec<i64> = shares.iter().map(|share| i64::from(*share)).collect();
        assert_eq!(seen, shares);
    }
}

#[test]
fn nobody_with_a_share_means_no_turn() {
    assert!(taken(&[], 1).is_empty());
    assert!(taken(&[0, 0], 1).is_empty());
}

#[test]
fn conversations_and_requests_take_turns_apart() {
    let table = Turns::new(vec![5_000, 5_000]);
    let mixed: Vec<_> = [
        Of::Requests,
        Of::Conversations,
        Of::Requests,
        Of::Conversations,
    ]
    .map(|of| table.take(of))
    .to_vec();
    assert_eq!(mixed, [Some(0), Some(0), Some(1), Some(1)]);
}

#[test]
fn the_same_shares_do_not_start_a_round_anew() {
    let mut table = Turns::new(vec![5_000, 5_000]);
    table.take(Of::Requests);
    table.follow(vec![5_000, 5_000]);
    assert_eq!(table.take(Of::Requests), Some(1));
}
