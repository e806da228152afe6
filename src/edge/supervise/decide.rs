//! What a pool needs so that as many replicas stay as are wanted. Pure.

use std::cmp::Reverse;

use crate::edge::api::Standing;

#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) number: u32,
    pub(super) standing: Standing,
    pub(super) conversations: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Start(u32),
    /// One that was leaving serves again.
    TakeBack(u32),
    Leave(u32),
}

pub(super) fn decide(wanted: u32, seen: &[Seen]) -> Vec<Act> {
    let staying = seen.iter().filter(|seen| stays(seen.standing)).count();
    let wanted = wanted as usize;
    match wanted.checked_sub(staying) {
        Some(missing) => grow(missing, seen),
        None => shrink(staying - wanted, seen),
    }
}

fn stays(standing: Standing) -> bool {
    matches!(
        standing,
        Standing::Coming | Standing::Ready | Standing::Unready
    )
}

/// Taking back comes first: it is instant, and keeps conversations where they are.
fn grow(missing: usize, seen: &[Seen]) -> Vec<Act> {
    let mut leaving: Vec<&Seen> = seen
        .iter()
        .filter(|seen| seen.standing == Standing::Leaving)
        .collect();
    leaving.sort_by_key(|seen| (Reverse(seen.conversations), seen.number));
    let back = leaving.iter().map(|seen| Act::TakeBack(seen.number));
    let free = (1..).filter(|number| seen.iter().all(|seen| seen.number != *number));
    back.chain(free.map(Act::Start)).take(missing).collect()
}

/// Those whose leaving is felt least go first.
fn shrink(spare: usize, seen: &[Seen]) -> Vec<Act> {
    let mut staying: Vec<&Seen> = seen.iter().filter(|seen| stays(seen.standing)).collect();
    staying.sort_by_key(|seen| {
        (
            seen.standing == Standing::Ready,
            seen.conversations,
            Reverse(seen.number),
        )
    });
    staying
        .iter()
        .take(spare)
        .map(|seen| Act::Leave(seen.number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Act::{Leave, Start, TakeBack};
    use super::*;

    /// "3r5": number 3, ready, 5 conversations.
    fn seen(text: &str) -> Vec<Seen> {
        text.split_whitespace().map(one).collect()
    }

    fn one(text: &str) -> Seen {
        let at = text.find(|letter: char| letter.is_alphabetic()).unwrap();
        let standing = match &text[at..=at] {
            "c" => Standing::Coming,
            "r" => Standing::Ready,
            "u" => Standing::Unready,
            "l" => Standing::Leaving,
            _ => Standing::Stopping,
        };
        let conversations = text[at + 1..].parse().unwrap_or(0);
        Seen {
            number: text[..at].parse().unwrap(),
            standing,
            conversations,
        }
    }

    #[test]
    fn a_pool_gets_what_it_lacks_and_loses_what_it_has_too_much() {
        let cases: &[(&str, u32, &str, &[Act])] = &[
            ("nothing there", 2, "", &[Start(1), Start(2)]),
            ("as it should be", 2, "1r 2c", &[]),
            ("an unready one still counts", 1, "1u", &[]),
            ("the lowest free number first", 3, "1r 3r", &[Start(2)]),
            (
                "one that is stopping keeps its number",
                1,
                "1s",
                &[Start(2)],
            ),
            ("a leaving one is taken back", 1, "1l", &[TakeBack(1)]),
            (
                "the one with most conversations first",
                1,
                "1l2 2l9",
                &[TakeBack(2)],
            ),
            (
                "then a new one",
                3,
                "1l 2s",
                &[TakeBack(1), Start(3), Start(4)],
            ),
            (
                "not-ready ones leave first",
                1,
                "1c 2r 3u",
                &[Leave(3), Leave(1)],
            ),
            (
                "then the one with fewest conversations",
                1,
                "1r5 2r7 3r6",
                &[Leave(1), Leave(3)],
            ),
            ("then the highest number", 2, "1r 2r 3r", &[Leave(3)]),
            ("none at all", 0, "1r 2l 3s", &[Leave(1)]),
        ];
        for (what, wanted, now, acts) in cases {
            assert_eq!(decide(*wanted, &seen(now)), *acts, "{what}");
        }
    }
}
