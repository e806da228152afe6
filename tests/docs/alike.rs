//! Whether a page shows what was printed, but for what differs from one run to the next.
//!
//! Any number stands for any number, any time for any time, and `…` for anything on its line; a
//! line `…` stands for any lines. Names such as `r1` are exact, and so is a line that is a number
//! alone: an exit code.

const QUOTED: &str = "│";
const UNITS: [&str; 5] = ["ms", "s", "min", "h", "d"];

pub(super) fn alike(page: &[String], printed: &str) -> bool {
    let page = plain_lines(page.iter().map(String::as_str));
    let printed = plain_lines(printed.lines());
    lines_alike(&page, &printed)
}

fn lines_alike(page: &[String], printed: &[String]) -> bool {
    match page.split_first() {
        None => printed.is_empty(),
        Some((any, rest)) if any == "…" => {
            (0..=printed.len()).any(|skipped| lines_alike(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_alike(line, first) && lines_alike(rest, others)),
    }
}

fn line_alike(page: &str, printed: &str) -> bool {
    match page.split_once('…') {
        None => page == printed,
        Some((begin, rest)) => printed.strip_prefix(begin).is_some_and(|printed| {
            let mut ends = printed
                .char_indices()
                .map(|(at, _)| at)
                .chain([printed.len()]);
            ends.any(|at| line_alike(rest, &printed[at..]))
        }),
    }
}

/// How many of an agent's own lines are quoted is a matter of luck: they count as one.
fn plain_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut plain: Vec<String> = lines.map(plain).collect();
    plain.dedup_by(|a, b| a == QUOTED && b == QUOTED);
    plain
}

/// A line without what differs from one run to the next.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let [code] = words[..]
        && code.parse::<u8>().is_ok()
    {
        return code.to_owned();
    }
    if let [time, QUOTED, ..] = words[..]
        && time.contains(':')
    {
        return QUOTED.to_owned();
    }
    let words: Vec<String> = words.into_iter().map(without_numbers).collect();
    times(&words).join(" ")
}

/// `2026-11-21` is `0-0-0`, and `1,204` is `0`; `r12` stays.
fn without_numbers(word: &str) -> String {
    let mut plain = String::new();
    let mut before = ' ';
    for c in word.chars() {
        let inside = before == '0' && matches!(c, '.' | ',' | '0'..='9');
        match c {
            _ if inside => continue,
            '0'..='9' if !is_of_name(&plain) => plain.push('0'),
            other => plain.push(other),
        }
        before = if plain.ends_with('0') && !is_of_name(&plain) {
            '0'
        } else {
            c
        };
    }
    plain
}

/// Whether a digit that follows is part of a name; the `T` in `2026-11-21T02:03` begins none.
fn is_of_name(before: &str) -> bool {
    let name = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let start = name.trim_end_matches(char::is_alphabetic);
    start.len() < name.len() && !start.ends_with(|c: char| c.is_ascii_digit())
}

/// `0 s`, `0 min 0 s`, `0 s ago` and `now` are all one time.
fn times(words: &[String]) -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let number = word.trim_start_matches('(') == "0";
        let unit = words.peek().is_some_and(|next| is_unit(next));
        match (number && unit, word.as_str()) {
            (true, _) => push_time(&mut plain, &word.replace('0', "T"), words.next()),
            (false, "ago" | "ago)") if plain.last().is_some_and(|last| last.ends_with('T')) => {
                close(&mut plain, word);
            }
            (false, "now" | "(now)") => plain.push(word.replace("now", "T")),
            _ => plain.push(word.clone()),
        }
    }
    plain
}

fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches([')', ',', ';']))
}

/// A time of two parts is one time.
fn push_time(plain: &mut Vec<String>, time: &str, unit: Option<&String>) {
    if !plain.last().is_some_and(|last| last.ends_with('T')) {
        plain.push(time.to_owned());
    }
    if let Some(unit) = unit {
        close(plain, unit);
    }
}

/// What stands behind a unit: a comma, a bracket.
fn close(plain: &mut [String], word: &str) {
    let mark = word.trim_start_matches(char::is_alphabetic);
    if let Some(last) = plain.last_mut() {
        last.push_str(mark);
    }
}

#[test]
fn runs_that_differ_in_numbers_and_times_are_alike() {
    let cases = [
        (
            "12:00:01  r2   3 of 3 ready",
            "09:13:44 r2 1 of 1 ready",
            true,
        ),
        ("r2 is live (14 s)", "r2 is live (1 min 2 s)", true),
        (
            "counted since 01:50 (now)",
            "counted since 12:11 (4 s ago)",
            true,
        ),
        ("requests 1,204 2.5 %", "requests 7 30 %", true),
        (
            "held 5 s, error_rate 0.0 %",
            "held 300 ms, error_rate 1 %",
            true,
        ),
        (
            "\"2026-11-21T02:03:37.570Z\"",
            "\"2026-10-01T22:13:01.1Z\"",
            true,
        ),
        ("r2 is live", "r3 is live", false),
        ("latency_p95 1 ms", "latency_p99 1 ms", false),
        ("evidence: …/0003", "evidence: ~/state/agentctl/0001", true),
        ("1", "3", false),
        ("…\nr1 is live", "a\nb\nr1 is live", true),
    ];
    for (page, printed, same) in cases {
        let page: Vec<String> = page.lines().map(str::to_owned).collect();
        assert_eq!(alike(&page, printed), same, "{page:?} and {printed:?}");
    }
}
