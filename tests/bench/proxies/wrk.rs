//! What `wrk` measures.

use std::process::Command;

use anyhow::{Context, Result};

/// Latencies in milliseconds.
pub(super) struct Measured {
    pub(super) requests: f64,
    pub(super) rate: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) errors: u64,
}

pub(super) fn run(port: u16, seconds: u32) -> Result<Measured> {
    let ran = Command::new("wrk")
        .args(["-t2", "-c64", "--latency", &format!("-d{seconds}s")])
        .arg(format!("http://127.0.0.1:{port}/"))
        .output()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    measured(&text).with_context(|| format!("wrk said {text}"))
}

fn measured(text: &str) -> Option<Measured> {
    let after = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim()))
    };
    let failed = after("Non-2xx or 3xx responses:").and_then(|count| count.parse().ok());
    let (requests, _) = text.split_once(" requests in ")?;
    Some(Measured {
        requests: requests.split_whitespace().last()?.parse().ok()?,
        rate: after("Requests/sec:")?.parse().ok()?,
        p50: millis(after("50%")?)?,
        p99: millis(after("99%")?)?,
        errors: failed.unwrap_or(0) + after("Socket errors:").map_or(0, sum),
    })
}

/// `1.25ms`, `830.00us`, `1.02s`
fn millis(time: &str) -> Option<f64> {
    let (digits, factor) = match time {
        _ if time.ends_with("us") => (time.strip_suffix("us")?, 1e-3),
        _ if time.ends_with("ms") => (time.strip_suffix("ms")?, 1.0),
        _ => (time.strip_suffix('s')?, 1e3),
    };
    Some(digits.parse::<f64>().ok()? * factor)
}

/// `connect 0, read 3, write 0, timeout 1`
fn sum(counts: &str) -> u64 {
    let words = counts.split([' ', ',']);
    words.filter_map(|word| word.parse::<u64>().ok()).sum()
}
