//! What a run printed and how it ended, compared exactly but for what no two runs share.

use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// What two runs of the same test do not share, and what stands for it.
const GAPS: &str = " {2,}";
const CHANGING: [(&str, &str); 13] = [
    (r"\(pid \d+\)", "(pid N)"),
    (r#"tester@[^\s"]+"#, "tester@host"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "MOMENT"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE"),
    (r"\d\d:\d\d:\d\dZ?", "TIME"),
    (r"\d\d:\d\d \((now|\d+ s ago)\)", "TIME"),
    (r"\b\d+ (ms|s)\b", "T"),
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"\bsha-[0-9a-f]{12,40}\b", "sha-CONTENT"),
    // What the engine calls a layer.
    (r#"(push +([✓✗] )?|"begun":")[0-9a-f]{12}\b"#, "${1}LAYER"),
    // The engine tells how much it moved now and then.
    (
        r"((push|build) +✓ .*\S) +[0-9.]+ (B|KiB)( +T\b)",
        "${1}${4}",
    ),
    (r#"("(took_ms|pid)": ?)\d+"#, "${1}N"),
    // Columns are as wide as their widest cell, which may be one of the above.
    (GAPS, "  "),
];

/// Names that hide what belongs to one place.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
}

impl Mask {
    fn hide(&self, text: &str) -> String {
        let text = text.replace(&self.dir.display().to_string(), "DIR");
        let port = Regex::new(&format!(r"\b{}\b", self.port)).unwrap();
        let text = port.replace_all(&text, "PORT").into_owned();
        CHANGING.iter().fold(text, |text, (pattern, name)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *name).into_owned()
        })
    }
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    mask: Mask,
}

impl Ran {
    pub(crate) fn new(code: Option<i32>, stdout: &[u8], stderr: &[u8], mask: Mask) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: code.unwrap_or(-1),
            stdout: text(stdout),
            stderr: text(stderr),
            mask,
        }
    }

    /// Nothing else was printed, and no line ends in a space.
    #[track_caller]
    pub(crate) fn exactly(self, code: i32, stdout: &str, stderr: &str) -> Self {
        let (out, err) = (self.shown(&self.stdout), self.shown(&self.stderr));
        let gaps = Regex::new(GAPS).unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| gaps.replace_all(text, "  "));
        let same = self.code == code && out == stdout && err == stderr;
        assert!(
            same,
            "it ended with {}, not {code}\n--- stdout\n{out}\n--- not\n{stdout}\n\
             --- stderr\n{err}\n--- not\n{stderr}",
            self.code
        );
        self
    }

    /// The same wherever and whenever it runs.
    #[track_caller]
    pub(crate) fn shown(&self, text: &str) -> String {
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "a line ends in a space");
        }
        self.mask.hide(text)
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(
            said,
            "{text:?} was not said:\n{}{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Each line of stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect()
    }
}

pub(crate) fn mask(dir: &Path, port: u16) -> Mask {
    let dir = dir.to_owned();
    Mask { dir, port }
}
