use super::classic::Told;
use super::steps::Steps;
use crate::docker::Line;
use crate::image::{Ended, Progress};
use crate::redact::Redactor;

mod engine;

fn seen(words: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut watch = |progress| seen.push(word(progress));
    let mut steps = Steps::new(&mut watch, Redactor::default());
    let mut told = Told::default();
    for text in words {
        let stream = Some((*text).to_owned());
        let line = Line {
            stream,
            ..Line::default()
        };
        told.take(&line, &mut steps);
    }
    told.end(Ended::Done, &mut steps);
    seen
}

fn word(progress: Progress) -> String {
    match progress {
        Progress::Begun { step, name } => format!("{step} begun {name}"),
        Progress::Said { step, text } => format!("{step} {}", text.trim_end()),
        Progress::Moved { step, bytes, .. } => format!("{step} {bytes}"),
        Progress::Ended { step, how } => format!("{step} {how:?}"),
        Progress::Warned { text } => text,
    }
}

#[test]
fn the_classic_builders_words_are_steps() {
    let words = [
        "Step 1/2 : FROM a\n",
        " ---> 4b1d\n",
        "Step 2/2 : RUN make\n",
        " ---> Running in 12\n",
        "Step 9/9 : only printed\n",
        " ---> Using cache\n",
    ];
    let expected = [
        "0 begun FROM a",
        "0 Done",
        "1 begun RUN make",
        "1 Step 9/9 : only printed",
        "1 Cached",
    ];
    assert_eq!(seen(&words), expected);
}
