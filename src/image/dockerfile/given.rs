//! Variables that a Dockerfile gives values itself: in `ENV` and `ARG`, and in the commands of `RUN`.

use super::{Dockerfile, Instruction, words};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// Where the name stands.
    pub(crate) line: usize,
    pub(crate) in_command: bool,
    pub(crate) name: String,
    /// As it is written out: it needs no other variable.
    pub(crate) value: String,
}

impl Dockerfile {
    pub(crate) fn given(&self) -> Vec<Given> {
        let all = self.instructions.iter();
        all.flat_map(|one| one.given(&self.source, self.escape))
            .collect()
    }
}

impl Instruction {
    fn given(&self, source: &str, escape: char) -> Vec<Given> {
        let (keyword, text) = self.in_the_end();
        let in_command = match keyword.as_str() {
            "ENV" | "ARG" => false,
            "RUN" => true,
            _ => return Vec::new(),
        };
        let before = self.text.len() - text.len();
        let given = pairs(&keyword, text, escape).into_iter();
        let given = given.filter_map(|(at, (name, value))| {
            Some(Given {
                line: self.line_of(before + at, source),
                in_command,
                name: name.trim_matches(['"', '\'']).to_owned(),
                value: literal(value?.trim_end_matches(';'), escape)?,
            })
        });
        given.collect()
    }

    /// Of a byte of the text; a heredoc's lines follow the joined one.
    fn line_of(&self, at: usize, source: &str) -> usize {
        let joined = self.origin.len();
        let origin = self.origin.get(at).or(self.origin.last());
        let before = origin.and_then(|origin| source.get(..*origin));
        let below = self.text.get(joined..at).unwrap_or_default();
        1 + before.map_or(0, line_ends) + line_ends(below)
    }

    /// What an image that is built on this one does is in its history, too.
    fn in_the_end(&self) -> (String, &str) {
        match self.text.split_once(char::is_whitespace) {
            Some((keyword, text)) if self.keyword == "ONBUILD" => {
                (keyword.to_ascii_uppercase(), text.trim_start())
            }
            _ => (self.keyword.clone(), &self.text),
        }
    }
}

fn line_ends(text: &str) -> usize {
    text.matches('\n').count()
}

type Pair = (String, Option<String>);

/// Each with the byte that it begins at.
fn pairs(keyword: &str, text: &str, escape: char) -> Vec<(usize, Pair)> {
    if let Some(one) = old(keyword, text) {
        return vec![(0, one)];
    }
    let words = words::placed(text, escape).into_iter();
    words
        .map(|(at, word)| (at, words::assignment(word)))
        .collect()
}

/// `ENV NAME value`
fn old(keyword: &str, text: &str) -> Option<Pair> {
    let (name, value) = text.split_once(char::is_whitespace)?;
    let is_old = keyword == "ENV" && !name.contains('=');
    is_old.then(|| (name.to_owned(), Some(value.trim().to_owned())))
}

/// Without its quotes, where no variable and no command decides it.
fn literal(value: &str, escape: char) -> Option<String> {
    let with =
        |variable: Option<&str>| words::expand(value, escape, &|_| variable.map(str::to_owned));
    let text = with(None);
    let is_worked_out = text != with(Some("x")) || value.contains("$(") || value.contains('`');
    (!is_worked_out).then(|| text.trim_matches(['"', '\'']).to_owned())
}
