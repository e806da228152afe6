use serde_json::json;

use super::*;

/// A pen whose file is a device that fails: /dev/full at every write, /dev/null at every sync.
fn pen_on(device: &str) -> Pen {
    Pen {
        tail: Some(Tail {
            path: device.into(),
            fence: 1,
            file: File::options().append(true).open(device).unwrap(),
            next: 1,
        }),
        broken: false,
    }
}

fn entry(file: &Path) -> Entry {
    Entry {
        file: file.to_owned(),
        fence: 1,
        at: 0,
        payload: json!({}),
    }
}

#[test]
fn after_one_failure_nothing_is_written_again_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let healthy = folder.path().join("0008.journal");
    for device in ["/dev/full", "/dev/null"] {
        let mut pen = pen_on(device);
        let first = pen.write(entry(Path::new(device))).unwrap_err();
        assert_eq!(
            first.to_string(),
            format!("cannot write to the journal {device}")
        );
        for file in [Path::new(device), &healthy] {
            let later = pen.write(entry(file)).unwrap_err().to_string();
            assert!(later.starts_with("nothing more is written"), "{later}");
        }
    }
    assert!(!healthy.exists());
}

#[test]
fn a_first_record_that_cannot_be_written_breaks_it_too() {
    let mut pen = Pen::default();
    pen.write(entry(Path::new("/dev/nowhere/0001.journal")))
        .unwrap_err();
    assert!(pen.broken);
}

#[test]
fn a_torn_end_is_cut_before_the_next_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("0001.journal");
    Pen::default().write(entry(&file)).unwrap();
    let first = std::fs::read(&file).unwrap();
    for cut in 0..first.len() {
        let torn = [&first[..], &first[..cut]].concat();
        std::fs::write(&file, torn).unwrap();
        Pen::default().write(entry(&file)).unwrap();
        let records = format::records(&std::fs::read(&file).unwrap(), &file).unwrap();
        assert_eq!(records.records.len(), 2, "cut at {cut}");
    }
}

#[test]
fn what_others_wrote_between_two_fences_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("0001.journal");
    let at = |fence| Entry {
        fence,
        ..entry(&file)
    };
    let (mut one, mut other) = (Pen::default(), Pen::default());
    for fence in 1..7 {
        one.write(at(2 * fence)).unwrap();
        other.write(at(2 * fence + 1)).unwrap();
    }
    let records = format::records(&std::fs::read(&file).unwrap(), &file).unwrap();
    assert_eq!(records.records.len(), 12);
}
