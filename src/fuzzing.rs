//! What must hold for any bytes at all; called by `fuzz/` and by the bounded fuzzer in the tests.

use crate::spec::{Loaded, Problems, Spec, show};

/// Bytes load, or are refused with reasons that lie inside them; what loads can be shown and read
/// again.
pub fn agent_toml(bytes: &[u8]) {
    let environment = [None, Some("staging"), Some("production")][bytes.len() % 3];
    match Spec::from_bytes(bytes, "agent.toml", environment, &variables) {
        Ok(loaded) => reads_back(&loaded, environment),
        Err(problems) => carets_lie_inside(&problems, bytes),
    }
}

fn variables(name: &str) -> Option<String> {
    (name != "UNSET").then(|| format!("value of {name} ${{$"))
}

fn reads_back(loaded: &Loaded, environment: Option<&str>) {
    let shown = show(loaded).unwrap_or_default();
    let again = Spec::load(&shown, "agent.toml", environment, &variables);
    assert_eq!(
        again.map(|again| again.spec).as_ref(),
        Ok(&loaded.spec),
        "{shown}"
    );
}

fn carets_lie_inside(problems: &Problems, bytes: &[u8]) {
    assert!(!problems.list().is_empty());
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems.list().iter().filter(|problem| problem.line > 0) {
        let last = lines[problem.line - 1].chars().count() + 1;
        assert!((1..=last).contains(&problem.column), "{}", problem.render());
    }
}
