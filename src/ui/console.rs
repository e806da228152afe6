//! Where text goes: data to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::Error;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::error::{Trouble, said};
use super::line::{Line, Tone};
use super::words::Clock;
use crate::redact::Redactor;
use crate::rollout::Stamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) output: Output,
    pub(crate) color: Color,
    /// Only results and errors.
    pub(crate) quiet: bool,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
}

/// What is known of the reader.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    /// `NO_COLOR` is set to something.
    pub(crate) no_color: bool,
    /// No `TERM`, or `dumb`: it can neither colour nor redraw.
    pub(crate) dumb: bool,
    /// The locale is UTF-8.
    pub(crate) utf8: bool,
    /// Columns and rows; asked anew for every picture, for a window may change.
    pub(crate) size: fn() -> Option<(usize, usize)>,
    /// Looked for when a time is told: all zones of the machine are read then.
    pub(crate) zone: fn() -> TimeZone,
}

impl Reader {
    /// The terminal and the environment of this process.
    pub(crate) fn of_this_process() -> Self {
        Self {
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            no_color: variable("NO_COLOR").is_some(),
            dumb: variable("TERM").is_none_or(|term| term == "dumb"),
            utf8: locale_is_utf8(variable),
            size,
            zone: TimeZone::system,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The first of these that is set decides, as in POSIX.
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable)
        .is_some_and(|locale| locale.to_lowercase().replace('-', "").contains("utf8"))
}

fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}

/// What a table shows, as text and for programs.
pub(crate) trait View: Serialize {
    fn lines(&self, clock: &Clock) -> Vec<Line>;
}

/// Everything for programs says which version of docs/json.md it follows.
#[derive(Serialize)]
struct Document<'a, T> {
    v: u32,
    #[serde(flatten)]
    body: &'a T,
}

pub(crate) struct Console {
    pub(super) wishes: Wishes,
    pub(super) reader: Reader,
    redactor: Redactor,
    out: Stream,
    err: Stream,
}

impl Console {
    pub(crate) fn new(
        wishes: Wishes,
        reader: Reader,
        out: Box<dyn Write>,
        err: Box<dyn Write>,
    ) -> Self {
        let color = |is_terminal| match wishes.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !reader.no_color && !reader.dumb,
        };
        Self {
            out: Stream::new(out, color(reader.stdout_is_terminal)),
            err: Stream::new(err, color(reader.stderr_is_terminal)),
            redactor: Redactor::default(),
            wishes,
            reader,
        }
    }

    /// From now on these secrets are kept out of everything.
    pub(crate) fn keep_out(&mut self, redactor: Redactor) {
        self.redactor = redactor;
    }

    /// Data, as a table or as one JSON object.
    pub(crate) fn show(&mut self, view: &impl View, now: Stamp) {
        match self.wishes.output {
            Output::Json => self.json(view),
            Output::Text => self.data(view.lines(&self.clock(now))),
        }
    }

    /// Data that is text already, written by agentctl: all of it but its secrets stays as it is.
    pub(crate) fn text(&mut self, text: &str) {
        self.out.write(&self.redactor.redact(text));
    }

    /// What a verb came to; said even to who wants nothing but results.
    pub(crate) fn result(&mut self, says: &str, result: &impl Serialize) {
        match self.wishes.output {
            Output::Json => self.json(&serde_json::json!({ "result": result })),
            Output::Text => self.say(says.lines().map(Line::from)),
        }
    }

    /// What happened, for a person.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.wishes.quiet && self.wishes.output == Output::Text {
            self.say(text.lines().map(Line::from));
        }
    }

    /// For who asked for more.
    pub(crate) fn detail(&mut self, text: &str) {
        if self.wishes.verbose > 0 {
            self.note(text);
        }
    }

    /// Whether the answer is yes; `None`: nobody is there to give one.
    pub(crate) fn ask(&mut self, question: &str) -> Option<bool> {
        if self.is_json() || !self.reader.stderr_is_terminal || !io::stdin().is_terminal() {
            return None;
        }
        self.say([Line::from(format!("{question} [y/N]").as_str())]);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(["y", "yes"].contains(&answer.trim()))
    }

    /// The same, with the time and what it is about.
    pub(crate) fn happened(&mut self, at: Stamp, about: &str, what: &str) {
        if !self.wishes.quiet && self.wishes.output == Output::Text {
            self.log(at, about, what.into());
        }
    }

    pub(super) fn log(&mut self, at: Stamp, about: &str, what: Line) {
        let time = self.clock(at).time(at);
        self.say([Line::default()
            .dim(time)
            .plain(format!("  {about:<8}  "))
            .then(what)]);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.say(said(Tone::Wait, "warning: ", text));
    }

    /// `exit` is what the process will exit with.
    pub(crate) fn error(&mut self, error: &Error, exit: u8) {
        let trouble = Trouble::of(error, exit);
        self.say(trouble.lines());
        if self.wishes.output == Output::Json {
            self.json(&serde_json::json!({ "error": trouble }));
        }
    }

    /// # Errors
    /// When data could not be written, for another reason than that its reader went away.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.out.failed.take().map_or(Ok(()), Err)
    }

    pub(crate) fn clock(&self, now: Stamp) -> Clock {
        Clock {
            now,
            zone: (self.reader.zone)(),
        }
    }

    /// Whoever reads what happens sees a terminal that can redraw.
    pub(super) fn redraws(&self) -> bool {
        self.reader.stderr_is_terminal && !self.reader.dumb
    }

    pub(crate) fn is_json(&self) -> bool {
        self.wishes.output == Output::Json
    }

    pub(crate) fn json(&mut self, body: &impl Serialize) {
        match serde_json::to_value(Document { v: 1, body }) {
            Ok(value) => self
                .out
                .write(&format!("{}\n", self.redactor.redact_json(value))),
            Err(error) => self.out.fail(error.into()),
        }
    }

    pub(super) fn data(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            let line = self.clean(line).paint(self.out.color);
            self.out.write(&format!("{line}\n"));
        }
    }

    pub(super) fn say(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            let line = self.clean(line).paint(self.err.color);
            self.err.write(&format!("{line}\n"));
        }
    }

    /// To the terminal as it is: only what went through [`Self::fit`].
    pub(super) fn draw(&mut self, text: &str) {
        self.err.write(text);
    }

    /// A line of the live view, never wider than this.
    pub(super) fn fit(&self, line: Line, columns: usize) -> String {
        self.glyphs(self.clean(line).cut(columns))
            .paint(self.err.color)
    }

    fn clean(&self, line: Line) -> Line {
        self.glyphs(line.map(|text| self.redactor.clean(text)))
    }

    fn glyphs(&self, line: Line) -> Line {
        if self.reader.utf8 { line } else { line.ascii() }
    }
}

struct Stream {
    to: Box<dyn Write>,
    color: bool,
    /// Its reader went away, or it failed: nothing more is written.
    closed: bool,
    failed: Option<io::Error>,
}

impl Stream {
    fn new(to: Box<dyn Write>, color: bool) -> Self {
        Self {
            to,
            color,
            closed: false,
            failed: None,
        }
    }

    fn write(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let written = self
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.to.flush());
        if let Err(error) = written {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.closed = true;
        if error.kind() != ErrorKind::BrokenPipe {
            self.failed.get_or_insert(error);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
