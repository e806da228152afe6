mod cluster;
mod full;
mod hostile;
mod load;
mod mutate;
mod problems;
mod reference;
mod show;
mod starter;
mod values;

use super::{Loaded, Problem, Problems, Spec};

const SMALL: &str = "[agent]\nname = \"a\"\n[run]\ncommand = [\"./a\"]\n";

fn variables(name: &str) -> Option<String> {
    match name {
        "REGION" => Some("eu-1".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn load(text: &str, environment: Option<&str>) -> Result<Loaded, Problems> {
    Spec::load(text, "agent.toml", environment, &variables)
}

fn good(text: &str) -> Loaded {
    load(text, None).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn bad(text: &str) -> Vec<Problem> {
    match load(text, None) {
        Ok(_) => panic!("loaded:\n{text}"),
        Err(problems) => problems.list().to_vec(),
    }
}

/// The part of the line that the caret marks.
fn marked(problem: &Problem) -> String {
    let shown = problem.render();
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[4];
    let from = caret.chars().take_while(|c| *c != '^').count();
    let count = caret.chars().filter(|c| *c == '^').count();
    lines[3].chars().skip(from).take(count).collect()
}
