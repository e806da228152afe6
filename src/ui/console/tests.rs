use super::super::fixtures::*;
use super::*;
use crate::advice::Advise;

fn refused() -> Error {
    Err::<(), _>(anyhow::anyhow!(
        "port 8000 is in use by \u{1b}[2Janother program"
    ))
    .advise(
        "could not deploy support-agent",
        "set run.port, or stop what listens there",
    )
    .unwrap_err()
}

fn erring(wishes: Wishes, reader: Reader) -> (String, String) {
    let (mut console, out, err) = console(wishes, reader);
    console.error(&refused(), 3);
    (out.text(), err.text())
}

#[test]
fn an_error_as_text() {
    let (out, err) = erring(Wishes::default(), reader());
    assert_eq!(out, "");
    golden(
        &err,
        r"
error: could not deploy support-agent
  caused by: port 8000 is in use by another program
hint: set run.port, or stop what listens there
",
    );
}

#[test]
fn an_error_as_json() {
    let (out, _) = erring(
        Wishes {
            output: Output::Json,
            ..Wishes::default()
        },
        reader(),
    );
    golden(
        &out,
        r#"
{"v":1,"error":{"message":"could not deploy support-agent","causes":["port 8000 is in use by \u001b[2Janother program"],"hint":"set run.port, or stop what listens there","exit":3}}
"#,
    );
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let terminal = Reader {
        stderr_is_terminal: true,
        ..reader()
    };
    let cases = [
        (Color::Auto, terminal.clone(), true),
        (Color::Auto, reader(), false),
        (
            Color::Auto,
            Reader {
                no_color: true,
                ..terminal.clone()
            },
            false,
        ),
        (
            Color::Auto,
            Reader {
                dumb: true,
                ..terminal.clone()
            },
            false,
        ),
        (Color::Always, reader(), true),
        (
            Color::Always,
            Reader {
                no_color: true,
                ..terminal.clone()
            },
            true,
        ),
        (Color::Never, terminal, false),
    ];
    for (color, reader, colored) in cases {
        let (_, err) = erring(
            Wishes {
                color,
                ..Wishes::default()
            },
            reader.clone(),
        );
        assert_eq!(
            err.starts_with("\u{1b}[31merror: \u{1b}[0m"),
            colored,
            "{color:?} {reader:?}"
        );
    }
}

#[test]
fn no_glyph_leaves_ascii_where_the_locale_does() {
    let (mut console, _, err) = console(
        Wishes::default(),
        Reader {
            utf8: false,
            ..reader()
        },
    );
    console.note("r12 → r13 ✓");
    assert_eq!(err.text(), "r12 > r13 +\n");
}

#[test]
fn nothing_secret_gets_out() {
    let secrets = [("KEY".to_owned(), "hunter22".to_owned())];
    let (mut console, out, err) = console(Wishes::default(), reader());
    console.keep_out(Redactor::new(&secrets.into()));
    console.note("the reply was hunter22");
    console.warn("aHVudGVyMjI=");
    console.text("\tkey = hunter22\n");
    console.json(&serde_json::json!({ "line": "?key=hunter22" }));
    assert_eq!(
        err.text(),
        "the reply was [KEY redacted]\nwarning: [KEY redacted]\n"
    );
    assert_eq!(
        out.text(),
        "\tkey = [KEY redacted]\n{\"v\":1,\"line\":\"?key=[KEY redacted]\"}\n"
    );
}

#[test]
fn quiet_keeps_warnings() {
    let (mut console, _, err) = console(
        Wishes {
            quiet: true,
            ..Wishes::default()
        },
        reader(),
    );
    console.note("fine");
    console.warn("not fine");
    assert_eq!(err.text(), "warning: not fine\n");
}

/// A reader that takes nothing.
struct Gone(ErrorKind);

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn only_a_reader_that_went_away_is_forgiven() {
    for (kind, forgiven) in [
        (ErrorKind::BrokenPipe, true),
        (ErrorKind::StorageFull, false),
    ] {
        let gone = || Box::new(Gone(kind));
        let mut console = Console::new(Wishes::default(), reader(), gone(), gone());
        console.text("data\n");
        console.note("note");
        console.text("more data\n");
        assert_eq!(console.finish().is_ok(), forgiven, "{kind}");
    }
}

#[test]
fn locales() {
    let cases: [(&[(&str, &str)], bool); 5] = [
        (&[("LANG", "en_US.UTF-8")], true),
        (&[("LANG", "de_DE.utf8")], true),
        (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], false),
        (&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
        (&[], false),
    ];
    for (set, utf8) in cases {
        let variable = |name: &str| {
            set.iter()
                .find(|(set, _)| *set == name)
                .map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(locale_is_utf8(variable), utf8, "{set:?}");
    }
}
