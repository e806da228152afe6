use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::target::contract;

/// This test binary as the edge: the test `stand_in_edge` of the `edge` room is one.
fn executable(dir: &Path) -> PathBuf {
    let path = dir.join("program");
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nTEST_EDGE=\"$3\" exec {} --exact edge::tests::stand_in_edge --nocapture\n",
        this.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn processes_keep_the_contract() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().display().to_string();
    let dir = StateDir::of(&move |_| Some(root.clone()), "bot", None).unwrap();
    fs::write(place.path().join("index.html"), "hello").unwrap();
    let tree = Tree::new(place.path(), &["index.html".to_owned()], &[]);
    let files = tree.keep(&dir).unwrap();
    let [old, new] = [1, 2].map(|number| contract::release(number, files.clone()));
    let target = Process::new(Machine::new("bot", dir, executable(place.path())), 1);
    contract::holds(&target, &old, &new).await;
    target.stop(true).await.unwrap();
}
