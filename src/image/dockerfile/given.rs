//! Variables that a Dockerfile gives values itself: in `ENV` and `ARG`, and in the commands of `RUN`.

use super::{Dockerfile, Instruction, words};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// Of the instruction.
    pub(crate) line: usize,
    pub(crate) in_command: bool,
    pub(crate) name: String,
    /// As it is written out: it needs no other variable.
    pub(crate) value: String,
}

impl Dockerfile {
    pub(crate) fn given(&self) -> Vec<Given> {
        let all = self.instructions.iter();
        all.flat_map(|one| one.given(self.escape)).collect()
    }
}

impl Instruction {
    fn given(&self, escape: char) -> Vec<Given> {
        let (keyword, text) = self.in_the_end();
        let in_command = match keyword.as_str() {
            "ENV" | "ARG" => false,
            "RUN" => true,
            _ => return Vec::new(),
        };
        let pairs =
            old(&keyword, text).map_or_else(|| words::assignments(text, escape), |one| vec![one]);
        let written = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let given = written.filter_map(|(name, value)| {
            Some(Given {
                line: self.line,
                in_command,
                name: name.trim_matches(['"', '\'']).to_owned(),
                value: literal(value.trim_end_matches(';'), escape)?,
            })
        });
        given.collect()
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

/// `ENV NAME value`
fn old(keyword: &str, text: &str) -> Option<(String, Option<String>)> {
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
