//! Rendering for a cluster: one agent cold, and a thousand by one command beside Kustomize, which
//! reads the same objects and writes them out again.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::place::{Place, Ran, finish, repository};
use crate::stats::{Sample, millis};
use crate::table::{Finding, Table, amount};

const AGENTS: usize = 1000;
/// What Kustomize is given: its time grows with the square of the objects.
const FEWER: usize = 100;
const COLD: usize = 30;
const RUNS: usize = 5;

/// The example with the most objects.
const EXAMPLE: &str = "examples/istio-production";

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let place = Place::new()?;
    let folder = place.path("agents");
    let files = agents(&folder)?;
    let one = times(COLD, |_| render(&place, &files[..1], None))?;
    // A new folder each time: file systems take long to use again what was deleted a moment ago.
    let out = |run| place.path(&format!("rendered-{run}"));
    let many = times(RUNS, |run| render(&place, &files, Some(&out(run))))?;
    let mut table = Table::new(&["rendering for Kubernetes", "median", "min", "max", "runs"]);
    table.row(row("one agent", &one));
    table.row(row("1,000 agents by one command", &many));
    let some = place.path("some");
    let fewer = times(RUNS, |run| {
        render(&place, &files[..FEWER], Some(&some.join(run.to_string())))
    })?;
    table.row(row("100 agents by one command", &fewer));
    if let Some(kustomize) = kustomize(&some.join("0"))? {
        table.row(row(
            "kubectl kustomize, the objects of 100 agents",
            &kustomize,
        ));
    }
    table.print();
    Ok(vec![
        Finding::at_most("render one agent", one.median(), 10.0, "ms"),
        Finding::at_most("render 1,000 agents", many.median(), 1000.0, "ms"),
    ])
}

fn row(name: &str, times: &Sample) -> [String; 5] {
    [
        name.to_owned(),
        amount(times.median(), "ms"),
        amount(times.min(), "ms"),
        amount(times.max(), "ms"),
        times.count().to_string(),
    ]
}

/// The example under a thousand names; answers with their files.
fn agents(folder: &Path) -> Result<Vec<String>> {
    let example = repository().join(EXAMPLE);
    let spec = fs::read_to_string(example.join("agent.toml"))?;
    let prompt = fs::read_to_string(example.join("prompts/system.md"))?;
    let one = |at: usize| {
        let own = folder.join(format!("agent-{at}"));
        fs::create_dir_all(own.join("prompts"))?;
        let name = format!("name = \"agent-{at}\"");
        fs::write(own.join("prompts/system.md"), &prompt)?;
        fs::write(own.join("poetry.lock"), "")?;
        let file = own.join("agent.toml");
        fs::write(&file, spec.replace("name = \"support-agent\"", &name))?;
        Ok(file.display().to_string())
    };
    (0..AGENTS).map(one).collect()
}

fn render(place: &Place, files: &[String], out: Option<&Path>) -> Command {
    let mut command = place.command(&["render", "kubernetes", "-e", "production"]);
    command.arg("-f").args(files);
    if let Some(out) = out {
        command.arg("-o").arg(out);
    }
    command
}

fn times(runs: usize, command: impl Fn(usize) -> Command) -> Result<Sample> {
    let once = |run| {
        let ran = finish(&mut command(run)).and_then(Ran::ends_well)?;
        Ok(millis(ran.took))
    };
    (0..runs).map(once).collect()
}

/// `None` where there is no kubectl.
fn kustomize(out: &Path) -> Result<Option<Sample>> {
    if Command::new("kubectl")
        .arg("kustomize")
        .arg("--help")
        .output()
        .is_err()
    {
        return Ok(None);
    }
    let mut resources = String::from("resources:\n");
    for agent in fs::read_dir(out)? {
        let agent = agent?.path();
        if !agent.is_dir() {
            continue;
        }
        for file in fs::read_dir(&agent)? {
            let path = file?.path();
            let path = path.strip_prefix(out).context("outside")?;
            resources += &format!("- {}\n", path.display());
        }
    }
    fs::write(out.join("kustomization.yaml"), resources)?;
    let command = |_| {
        let mut command = Command::new("kubectl");
        command.arg("kustomize").arg(out);
        command
    };
    times(1, command).map(Some)
}
