use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use futures_util::StreamExt;

use super::ignore::{Hits, Rules};
use super::*;

fn ignored(text: &str, path: &str) -> bool {
    let rules = Rules::parse(text).unwrap();
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    let hits = ends.fold(Hits::default(), |hits, end| rules.hits(&path[..end], &hits));
    rules.ignores(&hits)
}

/// (.dockerignore, what it leaves out, what it keeps)
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const RULES: [Case; 35] = [
    ("", &[], &["a"]),
    ("# a\n#b\n", &[], &["a", "b", "#b"]),
    (" #b", &["#b"], &["b"]),
    ("\u{feff}a", &["a"], &["b"]),
    ("  a \t\r\n", &["a"], &["b", "a b"]),
    ("/a", &["a", "a/b"], &["b/a"]),
    ("a/", &["a", "a/b"], &["ab"]),
    ("./a//b/../c", &["a/c"], &["a/b"]),
    ("a", &["a/b/c"], &["b/a", "A"]),
    ("*", &["a", "a/b", ".a"], &[]),
    (
        "*/temp*",
        &["x/temporary.txt", "x/temp"],
        &["temp", "x/y/temp"],
    ),
    ("*/*/temp*", &["a/b/temporary"], &["a/temp"]),
    ("temp?", &["tempa", "tempé"], &["temp", "tempab", "temp/"]),
    ("**/*.go", &["a.go", "a/b/c.go"], &["a.gox"]),
    ("**/a", &["a", "b/a", "b/a/c"], &["ba"]),
    ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
    ("a/**/c", &["a/c", "a/b/c", "a/b/d/c"], &["a/bc", "ac"]),
    ("**", &["a", "a/b"], &[]),
    ("**a", &["ba", "b/ca"], &["ab"]),
    ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
    ("[^a-c]x", &["dx"], &["ax"]),
    ("\\*x", &["*x"], &["ax"]),
    ("a.b", &["a.b"], &["axb"]),
    ("*.md\n!README.md", &["a.md"], &["README.md"]),
    (
        "*.md\n!README*.md\nREADME-s.md",
        &["README-s.md"],
        &["README.md"],
    ),
    (
        "*.md\nREADME-s.md\n!README*.md",
        &["a.md"],
        &["README-s.md"],
    ),
    ("*\n! src", &["a"], &["src", "src/a/b"]),
    ("a\n!a/b", &["a/c"], &["a/b", "a/b/c"]),
    ("!a\na", &["a"], &[]),
    ("d/x\n!d", &["d/x"], &["d", "d/y"]),
    ("a/b/c\n!a\n!a/b", &["a/b/c", "a/b/c/d"], &["a/b/d"]),
    ("a\n!a\na/b", &["a/b"], &["a", "a/c"]),
    ("*\n!d/y\nd", &["d", "d/x"], &["d/y"]),
    ("*\n!a/b", &["a", "a/c", "b"], &["a/b", "a/b/c"]),
    ("**/x  \n!a/**", &["x", "b/x"], &["a/x"]),
];

#[test]
fn a_dockerignore_means_what_docker_says() {
    for (text, out, kept) in RULES {
        for path in out {
            assert!(ignored(text, path), "{text:?} has to leave out {path}");
        }
        for path in kept {
            assert!(!ignored(text, path), "{text:?} has to keep {path}");
        }
    }
}

#[test]
fn a_line_that_is_no_pattern_is_named() {
    for (text, said) in [
        ("a\n[b", "line 2"),
        ("!", "line 1"),
        ("a\\", "line 1"),
        ("[]a]", "line 1"),
        ("a\n[z-a]", "line 2"),
        ("a\n!/", "line 2"),
        ("! //", "line 1"),
    ] {
        let error = Rules::parse(text).err().unwrap().to_string();
        assert!(error.contains(said), "{text:?}: {error}");
    }
}

