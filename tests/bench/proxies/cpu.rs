//! What a proxy costs, whatever else the machine does meanwhile.

use std::fs;

/// Clock ticks a second, as `/proc` counts them on every Linux that there is.
const TICKS: f64 = 100.0;

/// A process and the workers that it has started.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace();
    let children = children.filter_map(|pid| pid.parse().ok());
    children.chain([pid]).collect()
}

/// Seconds of processor time that they have used.
pub(super) fn seconds(pids: &[u32]) -> f64 {
    pids.iter().map(|pid| used(*pid)).sum()
}

fn used(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it may hold anything; user and system time are fields 14 and 15.
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let times = fields.split(' ').skip(11).take(2);
    times
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}
