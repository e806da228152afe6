//! What the documentation says is so: its commands do what stands below them, its links lead
//! somewhere, and it leaves no command out.
//!
//! `UPDATE_DOCS=1 cargo test docs::runs` runs every command at its real pace and writes what it
//! printed into each page that says something else.

mod alike;
mod page;
mod session;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Place, engine, queues, repository};
use page::Page;
use session::Session;

mod runs {
    #[test]
    fn readme() {
        super::run("README.md");
    }

    #[test]
    fn deploy() {
        super::run("docs/deploy.md");
    }

    #[test]
    fn canary() {
        super::run("docs/canary.md");
    }

    #[test]
    fn rollback() {
        super::run("docs/rollback.md");
    }

    #[test]
    fn watch() {
        super::run("docs/watch.md");
    }

    #[test]
    fn report() {
        super::run("docs/report.md");
    }

    #[test]
    fn ci() {
        super::run("docs/ci.md");
    }

    #[test]
    fn secrets() {
        super::run("docs/secrets.md");
    }

    #[test]
    fn render() {
        super::run("docs/render.md");
    }

    #[test]
    fn drain() {
        super::run("docs/drain.md");
    }

    #[test]
    fn image() {
        super::run("docs/image.md");
    }

    #[test]
    fn images() {
        super::run_with_images("docs/images.md");
    }

    #[test]
    fn docker() {
        super::run_on_docker("docs/docker.md");
    }

    #[test]
    fn autoscale() {
        super::run_with_a_queue("docs/autoscale.md");
    }

    #[test]
    fn compose() {
        super::run("docs/compose.md");
    }

    #[test]
    fn kubernetes() {
        super::run("docs/kubernetes.md");
    }
}

const RUN: [&str; 16] = [
    "README.md",
    "docs/deploy.md",
    "docs/canary.md",
    "docs/rollback.md",
    "docs/report.md",
    "docs/watch.md",
    "docs/ci.md",
    "docs/secrets.md",
    "docs/drain.md",
    "docs/render.md",
    "docs/image.md",
    "docs/images.md",
    "docs/autoscale.md",
    "docs/docker.md",
    "docs/compose.md",
    "docs/kubernetes.md",
];

#[track_caller]
fn run(name: &str) {
    let page = Page::read(&repository().join(name));
    run_in(session(), name, &page);
}

/// What the page says of agent.toml is in it.
#[track_caller]
fn run_with_images(name: &str) {
    if engine::there_is_tiny_python() {
        let page = Page::read(&repository().join(name));
        run_in(session().with_images(&page.toml()), name, &page);
    }
}

/// The same, and what it deploys there is gone afterwards.
#[track_caller]
fn run_on_docker(name: &str) {
    if engine::there_is_python() {
        let page = Page::read(&repository().join(name));
        run_in(session().on_docker(&page.toml()), name, &page);
    }
}

/// The same, with a Redis on the port that the page says.
#[track_caller]
fn run_with_a_queue(name: &str) {
    if queues::there_is_a_redis() {
        let page = Page::read(&repository().join(name));
        run_in(session().with(&page.toml()), name, &page);
    }
}

fn updates() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

fn session() -> Session {
    match updates() {
        true => Session::at_real_pace(),
        false => Session::in_a_hurry(),
    }
}

#[track_caller]
fn run_in(session: Session, name: &str, page: &Page) {
    let ran = session.run(&page.commands);
    let wrong: Vec<String> = page.differences(&ran);
    match updates() {
        true if !wrong.is_empty() => page.write(&ran),
        _ => assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n")),
    }
}

/// README.md, CONTRIBUTING.md and the like, docs/, and what stands beside the examples.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs", "examples/quickstart"];
    let files = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(repository().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .collect()
}

#[test]
fn every_page_with_commands_is_run() {
    let with_commands = pages()
        .into_iter()
        .filter(|path| !Page::read(path).commands.is_empty());
    let names: BTreeSet<String> = with_commands
        .map(|path| {
            let path = path.strip_prefix(repository()).unwrap();
            path.display().to_string()
        })
        .collect();
    assert_eq!(names, BTreeSet::from(RUN.map(str::to_owned)));
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in page::links(&text) {
            let target = page.parent().unwrap().join(&link);
            assert!(target.exists(), "{} links to {link}", page.display());
        }
    }
}

#[test]
fn every_example_is_right() {
    for example in fs::read_dir(repository().join("examples")).unwrap() {
        let file = example.unwrap().path().join("agent.toml");
        let ran = Place::empty().run(&["check", "-f", file.to_str().unwrap()]);
        ran.ends(0).says("is right");
    }
}

#[test]
fn every_verb_is_in_the_docs() {
    let text: String = pages()
        .iter()
        .map(|page| fs::read_to_string(page).unwrap())
        .collect();
    for verb in verbs() {
        let named = format!("agentctl {verb}");
        assert!(text.contains(&named), "no page says what `{named}` does");
    }
}

fn verbs() -> Vec<String> {
    let help = Place::empty().run(&["--help"]).ends(0).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let verbs = commands.filter_map(|line| line.split_whitespace().next());
    verbs.map(str::to_owned).collect()
}

