//! A Dockerfile as its instructions, and the images that it is built on.
//!
//! No more of it is understood than that takes; whether it builds is for the engine to say. Pure.
//! Invariant: what is not replaced stays the same byte for byte.

mod from;
mod lines;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use self::from::From;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Counted from 1; where it begins.
    pub(crate) line: usize,
    /// In capitals.
    pub(crate) keyword: String,
    /// What follows the keyword, its lines joined; heredocs stand below it.
    pub(crate) text: String,
    /// Where each byte of the first, joined line of `text` is in the file.
    origin: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Dockerfile {
    source: String,
    pub(crate) instructions: Vec<Instruction>,
    escape: char,
}

/// An image that a stage begins with, `python:3.13-slim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) line: usize,
    pub(crate) image: String,
}

impl Dockerfile {
    pub(crate) fn parse(text: &str) -> Self {
        let (instructions, escape) = lines::instructions(text);
        Self {
            source: text.to_owned(),
            instructions,
            escape,
        }
    }

    /// Without earlier stages and `scratch`, which are no images.
    pub(crate) fn bases(&self, args: &BTreeMap<String, String>) -> Vec<Base> {
        let froms = self.froms(args).into_iter();
        froms.filter_map(From::into_base).collect()
    }

    /// What the image itself is built on, through however many stages.
    pub(crate) fn last_base(&self, args: &BTreeMap<String, String>) -> Option<Base> {
        let froms = self.froms(args);
        let mut at = froms.last()?;
        while let Some(stage) = at.stage {
            at = froms.get(stage)?;
        }
        at.clone().into_base()
    }

    /// The text with each image that has a digest there named by it.
    pub(crate) fn pinned(
        &self,
        args: &BTreeMap<String, String>,
        digests: &BTreeMap<String, String>,
    ) -> String {
        let mut text = self.source.clone();
        // From the end, so that what is still to be replaced stays where it is.
        for from in self.froms(args).into_iter().rev() {
            let place = from.place.clone();
            let digest = from.into_base().and_then(|base| by(&base.image, digests));
            if let Some(image) = digest {
                text.replace_range(place, &image);
            }
        }
        text
    }

    /// Whether the Dockerfile takes this argument.
    pub(crate) fn takes(&self, arg: &str) -> bool {
        let args = self.instructions.iter().filter(|one| one.keyword == "ARG");
        let mut names = args.flat_map(|one| words::assignments(&one.text, self.escape));
        names.any(|(name, _)| name == arg)
    }

    fn froms(&self, args: &BTreeMap<String, String>) -> Vec<From> {
        from::all(&self.instructions, self.escape, args)
    }
}

fn by(image: &str, digests: &BTreeMap<String, String>) -> Option<String> {
    let digest = digests.get(image)?;
    Some(format!("{image}@{digest}"))
}

impl Instruction {
    /// Where a part of the joined line is in the file, with the line breaks inside it.
    fn place(&self, part: Range<usize>) -> Option<Range<usize>> {
        let start = *self.origin.get(part.start)?;
        let end = *self.origin.get(part.end.checked_sub(1)?)? + 1;
        Some(start..end)
    }
}
