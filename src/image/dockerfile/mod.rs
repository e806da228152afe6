//! A Dockerfile as its instructions, and the images that it is built on.
//!
//! No more of it is understood than that takes; whether it builds is for the engine to say. Pure.
//! Invariant: what is not replaced stays the same byte for byte.

mod from;
mod given;
mod lines;
mod taken;
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

/// An image that a stage begins with or takes files from, `python:3.13-slim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) line: usize,
    pub(crate) image: String,
    /// Where it is written in the file.
    place: Range<usize>,
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

    /// In the order of the file, without earlier stages and `scratch`, which are no images.
    pub(crate) fn bases(&self, args: &BTreeMap<String, String>) -> Vec<Base> {
        let froms = self.froms(args).into_iter();
        let mut bases: Vec<_> = froms.filter_map(From::into_base).collect();
        bases.extend(taken::all(&self.instructions));
        bases.sort_by_key(|base| base.place.start);
        bases
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
        for base in self.bases(args).into_iter().rev() {
            if let Some(digest) = digests.get(&base.image) {
                text.replace_range(base.place, &format!("{}@{digest}", base.image));
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

impl Instruction {
    /// An image that a part of its text names.
    fn base(&self, part: &str) -> Option<Base> {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        Some(Base {
            line: self.line,
            image: part.to_owned(),
            place: self.place(start..start + part.len())?,
        })
    }

    /// Where a part of the joined line is in the file, with the line breaks inside it.
    fn place(&self, part: Range<usize>) -> Option<Range<usize>> {
        let start = *self.origin.get(part.start)?;
        let end = *self.origin.get(part.end.checked_sub(1)?)? + 1;
        Some(start..end)
    }
}