/// What this run does not come to, or not every time: its holds are shorter than the five seconds of
/// a heartbeat, which alone tells how the gates stand. Tests of the `ui` room pin these; one of the
/// engine pins `counted`, which comes where a gate compares.
const UNSEEN: [&str; 39] = [
    "said",
    "silent",
    "sidecar",
    "marked",
    "outage",
    "absent",
    "wrong",
    "hint",
    "watching",
    "rollback",
    "hold",
    "trouble",
    "counted",
    "evidence",
    "worse",
    "harmless",
    "fails",
    "passes",
    "gates",
    "gate",
    "figure",
    "finding",
    "pass",
    "null",
    "stalled",
    "unfinished",
    "cleaning_up",
    "undoing",
    "fail",
    "lost_readiness",
    "target",
    "approved",
    "resumed",
    "aborted",
    "kept",
    "probe",
    "wait",
    "busy",
    "down",
];

/// A good release, a bad one and one that does not start, with people who talk.
const JSON_SESSION: [&str; 16] = [
    // However busy the machine is.
    "cd examples/quickstart; sed -i 's/max = \"1s\"/max = \"30s\"/' agent.toml",
    "python3 talk.py --talkers 30 --allow-failures > talk.log &",
    "agentctl deploy --output json",
    "sed -i 's/Hello!/Hi!/' agent.toml; cp agent.toml good.toml; agentctl plan --output json",
    "agentctl deploy --output json; agentctl status --output json; agentctl probe --output json",
    "sed -i 's/\"none\"/\"errors\"/' agent.toml; agentctl deploy --output json",
    "sed -i 's/\"python3\", \"app.py\"/\"python3\", \"gone.py\"/' agent.toml",
    "agentctl deploy --output json &",
    "until agentctl status --output json | grep restarts; do sleep 0.05; done; wait %2",
    "agentctl deploy --output json; agentctl history --output json; agentctl logs --output json",
    "agentctl report 3 --output json; agentctl report 3 -o r.html --output json; python3 record.py > t.csv; agentctl analyze t.csv --output json; agentctl analyze t.csv --aa --runs 2 --output json",
    r#"cp agent.toml j.toml; printf '[judges.j]\nserver = "http://127.0.0.1:1/v1"\nmodel = "m"\nrubric = "r"\nspend = 1e-9\nprice = { input = 1.0, output = 1.0 }\n' >> j.toml; echo '{"request":{"method":"GET","path":"/"},"stable":{},"candidate":{}}' > p.jsonl; agentctl analyze p.jsonl --judge j -f j.toml --output json; rm j.toml p.jsonl"#,
    "cp good.toml agent.toml; agentctl deploy --output json; agentctl check --output json",
    "printf '[scale]\\nmin = 4\\nschedule = [{ from = \"0 8 * * *\", to = \"0 9 * * *\", replicas = 5 }]\\n' >> agent.toml",
    "for i in 1 2; do agentctl autoscale --output json; done; agentctl doctor --output json; agentctl history --output json",
    "mkdir a; agentctl init a --output json; agentctl man a --output json; agentctl stop --now --output json; agentctl destroy --yes --output json",
];

/// Two images, of which one goes.
const IMAGES_SESSION: [&str; 4] = [
    "cd examples/quickstart; sed -i 's/keep = 2/keep = 1/' agent.toml; agentctl images scan --output json",
    "agentctl build --output json; agentctl push --output json; agentctl push --output json",
    "for i in 1 2; do sed -i \"1a # $i\" app.py; agentctl push --output json; done; agentctl images list --output json",
    "agentctl images prune --dry-run --output json; agentctl images prune --output json",
];

/// What those print that no other verb does: all that is left of them where no engine is.
const OF_IMAGES: [&str; 16] = [
    "begun",
    "ended",
    "cached",
    "built",
    "pushed",
    "image",
    "tags",
    "digest",
    "repository",
    "images",
    "content",
    "created",
    "pruned",
    "deleted",
    "entries",
    "clean",
];

fn ran_with_images() -> Vec<page::Ran> {
    if !engine::there_is_tiny_python() {
        return Vec::new();
    }
    let toml = Page::read(&repository().join("docs/images.md")).toml();
    let session = Session::in_a_hurry().with_images(&toml);
    session.run(&IMAGES_SESSION.map(page::Command::of))
}

#[test]
fn every_field_of_the_json_page_is_real() {
    let session = Session::in_a_hurry();
    let mut ran = session.run(&JSON_SESSION.map(page::Command::of));
    let with_images = ran_with_images();
    let unbuilt = OF_IMAGES.iter().filter(|_| with_images.is_empty());
    let unseen = UNSEEN.iter().chain(unbuilt);
    let mut words: BTreeSet<_> = unseen.map(|word| (*word).to_owned()).collect();
    ran.extend(with_images);
    for line in ran.iter().flat_map(|ran| ran.output.lines()) {
        if let Ok(json) = serde_json::from_str(line) {
            collect(&json, &mut words);
        }
    }
    let text = fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let said = page::words(&text);
    words.extend(verbs());
    let unreal: Vec<_> = said.difference(&words).collect();
    assert!(unreal.is_empty(), "never printed: {unreal:?}\nof {words:?}");
}

/// Every key, and every text.
fn collect(json: &Value, words: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            words.insert(key.clone());
            collect(value, words);
        }),
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        Value::String(text) => _ = words.insert(text.clone()),
        _ => {}
    }
}
