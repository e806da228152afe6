//! `FROM [--platform=…] IMAGE [AS name]`, with the arguments that come before the first of them.

use std::collections::BTreeMap;
use std::ops::Range;

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
    line: usize,
    image: String,
    name: Option<String>,
    /// The earlier stage that it goes on from.
    pub(super) stage: Option<usize>,
    /// Where the image is written in the file.
    pub(super) place: Range<usize>,
}

impl From {
    pub(super) fn into_base(self) -> Option<Base> {
        let is_image = self.stage.is_none() && self.image != NOTHING && !self.image.is_empty();
        is_image.then_some(Base {
            line: self.line,
            image: self.image,
        })
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
        let Some((word, place)) = image(one) else {
            continue;
        };
        let image = words::expand(word, escape, &value);
        let is_it = |from: &From| {
            let name = from.name.as_ref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(&image))
        };
        found.push(From {
            line: one.line,
            stage: found.iter().rposition(is_it),
            name: name(one),
            image,
            place,
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

fn image(one: &Instruction) -> Option<(&str, Range<usize>)> {
    let word = parts(one).next()?;
    let start = word.as_ptr().addr() - one.text.as_ptr().addr();
    let place = one.place(start..start + word.len())?;
    Some((word, place))
}

fn name(one: &Instruction) -> Option<String> {
    let mut rest = parts(one).skip(1);
    rest.next().filter(|word| word.eq_ignore_ascii_case("AS"))?;
    rest.next().map(str::to_owned)
}
