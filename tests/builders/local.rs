//! Dependencies that lie in the folder, where no index is to be had.

use std::process::Command;

use super::Agent;
use crate::support::engine;

/// A package `hello` as a wheel, which is a zip file with four more.
const WHEEL: &str = r#"
import pathlib, zipfile
pathlib.Path("wheels").mkdir()
info = "hello-1.0.dist-info/"
with zipfile.ZipFile("wheels/hello-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("hello.py", "WORD = 'hello'\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "hello.py,,\n" + "".join(info + name + ",,\n" for name in ("METADATA", "WHEEL", "RECORD")))
"#;

#[test]
fn wheels_in_the_folder_are_installed() {
    if !engine::there_is_python() {
        return;
    }
    let Some(agent) = Agent::new("wheels", "build.runtime = \"python\"") else {
        return;
    };
    let made = Command::new("python3")
        .args(["-c", WHEEL])
        .current_dir(agent.place.path("."))
        .status();
    assert!(made.unwrap().success());
    let further = "-r requirements/base.txt\n";
    agent.place.write("requirements.txt", further);
    let wheel = "--no-index\n--find-links wheels\nhello\n";
    agent.place.write("requirements/base.txt", wheel);
    agent.run(&["build"], &[]).ends(0).says("built wheels-");
    let program = "import hello; print(hello.WORD)";
    assert_eq!(agent.says(&["python", "-c", program]), "hello");
}