#[test]
fn a_folder_is_entered_where_something_in_it_may_be_kept() {
    let cases = [
        ("!a/b", "a", true),
        ("!a/b", "a/b", false),
        ("!a/b", "c", false),
        ("!a", "b", false),
        ("!**/*.py", "a/b", true),
        ("!*/x", "a", true),
        ("!*/x", "a/b", false),
        ("!a*/x/y", "ab/x", true),
    ];
    for (text, folder, may) in cases {
        assert_eq!(
            Rules::parse(text).unwrap().may_keep_below(folder),
            may,
            "{text} {folder}"
        );
    }
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let place = dir.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    dir
}

fn paths(context: &Context) -> Vec<&str> {
    context
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect()
}

fn read(root: &Path) -> Context {
    Context::read(root, "").unwrap()
}

fn identity(root: &Path) -> String {
    let looked = read(root).look_through(&Memory::default());
    looked.unwrap().identity.to_string()
}

#[test]
fn what_is_kept_brings_the_folders_above_it() {
    let dir = tree(&[("a/b/c.py", ""), ("a/x", ""), ("d/y", ""), ("e", "")]);
    let context = Context::read(dir.path(), "*\n!**/*.py").unwrap();
    assert_eq!(paths(&context), ["a", "a/b", "a/b/c.py"]);
}

#[test]
fn entries_are_sorted_by_their_bytes() {
    let dir = tree(&[("a/x", ""), ("a-b", ""), ("B", "")]);
    assert_eq!(paths(&read(dir.path())), ["B", "a", "a-b", "a/x"]);
}

#[test]
fn a_path_is_looked_up_as_git_writes_it() {
    let dir = tree(&[("a/b/c", ""), ("a-b", ""), ("d", ""), ("e/f", "")]);
    let context = Context::read(dir.path(), "e/f").unwrap();
    let cases = [
        ("a/", true),
        ("a/b/c", true),
        ("d", true),
        ("a/c", false),
        ("a/bc", false),
        ("d/", false),
        ("e/", false),
        ("e/f", false),
        ("z", false),
    ];
    for (path, is_there) in cases {
        assert_eq!(context.has(path), is_there, "{path}");
    }
}

