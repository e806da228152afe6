use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::render::fixtures::{self, holding, templates};
use crate::render::{BuildFolder, RustPackage};

fn input(toml: &str, entries: &[&str]) -> Input {
    Input {
        folder: BuildFolder {
            go_module: Some("example.com/bot".to_owned()),
            ..holding(entries)
        },
        ..fixtures::input(&format!("agent.name = \"bot\"\n{toml}"))
    }
}

fn rendered(input: &Input, engine: Engine) -> Result<BTreeMap<String, String>> {
    let files = dockerfile(input, &templates(), engine)?;
    let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    Ok(files.iter().map(owned).collect())
}

fn text(toml: &str, entries: &[&str]) -> String {
    let files = rendered(&input(toml, entries), Engine::BuildKit).unwrap();
    files["Dockerfile"].clone()
}

fn error(toml: &str, entries: &[&str]) -> String {
    let error = rendered(&input(toml, entries), Engine::BuildKit).unwrap_err();
    error.to_string()
}

const PYTHON: &str = "build.runtime = \"python\"\nbuild.entry = [\"python\", \"x.py\"]\n";
const NODE: &str = "build.runtime = \"node\"\n";

#[test]
fn what_lies_in_the_folder_tells_the_manager() {
    let cases: [(&str, &[&str], &str); 13] = [
        (PYTHON, &["uv.lock", "pyproject.toml"], "uv sync --locked"),
        (PYTHON, &["poetry.lock", "pyproject.toml"], "poetry install"),
        (
            PYTHON,
            &["requirements.txt", "pyproject.toml"],
            "install --requirement requirements.txt",
        ),
        (
            PYTHON,
            &["pyproject.toml"],
            "uv pip install --python /venv/bin/python --requirements pyproject.toml",
        ),
        (
            PYTHON,
            &["requirements.txt", "constraints.txt"],
            "COPY requirements.txt constraints.txt ./",
        ),
        (
            "build.runtime = \"python\"\nbuild.manager = \"uv\"\nbuild.entry = [\"a\"]",
            &["requirements.txt"],
            "uv pip install --python /venv/bin/python --requirements requirements.txt",
        ),
        (
            NODE,
            &["package.json", "package-lock.json"],
            "npm ci --omit=dev",
        ),
        (NODE, &["package.json"], "npm install --omit=dev"),
        (
            NODE,
            &["package.json", "pnpm-lock.yaml"],
            "pnpm install --store-dir /pnpm --frozen-lockfile --prod",
        ),
        (
            NODE,
            &["package.json", "yarn.lock"],
            "--frozen-lockfile --production",
        ),
        (
            NODE,
            &["package.json", "yarn.lock", ".yarnrc.yml"],
            "yarn workspaces focus --all --production",
        ),
        (
            "build.runtime = \"go\"",
            &["go.mod", "main.go", "cmd"],
            "-o /out/ .\n",
        ),
        (
            "build.runtime = \"go\"",
            &["go.mod", "cmd"],
            "-o /out/ ./cmd/bot\n",
        ),
    ];
    for (toml, entries, wanted) in cases {
        let made = text(toml, entries);
        assert!(made.contains(wanted), "{wanted}\n{made}");
    }
}

#[test]
fn what_is_installed_from_the_folder_is_there() {
    for (toml, manifest) in [(PYTHON, "requirements.txt"), (NODE, "package.json")] {
        let mut input = input(toml, &[manifest, "wheels"]);
        input.folder.local = BTreeSet::from([manifest, "wheels"].map(str::to_owned));
        let made = rendered(&input, Engine::BuildKit).unwrap();
        let wanted = format!("\nCOPY {manifest} ./\nCOPY wheels ./wheels\n");
        assert!(
            made["Dockerfile"].contains(&wanted),
            "{}",
            made["Dockerfile"]
        );
    }
}

#[test]
fn nothing_to_install_is_one_stage() {
    for (toml, entries) in [(PYTHON, ["x.py"]), (NODE, ["index.js"])] {
        let made = text(toml, &entries);
        assert_eq!(made.matches("\nFROM ").count(), 1, "{made}");
    }
}

#[test]
fn what_cannot_be_known_is_asked_for() {
    let cases: [(&str, &[&str], &str); 7] = [
        ("", &[], "agent.toml says nothing of how an image is built"),
        (
            "build.runtime = \"python\"",
            &["x.py"],
            "what the image starts is not given, and nothing in the folder tells",
        ),
        (
            "build.runtime = \"python\"\nbuild.manager = \"pip\"",
            &["pyproject.toml"],
            "there is no requirements.txt to install from",
        ),
        (
            "build.runtime = \"python\"\nbuild.manager = \"uv\"",
            &[],
            "there is no pyproject.toml or requirements.txt to install from",
        ),
        (
            "build.runtime = \"node\"\nbuild.manager = \"yarn\"",
            &[],
            "there is no package.json to install from",
        ),
        (
            "build.runtime = \"go\"",
            &["main.go"],
            "there is no go.mod in the build's folder",
        ),
        (
            "build.runtime = \"rust\"",
            &["Cargo.toml"],
            "the Cargo.toml of the build's folder names no package, so no program is known",
        ),
    ];
    for (toml, entries, wanted) in cases {
        assert_eq!(error(toml, entries), wanted);
    }
}

