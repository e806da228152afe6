//! Both builders on a real engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::docker::{Engine, Place};
use crate::hex::hex;
use crate::image::build::{Builder, ImageId, Logins, build};
use crate::image::context::Context;
use crate::image::engine_fixture::{docker, there_is_a_tiny_image};
use crate::image::{Ended, Progress, Recipe};

const SECRET: &str = "hunter2-hunter2";
const BOTH: [Builder; 2] = [Builder::BuildKit, Builder::Classic];

/// An engine, a base image and a folder; what was built goes when it is dropped.
struct World {
    engine: Engine,
    folder: tempfile::TempDir,
    name: String,
    seen: Vec<Progress>,
}

impl World {
    async fn new(name: &str) -> Option<Self> {
        if !there_is_a_tiny_image() {
            return None;
        }
        let place = Place::find(&|_| None).unwrap();
        let engine = Engine::connect(place).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let name = format!("a-{name}-{}", std::process::id());
        let seen = Vec::new();
        Some(Self {
            engine,
            folder,
            name,
            seen,
        })
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn recipe(&self, dockerfile: &str) -> Recipe {
        Recipe {
            dockerfile: dockerfile.to_owned(),
            tag: format!("{}:1", self.name),
            ..Recipe::default()
        }
    }

    async fn build(&mut self, by: Builder, recipe: &Recipe) -> Result<ImageId> {
        let context = Arc::new(Context::read(self.folder.path(), "").unwrap());
        let seen = &mut self.seen;
        let mut watch = |progress| seen.push(progress);
        build(
            &self.engine,
            &context,
            recipe,
            (by, Logins::new(None)),
            &mut watch,
        )
        .await
    }

    fn tag(&self) -> String {
        format!("{}:1", self.name)
    }

    fn exists(&self) -> bool {
        docker(&["image", "inspect", &self.tag()]).is_ok()
    }

    fn run(&self, command: &[&str]) -> String {
        let tag = self.tag();
        docker(&[&["run", "--rm", "--network=none", &tag], command].concat()).unwrap()
    }

    fn remove(&self) {
        let _ = docker(&["rmi", "-f", &self.tag()]);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.remove();
    }
}

fn shown(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join("\n")
}

const STAGES: &str = "ARG BASE=agentctl-tests/tiny:2\nFROM $BASE AS one\nARG WORD\nCOPY src /src\n\
    RUN echo \"$WORD\" > /word && cat /src/a.txt >> /word\nFROM $BASE AS unused\nRUN false\n\
    FROM $BASE\nCOPY . /all\nCOPY --from=one /word /word\n";

#[tokio::test]
async fn stages_arguments_and_labels() {
    let Some(mut world) = World::new("stages").await else {
        return;
    };
    world.write("src/a.txt", "from a file\n");
    world.write("src-b", "b");
    std::os::unix::fs::symlink("src/a.txt", world.folder.path().join("link")).unwrap();
    for by in BOTH {
        let dockerfile = match by {
            Builder::BuildKit => STAGES.to_owned(),
            // It builds every stage, needed or not.
            Builder::Classic => STAGES.replace("RUN false", "RUN true"),
        };
        let recipe = Recipe {
            args: BTreeMap::from([("WORD".to_owned(), format!("hello \"{by:?}\""))]),
            labels: BTreeMap::from([("org.example.a".to_owned(), "one two".to_owned())]),
            platform: Some("linux/amd64".to_owned()),
            ..world.recipe(&dockerfile)
        };
        let id = world.build(by, &recipe).await.unwrap();
        let format = "{{.Id}} {{index .Config.Labels \"org.example.a\"}}";
        let text = docker(&["image", "inspect", "-f", format, &world.tag()]).unwrap();
        assert_eq!(text, format!("{id} one two"));
        let text = world.run(&["cat", "/word"]);
        assert_eq!(text, format!("hello \"{by:?}\"\nfrom a file"));
        let text = world.run(&["ls", "-A", "/all"]);
        assert_eq!(text, "link\nsrc\nsrc-b", "{by:?}");
        let text = world.run(&["cat", "/all/link"]);
        assert_eq!(text, "from a file");
        world.remove();
    }
}

#[tokio::test]
async fn a_secret_is_mounted_and_kept_nowhere() {
    let Some(mut world) = World::new("secret").await else {
        return;
    };
    let dockerfile = "FROM agentctl-tests/tiny:2\nRUN --mount=type=cache,target=/cache \
        --mount=type=secret,id=TOKEN cat /run/secrets/TOKEN && sha256sum < /run/secrets/TOKEN > /sum && touch /cache/x\n";
    let recipe = Recipe {
        secrets: BTreeMap::from([("TOKEN".to_owned(), SECRET.to_owned())]),
        ..world.recipe(dockerfile)
    };
    world.build(Builder::BuildKit, &recipe).await.unwrap();
    let sum = world.run(&["cat", "/sum"]);
    assert!(sum.starts_with(&hex(&Sha256::digest(SECRET))), "{sum}");
    assert!(!format!("{:?}", world.seen).contains(SECRET));
    let history = docker(&["history", "--no-trunc", &world.tag()]).unwrap();
    assert!(!history.contains(SECRET), "{history}");
    let refused = world.build(Builder::Classic, &recipe).await.unwrap_err();
    assert!(shown(&refused).contains("BuildKit"), "{refused:#}");
}

#[tokio::test]
async fn a_failing_step_is_shown_with_its_line() {
    let Some(mut world) = World::new("fails").await else {
        return;
    };
    world.write("a.txt", "");
    let dockerfile = "# why\nFROM agentctl-tests/tiny:2\nCOPY . /app\n\
        RUN for n in $(seq 40); do echo line $n; done; \\\n    exit 7\nRUN true\n";
    for by in BOTH {
        let recipe = world.recipe(dockerfile);
        let error = shown(&world.build(by, &recipe).await.unwrap_err());
        eprintln!("{by:?}:\n{error}");
        assert!(error.starts_with("could not build"), "{error}");
        assert!(error.contains("Dockerfile:4: RUN for n"), "{error}");
        assert!(error.contains("| line 40"), "{error}");
        assert!(!error.contains("| line 19\n"), "{error}");
        assert!(!world.exists());
        let failed = |one: &Progress| {
            let how = Ended::Failed;
            matches!(one, Progress::Ended { how: ended, .. } if *ended == how)
        };
        assert!(world.seen.iter().any(failed));
        world.seen.clear();
    }
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let Some(mut world) = World::new("bad").await else {
        return;
    };
    let cases = [
        (
            "FROM agentctl-tests/tiny:2\nRUNN x\n",
            "unknown instruction",
        ),
        (
            "FROM localhost:1/nobody/has-this:1\nRUN true\n",
            "localhost:1",
        ),
        ("FROM agentctl-tests/tiny:2\nCOPY missing /\n", "missing"),
    ];
    for by in BOTH {
        for (dockerfile, part) in cases {
            let recipe = world.recipe(dockerfile);
            let error = world.build(by, &recipe).await.unwrap_err();
            let hint = error.downcast_ref::<crate::advice::Advice>().unwrap();
            eprintln!("{by:?}:\n{}\nhint: {}", shown(&error), hint.hint);
            assert!(shown(&error).contains(part), "{error:#}");
            assert!(!world.exists());
        }
    }
}

#[tokio::test]
async fn whoever_goes_away_stops_the_build() {
    let Some(world) = World::new("stop").await else {
        return;
    };
    for by in BOTH {
        let marker = format!("31{}", std::process::id() + by as u32);
        let recipe = world.recipe(&format!(
            "FROM agentctl-tests/tiny:2\nRUN sleep {marker}; true\n"
        ));
        let context = Arc::new(Context::read(world.folder.path(), "").unwrap());
        let mut watch = |_| ();
        tokio::select! {
            built = build(&world.engine, &context, &recipe, (by, Logins::new(None)), &mut watch) => {
                panic!("{built:?}");
            }
            () = until(|| sleeps(&marker)) => {}
        }
        until(|| !sleeps(&marker)).await;
        assert!(!world.exists());
    }
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

/// Whether a process `sleep MARKER` runs anywhere on this machine.
fn sleeps(marker: &str) -> bool {
    let processes = Path::new("/proc").read_dir().unwrap();
    let mut lines = processes.filter_map(|one| fs::read(one.ok()?.path().join("cmdline")).ok());
    lines.any(|line| line == format!("sleep\0{marker}\0").into_bytes())
}

#[tokio::test]
async fn many_files() {
    let Some(mut world) = World::new("many").await else {
        return;
    };
    for number in 0..1000 {
        world.write(
            &format!("d{}/f-{number}", number % 50),
            &format!("{number}\n"),
        );
    }
    world.write("large", &"0123456789abcdef".repeat(100_000));
    for by in BOTH {
        let recipe = world.recipe(
            "FROM agentctl-tests/tiny:2\nCOPY . /all\nRUN find /all -type f | wc -l && sha256sum /all/large\n",
        );
        let begun = std::time::Instant::now();
        world.build(by, &recipe).await.unwrap();
        eprintln!("{by:?}: 1,000 files in {:?}", begun.elapsed());
        assert_eq!(world.run(&["cat", "/all/d7/f-57"]), "57");
        let count = world.run(&["sh", "-c", "find /all -type f | wc -l; wc -c < /all/large"]);
        assert_eq!(count, "1001\n1600000");
        world.remove();
    }
}

#[tokio::test]
async fn a_change_of_the_same_size_is_noticed() {
    let Some(mut world) = World::new("change").await else {
        return;
    };
    for by in BOTH {
        for text in ["one", "two"] {
            world.write("a.txt", text);
            let recipe = world.recipe("FROM agentctl-tests/tiny:2\nCOPY . /all\n");
            world.build(by, &recipe).await.unwrap();
            assert_eq!(world.run(&["cat", "/all/a.txt"]), text, "{by:?}");
        }
        world.remove();
    }
}