#[test]
fn only_what_is_in_the_tree_decides_the_hash() {
    let one = tree(&[("a", "1"), ("b/c", "2")]);
    let other = tree(&[("b/c", "2"), ("a", "1")]);
    fs::set_permissions(other.path().join("a"), fs::Permissions::from_mode(0o600)).unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH;
    fs::File::open(other.path().join("a"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    assert_eq!(identity(one.path()), identity(other.path()));
    let before = identity(one.path());
    fs::set_permissions(one.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_ne!(identity(one.path()), before, "the executable bit");
    fs::write(other.path().join("b/c"), "3").unwrap();
    assert_ne!(identity(other.path()), before, "the contents");
}

#[test]
fn a_link_is_its_target_and_no_more() {
    let dir = tree(&[("a", "1")]);
    symlink("/etc", dir.path().join("out")).unwrap();
    let context = read(dir.path());
    assert_eq!(paths(&context), ["a", "out"]);
    let target = "/etc".to_owned();
    assert_eq!(context.entries[1].kind, Kind::Link { target });
}

#[test]
fn what_cannot_be_sent_is_refused_by_name() {
    let dir = tree(&[("a", "1")]);
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("s")).unwrap();
    let error = Context::read(dir.path(), "").err().unwrap().to_string();
    assert!(error.contains("a socket"), "{error}");
    assert_eq!(paths(&Context::read(dir.path(), "s").unwrap()), ["a"]);
    std::fs::create_dir(dir.path().join("b")).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(dir.path().join("b/o")).unwrap();
    let error = Context::read(dir.path(), "").err().unwrap();
    let said = error.to_string();
    let each = said.lines().filter(|line| line.ends_with(" is a socket"));
    assert_eq!(each.count(), 2, "{said}");
    let hint = crate::advice::hint(&error).unwrap();
    assert!(hint.ends_with(", each in a line: b/o, s"), "{hint}");
}

#[test]
fn a_refused_name_forges_no_line() {
    let dir = tree(&[("a", "1")]);
    let name = "e\u{1b}[31mX\nY";
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join(name)).unwrap();
    let error = Context::read(dir.path(), "").err().unwrap();
    let said = error.to_string();
    assert!(said.contains("e\\u{1b}[31mX\\nY is a socket"), "{said}");
    let hint = crate::advice::hint(&error).unwrap();
    assert!(hint.ends_with(".dockerignore: e?[31mX?Y"), "{hint}");
}

#[test]
fn a_name_that_is_no_text_is_refused_unless_it_is_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let dir = tree(&[("in/a", "1")]);
    fs::write(dir.path().join("in").join(odd), "").unwrap();
    fs::create_dir(dir.path().join(odd)).unwrap();
    fs::write(dir.path().join(odd).join("b"), "").unwrap();
    symlink(odd, dir.path().join("link")).unwrap();
    let refused = |ignore: &str| {
        let error = Context::read(dir.path(), ignore).err().unwrap();
        let hint = crate::advice::hint(&error).unwrap().to_owned();
        (error.to_string(), hint)
    };
    let says = r#""caf\xE9", which an image would get, is no name in UTF-8"#;
    let leave = "rename it, or leave it out in .dockerignore: ";
    let cases = [
        ("caf?\nlink", "in/caf?"),
        ("in/caf?\nlink", "caf?"),
        ("caf?\n!caf?/b\nin/caf?\nlink", "caf?"),
        ("**/caf?", "link"),
    ];
    for (ignore, pattern) in cases {
        assert_eq!(
            refused(ignore),
            (says.to_owned(), leave.to_owned() + pattern)
        );
    }
    let context = Context::read(dir.path(), "**/caf?\nlink").unwrap();
    assert_eq!(paths(&context), ["in", "in/a"]);
}

