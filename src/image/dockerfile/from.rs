//! `FROM [--platform=…] IMAGE [AS name]`, with the arguments that come before the first of them.

use std::collections::BTreeMap;

use super::{Base, Instruction, words};

/// What the engine knows before any Dockerfile says so.
const OF_THE_ENGINE: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];
const NOTHING: &str = "scratch";

#[derive(Clone)]
pub(super) struct From {
    base: Base,
    name: Option<String>,
    /// The earlier stage that it goes on from.
    pub(super) stage: Option<usize>,
}

impl From {
    pub(super) fn into_base(self) -> Option<Base> {
        let image = self.base.image.as_str();
        let is_image = self.stage.is_none() && image != NOTHING && !image.is_empty();
        is_image.then_some(self.base)
    }
}

pub(super) fn all(
    instructions: &[Instruction],
    escape: char,
    args: &BTreeMap<String, String>,
) -> Vec<From> {
    let values = before_the_first(instructions, escape, args);
    let value = |name: &str| values.get(name).cloned();
    let mut found: Vec<From> = Vec::new();
    for one in instructions.iter().filter(|one| one.keyword == "FROM") {
        let Some(mut base) = parts(one).next().and_then(|word| one.base(word)) else {
            continue;
        };
        base.image = words::expand(&base.image, escape, &value);
        let is_it = |from: &From| {
            let name = from.name.as_ref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(&base.image))
        };
        found.push(From {
            stage: found.iter().rposition(is_it),
            name: name(one).map(str::to_owned),
            base,
        });
    }
    found
}

fn before_the_first(
    instructions: &[Instruction],
    escape: char,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let of_the_engine = |name: &String| OF_THE_ENGINE.contains(&name.as_str());
    let known = given.iter().filter(|(name, _)| of_the_engine(name));
    let mut values: BTreeMap<_, _> = known.map(|(n, v)| (n.clone(), v.clone())).collect();
    let before = instructions.iter().take_while(|one| one.keyword != "FROM");
    let args = before.filter(|one| one.keyword == "ARG");
    for (name, usual) in args.flat_map(|one| words::assignments(&one.text, escape)) {
        let usual =
            usual.map(|text| words::expand(&text, escape, &|name| values.get(name).cloned()));
        if let Some(value) = given.get(&name).cloned().or(usual) {
            values.insert(name, value);
        }
    }
    values
}

fn parts(one: &Instruction) -> impl Iterator<Item = &str> {
    let words = one.text.split_whitespace();
    words.skip_while(|word| word.starts_with("--"))
}

pub(super) fn name(one: &Instruction) -> Option<&str> {
    let mut rest = parts(one).skip(1);
    rest.next().filter(|word| word.eq_ignore_ascii_case("AS"))?;
    rest.next()
}
