//! Figures that the documentation gives: `cargo bench --bench figures -- proxies`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)] // a bench prints, and has nobody to tell but who runs it

mod proxies;

fn main() {
    let benches: [(&str, fn()); 1] = [("proxies", proxies::run)];
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| asked.iter().any(|each| each == name);
    for (_, run) in benches.iter().filter(|(name, _)| asked(name)) {
        run();
    }
}
