use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use prost::Message;
use serde_json::json;

use super::filesync::{chosen, stat};
use super::grpc;
use super::messages::{self, Empty, Log, Packet, Status, Vertex, What};
use super::trace::Trace;
use crate::image::build::steps::Steps;
use crate::image::context::{Entry, Kind, Mark};
use crate::image::{Ended, Progress};
use crate::redact::Redactor;

fn file(path: &str) -> Entry {
    let kind = Kind::File {
        size: 3,
        mode: 0o100_755,
        mark: Mark::default(),
    };
    let path = path.to_owned();
    Entry { path, kind }
}

fn link(path: &str) -> Entry {
    let target = "elsewhere".to_owned();
    let path = path.to_owned();
    Entry {
        path,
        kind: Kind::Link { target },
    }
}

fn told(entries: &[Entry], followed: &[&str]) -> Vec<String> {
    let followed: Vec<String> = followed.iter().map(|path| (*path).to_owned()).collect();
    let chosen = chosen(entries, &followed);
    chosen
        .iter()
        .map(|index| entries[*index].path.clone())
        .collect()
}

#[test]
fn files_are_told_in_the_order_of_a_walk() {
    let entries = ["a", "a-b", "a.c", "a/b", "a/b/c"].map(file);
    assert_eq!(told(&entries, &[]), ["a", "a/b", "a/b/c", "a-b", "a.c"]);
}

#[test]
fn only_what_is_looked_at_is_told() {
    let entries = ["a", "a/b", "a/c", "b", "bb"].map(file);
    let cases: [(&[&str], &[&str]); 5] = [
        (&["b"], &["b"]),
        (&["a/b"], &["a", "a/b"]),
        (&["a/*.py", "b"], &["a", "a/b", "a/c", "b"]),
        (&["."], &["a", "a/b", "a/c", "b", "bb"]),
        (&[".dockerignore"], &[]),
    ];
    for (followed, expected) in cases {
        assert_eq!(told(&entries, followed), expected, "{followed:?}");
    }
    let entries = [link("a"), file("elsewhere")];
    assert_eq!(told(&entries, &["a/b"]), ["a", "elsewhere"]);
}

#[test]
fn modes_are_written_as_go_has_them() {
    let folder = Kind::Folder { mode: 0o40_755 };
    let path = "a".to_owned();
    let folder = Entry { path, kind: folder };
    assert_eq!(stat(&file("a")).mode, 0o755);
    assert_eq!(stat(&folder).mode, 0x8000_01ed);
    let link = stat(&link("a"));
    assert_eq!(
        (link.mode, link.target.as_str()),
        (0x0800_01ff, "elsewhere")
    );
}

#[test]
fn messages_may_come_in_pieces() {
    let packet = Packet {
        what: What::Data.into(),
        stat: None,
        id: 7,
        data: "text".into(),
    };
    let mut whole = BytesMut::new();
    grpc::put(&packet, &mut whole).unwrap();
    assert_eq!(whole[..5], [0, 0, 0, 0, (whole.len() - 5) as u8]);
    let mut buffer = BytesMut::from(&whole[..7]);
    assert!(grpc::split(&mut buffer).unwrap().is_none());
    buffer.extend_from_slice(&whole[7..]);
    let message = grpc::split(&mut buffer).unwrap().unwrap();
    assert_eq!(Packet::decode(message).unwrap(), packet);
    assert!(grpc::split(&mut BytesMut::from(&[1, 0, 0, 0, 0][..])).is_err());
}

#[test]
fn a_trace_is_a_list_of_steps() {
    let vertex = |name: &str, error: &str, cached| Vertex {
        digest: format!("sha256:{name}"),
        name: name.to_owned(),
        cached,
        started: Some(Empty {}),
        completed: (cached || !error.is_empty()).then_some(Empty {}),
        error: error.to_owned(),
    };
    let log = Log {
        vertex: "sha256:RUN".to_owned(),
        text: "no\n".into(),
    };
    let status = |vertexes, logs| {
        let statuses = Vec::new();
        let status = Status {
            vertexes,
            statuses,
            logs,
        };
        let aux = json!(STANDARD.encode(status.encode_to_vec()));
        messages::status(Some(&aux)).unwrap()
    };
    let mut seen = Vec::new();
    let mut watch = |progress| seen.push(progress);
    let mut steps = Steps::new(&mut watch, Redactor::default());
    let mut trace = Trace::default();
    let begun = vec![vertex("RUN", "", false), vertex("FROM", "", true)];
    trace.take(status(begun, vec![log]), &mut steps);
    let failed = vec![vertex("RUN", "exit code 1", false)];
    trace.take(status(failed, vec![]), &mut steps);
    let name = |name: &str| name.to_owned();
    let expected = [
        Progress::Begun {
            step: 0,
            name: name("RUN"),
        },
        Progress::Begun {
            step: 1,
            name: name("FROM"),
        },
        Progress::Said {
            step: 0,
            text: name("no\n"),
        },
        Progress::Ended {
            step: 1,
            how: Ended::Cached,
        },
        Progress::Ended {
            step: 0,
            how: Ended::Failed,
        },
    ];
    assert_eq!(seen, expected);
}