#[test]
fn the_image_starts_what_is_said_first() {
    let folder = ["app.py", "requirements.txt"];
    let cases = [
        ("", r#"CMD ["python","-m","app"]"#),
        (
            "run.command = [\"uvicorn\", \"--port\", \"${PORT}\"]\nrun.port = 9000\n",
            r#"CMD ["uvicorn","--port","9000"]"#,
        ),
        (
            "run.command = [\"x\"]\nbuild.entry = [\"a b\", \"$HOME\", \"\\\"\\n\"]\n",
            r#"CMD ["a b","$HOME","\"\n"]"#,
        ),
    ];
    for (toml, wanted) in cases {
        let made = text(&format!("build.runtime = \"python\"\n{toml}"), &folder);
        assert!(made.lines().any(|line| line == wanted), "{wanted}\n{made}");
    }
}

#[test]
fn secrets_are_mounted_and_never_in_a_layer() {
    let toml = format!("{PYTHON}build.secrets = [\"PIP_INDEX_URL\"]\n");
    let made = text(&toml, &["requirements.txt"]);
    assert!(made.contains("--mount=type=secret,id=PIP_INDEX_URL,required=true"));
    let kept = made
        .lines()
        .filter(|line| line.starts_with("ENV") || line.starts_with("ARG"));
    assert!(kept.into_iter().all(|line| !line.contains("PIP_INDEX_URL")));
    let refused = rendered(&input(&toml, &["requirements.txt"]), Engine::Plain).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("build.secrets are mounted by BuildKit")
    );
}

#[test]
fn the_plain_variant_mounts_nothing() {
    for (toml, entries) in [
        (PYTHON, ["uv.lock", "pyproject.toml"]),
        (NODE, ["package.json", "yarn.lock"]),
    ] {
        let made = rendered(&input(toml, &entries), Engine::Plain).unwrap();
        assert!(
            !made["Dockerfile"].contains("--mount"),
            "{}",
            made["Dockerfile"]
        );
    }
}

#[test]
fn health_is_asked_by_the_runtime_itself() {
    let path = "health.ready = \"/re'a\\\"dy\"\n";
    let asked = |toml: &str| {
        let made = text(&format!("{toml}{path}"), &["go.mod", "a.go"]);
        let lines: Vec<&str> = made.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.starts_with("HEALTHCHECK"))
            .unwrap();
        match lines[at + 1].trim().strip_prefix("CMD ") {
            Some(command) if lines[at].ends_with('\\') => {
                serde_json::from_str::<Vec<String>>(command).unwrap()
            }
            _ => vec![lines[at].to_owned()],
        }
    };
    let python = asked(PYTHON);
    assert_eq!(python[..2], ["python", "-c"]);
    assert!(python[2].ends_with(r#"+ "/re'a\"dy")"#), "{python:?}");
    assert_eq!(asked(NODE)[..2], ["node", "-e"]);
    assert_eq!(asked("build.runtime = \"go\"\n"), ["HEALTHCHECK NONE"]);
    assert_eq!(
        asked(&format!("{PYTHON}agent.kind = \"worker\"\n")),
        ["HEALTHCHECK NONE"]
    );
}

#[test]
fn a_text_cannot_break_out() {
    let odd = r#"agent.description = "a\"b\\ $HOME ${X}\n{{ x }} # é""#;
    let made = text(&format!("{odd}\n{PYTHON}"), &["x.py"]);
    let wanted = r#"ARG OCI_DESCRIPTION="a\"b\\ \$HOME \${X} {{ x }} # é""#;
    assert!(made.lines().any(|line| line == wanted), "{made}");
}

#[test]
fn a_rust_program_is_built_beside_its_dependencies() {
    let mut input = input("build.runtime = \"rust\"\n", &["Cargo.lock"]);
    let mut stages = |plain| {
        let binary = "one".to_owned();
        input.folder.rust = Some(RustPackage { binary, plain });
        rendered(&input, Engine::BuildKit).unwrap()["Dockerfile"].clone()
    };
    assert_eq!(stages(true).matches("cargo build").count(), 2);
    assert_eq!(stages(false).matches("cargo build").count(), 1);
    assert!(stages(false).contains("CMD [\"one\"]"));
}

#[test]
fn ones_own_files_stay() {
    let own = input("build.runtime = \"dockerfile\"\n", &["Dockerfile"]);
    let files = rendered(&own, Engine::BuildKit).unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), [".dockerignore"]);
    let both = input(
        "build.runtime = \"dockerfile\"\n",
        &["Dockerfile", ".dockerignore"],
    );
    assert!(rendered(&both, Engine::BuildKit).unwrap().is_empty());
}

#[test]
fn what_the_agent_is_given_later_stays_out() {
    let toml = format!(
        "{PYTHON}build.context = \"src\"\nconfig.prompts = \"./src/my [prompts]\"\n\
         secrets.A = {{ file = \"src/a*b\" }}\nsecrets.B = {{ file = \"elsewhere\" }}\n\
         secrets.C = {{ file = \"/src/c\" }}\n"
    );
    let files = rendered(&input(&toml, &[]), Engine::BuildKit).unwrap();
    let lines: BTreeSet<&str> = files[".dockerignore"].lines().collect();
    assert!(
        lines.contains(".agentctl-rendered"),
        "the list of what was rendered"
    );
    assert!(lines.contains("/my \\[prompts\\]"), "{lines:?}");
    assert!(lines.contains("/a\\*b"));
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("elsewhere") || line.ends_with("/c"))
    );
}