#[test]
fn a_context_stays_within_the_folder_of_the_agent() {
    let dir = tree(&[("home/in/a", ""), ("home/file", ""), ("outside/b", "")]);
    let home = dir.path().join("home");
    symlink("../outside", home.join("out")).unwrap();
    symlink("in", home.join("link")).unwrap();
    assert!(find(&home, ".").is_ok());
    assert!(find(&home, "link").is_ok());
    for wrong in ["out", "file", "missing"] {
        assert!(find(&home, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_decides_a_build_is_in_the_context() {
    let dir = tree(&[("in/a", ""), ("out", "")]);
    let context = dir.path().join("in");
    for (link, target) in [("near", "a"), ("far", "../out"), ("broken", "gone")] {
        symlink(target, context.join(link)).unwrap();
    }
    for fine in ["a", "near", "broken", "missing"] {
        assert!(stays_inside(&context, fine).is_ok(), "{fine}");
    }
    let error = stays_inside(&context, "far").unwrap_err().to_string();
    assert_eq!(error, "far leads out of the context");
}

async fn sent(context: &Context, extra: Vec<(String, Vec<u8>)>) -> std::io::Result<Vec<u8>> {
    let mut blocks = context.tar(extra);
    let mut all = Vec::new();
    while let Some(block) = blocks.next().await {
        all.extend(block?);
    }
    Ok(all)
}

#[tokio::test]
async fn the_tar_is_the_tree() {
    let long = format!("{}/f", "d".repeat(150));
    let dir = tree(&[("a", "1"), ("x", "old"), (&long, "deep")]);
    symlink("a".repeat(120), dir.path().join("link")).unwrap();
    let context = read(dir.path());
    let bytes = sent(&context, vec![("x".into(), b"new".to_vec())])
        .await
        .unwrap();
    let mut archive = ::tar::Archive::new(bytes.as_slice());
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        assert_eq!(entry.header().mtime().unwrap(), 315_619_200);
        assert_eq!(entry.header().uid().unwrap(), 0);
        found.push((entry.path().unwrap().to_str().unwrap().to_owned(), text));
    }
    let names: Vec<&str> = found
        .iter()
        .map(|(path, _)| path.trim_end_matches('/'))
        .collect();
    assert_eq!(names, ["a", &long[..150], &long, "link", "x"]);
    assert_eq!(found[4].1, "new");
    assert_eq!(
        sent(&context, vec![("x".into(), b"new".to_vec())])
            .await
            .unwrap(),
        bytes
    );
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_named() {
    let dir = tree(&[("a", "1"), ("b", "2")]);
    let context = read(dir.path());
    fs::write(dir.path().join("b"), "22").unwrap();
    let error = sent(&context, Vec::new()).await.unwrap_err().to_string();
    assert!(error.contains("b was changed"), "{error}");
    assert!(context.look_through(&Memory::default()).is_err());
}

/// More than waits to be sent.
const LONG: usize = 4 << 20;

#[tokio::test]
async fn a_file_that_is_written_over_while_it_is_sent_is_named() {
    let dir = tree(&[("a", &"1".repeat(LONG))]);
    let context = read(dir.path());
    let mut blocks = Box::pin(context.tar(Vec::new()));
    assert!(blocks.next().await.unwrap().is_ok());
    fs::write(dir.path().join("a"), "2".repeat(LONG)).unwrap();
    let rest: Vec<_> = blocks.collect().await;
    let error = rest.into_iter().find_map(Result::err).unwrap().to_string();
    assert!(error.contains("a was changed"), "{error}");
}

/// Long after anything here was written.
const LATER: i64 = 1 << 40;

#[test]
fn what_has_not_changed_is_not_read_again() {
    let dir = tree(&[("in/a", "1"), ("in/b", "2")]);
    let (root, cache) = (dir.path().join("in"), dir.path().join("cache"));
    let look = |now| {
        let memory = Memory::of(&cache, &root, now);
        let known = |entry: &Entry| memory.digest(entry).is_some();
        let context = read(&root);
        let known: Vec<_> = context.entries.iter().map(known).collect();
        (context.look_through(&memory).unwrap(), known)
    };
    assert_eq!(look(0).1, [false, false]);
    let (first, known) = look(LATER);
    assert_eq!(known, [false, false], "what changed just now");
    assert_eq!(look(LATER).1, [true, true]);
    assert_eq!(look(LATER).0.identity, first.identity);
    fs::write(root.join("b"), "3").unwrap();
    let (other, known) = look(LATER);
    assert_eq!(known, [true, false]);
    assert_eq!(other.identity.to_string(), identity(&root));
}

#[test]
fn a_secret_is_found_every_time() {
    let dir = tree(&[("in/.env", "A=1"), ("in/a", "1")]);
    let (root, cache) = (dir.path().join("in"), dir.path().join("cache"));
    let found = || {
        let looked = read(&root).look_through(&Memory::of(&cache, &root, LATER));
        looked.unwrap().findings.len()
    };
    assert_eq!((found(), found()), (1, 1));
}

#[test]
fn what_is_made_of_an_image_is_no_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("context");
    fs::create_dir_all(root.join("out")).unwrap();
    for name in ["app.py", "out/list.json", "list.json"] {
        fs::write(root.join(name), name).unwrap();
    }
    let paths = |without: &Path| {
        let context = Context::read(&root, "").unwrap().without(without);
        let paths = context.entries.into_iter().map(|entry| entry.path);
        paths.collect::<Vec<_>>()
    };
    let all = paths(Path::new("/none/list.json"));
    assert_eq!(all, ["app.py", "list.json", "out", "out/list.json"]);
    let other = root.join("out/../list.json");
    assert_eq!(paths(&other), ["app.py", "out", "out/list.json"]);
    assert_eq!(
        paths(&root.join("out/list.json")),
        ["app.py", "list.json", "out"]
    );
    assert_eq!(paths(&root.join("new.json")), all);
}
