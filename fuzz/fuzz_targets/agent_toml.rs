#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentctl::fuzzing::agent_toml(bytes));
