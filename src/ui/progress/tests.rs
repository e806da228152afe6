use super::super::fixtures::*;
use super::view::picture;
use super::*;

fn pictured(seconds: u64, rollout: &Rollout, seen: &Seen, columns: usize) -> String {
    let verdicts = verdicts();
    let now = Moment {
        rollout,
        seen,
        verdicts: &verdicts,
        at: after(seconds),
    };
    let lines: Vec<_> = picture(&title(), &now)
        .into_iter()
        .map(|line| line.cut(columns))
        .collect();
    text(&lines)
}

#[test]
fn a_hold() {
    let rollout = replay(&events());
    assert_eq!(pictured(12, &rollout, &seen(), 200), "");
}
