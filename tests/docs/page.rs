//! A page of Markdown, and the commands in its `console` blocks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::alike::alike;

/// What follows `$ ` on a line, and the lines below it: what it prints.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) prints: Vec<String>,
}

impl Command {
    pub(super) fn of(text: &str) -> Self {
        Self {
            line: 0,
            text: text.to_owned(),
            prints: Vec::new(),
        }
    }
}

/// What a command did.
pub(super) struct Ran {
    pub(super) output: String,
    pub(super) code: i32,
}

pub(super) struct Page {
    file: PathBuf,
    text: String,
    pub(super) commands: Vec<Command>,
}

impl Page {
    pub(super) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        Self {
            file: file.to_owned(),
            commands: commands(&text),
            text,
        }
    }

    /// Its first block of that kind.
    pub(super) fn toml(&self) -> String {
        let lines = self.text.lines().skip_while(|line| *line != "```toml");
        let block = lines.skip(1).take_while(|line| *line != "```");
        block.map(|line| format!("{line}\n")).collect()
    }

    /// What the page says otherwise than it is.
    pub(super) fn differences(&self, ran: &[Ran]) -> Vec<String> {
        assert_eq!(self.commands.len(), ran.len(), "the session broke off");
        let next = self.commands.iter().skip(1).map(Some).chain([None]);
        let pairs = self.commands.iter().zip(ran).zip(next);
        pairs
            .filter_map(|((command, ran), next)| difference(command, ran, next))
            .collect()
    }

    /// The page with what was printed.
    pub(super) fn write(&self, ran: &[Ran]) {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        for (command, ran) in self.commands.iter().zip(ran).rev() {
            let begin = command.line + 1;
            let printed = ran.output.lines().map(|line| line.trim_end().to_owned());
            if !alike(&command.prints, &ran.output) {
                lines.splice(begin..begin + command.prints.len(), printed);
            }
        }
        fs::write(&self.file, lines.join("\n") + "\n").unwrap();
    }
}

/// A command may fail only where the page shows its exit code.
fn difference(command: &Command, ran: &Ran, next: Option<&Command>) -> Option<String> {
    let Command { line, text, prints } = command;
    let output = &ran.output;
    let shown = next.is_some_and(|next| next.text == "echo $?");
    if ran.code != 0 && !shown {
        return Some(format!(
            "line {line}: $ {text}\nended with {}:\n{output}",
            ran.code
        ));
    }
    let prints_else = || {
        let said = prints.join("\n");
        format!("line {line}: $ {text}\nprints:\n{output}\nand not:\n{said}\n")
    };
    (!alike(prints, output)).then(prints_else)
}

/// The lines of a page in blocks of this kind, with their numbers from 0.
fn commands(text: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut inside = false;
    for (line, content) in text.lines().enumerate() {
        match content.strip_prefix("$ ") {
            _ if content.starts_with("```") => inside = content == "```console",
            Some(command) if inside => commands.push(Command {
                line,
                ..Command::of(command)
            }),
            None if inside => commands.last_mut().unwrap().prints.push(content.to_owned()),
            _ => {}
        }
    }
    commands
}

/// Relative ones, without the place in the page.
pub(super) fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    let links = ends.filter_map(|rest| rest.split([')', '#']).next());
    links
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .map(str::to_owned)
        .collect()
}

/// Names in backticks that could be fields or values.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    quoted
        .filter(|word| !word.is_empty() && word.chars().all(of_name))
        .map(str::to_owned)
        .collect()
}
