//! A Dockerfile's instructions and where each stands: just enough to point at one that failed.

use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// From 1.
    pub(super) line: usize,
    /// On one line, with one space between words.
    pub(super) text: String,
}

pub(super) fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let escape = escape(dockerfile);
    let mut found = Vec::new();
    let mut lines = (1..).zip(dockerfile.lines());
    while let Some((line, first)) = lines.next() {
        if is_nothing(first) {
            continue;
        }
        let mut text = String::new();
        let mut next = first;
        while let Some(more) = next.trim_end().strip_suffix(escape) {
            text += more;
            let Some((_, line)) = lines.find(|(_, line)| !is_nothing(line)) else {
                break;
            };
            next = line;
        }
        if !next.trim_end().ends_with(escape) {
            text += next;
        }
        for end in heredocs(&text) {
            lines.find(|(_, line)| line.trim_start_matches('\t') == end);
        }
        let text = words(&text);
        found.push(Instruction { line, text });
    }
    found
}

fn is_nothing(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// What continues a line: `# escape=` at the top may name another.
fn escape(dockerfile: &str) -> char {
    let directives = dockerfile
        .lines()
        .map_while(|line| line.trim().strip_prefix('#'));
    let named = directives
        .filter_map(|directive| directive.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    match named.map(|(_, value)| value.trim()) {
        Some("`") => '`',
        _ => '\\',
    }
}

/// The words that end what follows `RUN <<EOF`.
fn heredocs(text: &str) -> Vec<String> {
    let keyword = text.split_whitespace().next().unwrap_or_default();
    if !["RUN", "COPY", "ADD"]
        .iter()
        .any(|name| keyword.eq_ignore_ascii_case(name))
    {
        return Vec::new();
    }
    let ends = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("<<"));
    let names = ends.map(|end| end.trim_start_matches('-').trim_matches(['"', '\'']));
    let is_name = |name: &&str| name.starts_with(|first: char| first.is_alphabetic());
    names.filter(is_name).map(str::to_owned).collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The instruction that a step's name shows, variables in it replaced or not.
pub(super) fn find<'a>(all: &'a [Instruction], step: &str) -> Option<&'a Instruction> {
    let name = match step.split_once("] ") {
        Some((stage, name)) if stage.starts_with('[') => name,
        _ => step,
    };
    let name = words(name);
    let keyword = |text: &str| text.split(' ').next().map(str::to_ascii_uppercase);
    let alike = |one: &&Instruction| keyword(&one.text) == keyword(&name);
    let same = |one: &Instruction| {
        let pairs = one.text.bytes().zip(name.bytes());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    let candidates = || all.iter().filter(alike);
    let exact = candidates().find(|one| one.text.eq_ignore_ascii_case(&name));
    // The first of several that are equally alike: the later ones were not reached.
    exact.or_else(|| candidates().rev().max_by_key(|one| same(one)))
}

/// The registries that the base images come from, as `~/.docker/config.json` names them.
pub(super) fn bases(dockerfile: &str) -> impl Iterator<Item = String> + use<> {
    let all = instructions(dockerfile);
    let hosts: BTreeSet<String> = all
        .iter()
        .flat_map(|instruction| instruction.text.split([' ', '=']))
        .filter_map(|word| host(word.trim_matches(['"', '\''])))
        .collect();
    hosts.into_iter()
}

fn host(image: &str) -> Option<String> {
    let (host, _) = image.split_once('/')?;
    let is_host = host == "localhost" || host.contains(['.', ':']);
    let is_clean = host.starts_with(|c: char| c.is_ascii_alphanumeric());
    (is_host && is_clean).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# syntax\nARG BASE=registry.example:5000/python\nFROM ${BASE} AS one\n\n\
        RUN apt-get update \\\n    # why\n    && apt-get install  x\n\
        RUN <<EOF\nRUN no\nEOF\nCOPY a b\nRUN ls ${DIR}\n";

    #[test]
    fn each_instruction_has_its_line() {
        let all = instructions(TEXT);
        let lines: Vec<_> = all.iter().map(|one| one.line).collect();
        assert_eq!(lines, [2, 3, 5, 8, 11, 12]);
        assert_eq!(all[2].text, "RUN apt-get update && apt-get install x");
    }

    #[test]
    fn a_step_is_found_by_its_name() {
        let all = instructions(TEXT);
        let cases = [
            ("[one 2/5] RUN apt-get update     && apt-get install  x", 5),
            ("[stage-1 3/5] RUN ls /app", 12),
            ("COPY a b", 11),
        ];
        for (step, line) in cases {
            assert_eq!(find(&all, step).unwrap().line, line, "{step}");
        }
        assert_eq!(find(&all, "[internal] load metadata for docker.io/x"), None);
    }

    #[test]
    fn registries_are_read_from_what_is_named() {
        let found: Vec<_> = bases(TEXT).collect();
        assert_eq!(found, ["registry.example:5000"]);
    }
}
