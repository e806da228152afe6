//! Flags → calls; one file per verb, and the choice of the target. No logic that a test of a pure
//! room would want.

mod abort;
mod address;
mod analyze;
mod approve;
mod args;
mod artifact;
mod autoscale;
mod away;
mod build;
mod certificates;
mod check;
mod completions;
mod deploy;
mod destroy;
mod doctor;
mod exit;
mod history;
mod image;
mod images;
mod init;
mod journaled;
mod judges;
mod kept;
mod lease;
mod logs;
mod manifests;
mod metrics;
mod objects;
mod origin;
mod plan;
mod probe;
mod promote;
mod proposal;
mod prune;
mod push;
mod render;
mod report;
mod resume;
mod rollback;
mod saved;
mod scored;
mod shape;
mod show;
mod site;
mod status;
mod stop;
mod stop_signal;
mod store;
mod tell;
mod unchanged;
mod values;
mod walk;
mod watch;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use args::{Cli, Config, Images, Verb};
use exit::Exit;
use show::Shown;

/// The whole program.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return wrong_usage(&usage),
    };
    let mut shown = Shown::new(&cli.show);
    let done = verb(cli.verb, &mut shown);
    let exit = match done.and_then(|exit| written(exit, &mut shown)) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = Exit::of_error(&error);
            shown.error(error, exit);
            exit
        }
    };
    shown.all_told();
    exit.into()
}

/// Whoever reads the output must be able to trust that it is whole.
fn written(exit: Exit, shown: &mut Shown) -> Result<Exit> {
    let written = shown.console().finish();
    match exit {
        Exit::Done => written.context("could not write the output").map(|()| exit),
        _ => Ok(exit),
    }
}

/// Help and versions are no mistakes; a reader that went away is none either.
fn wrong_usage(usage: &clap::Error) -> ExitCode {
    let exit = match usage.use_stderr() {
        true => Exit::WrongInput,
        false => Exit::Done,
    };
    let _ = usage.print();
    exit.into()
}

fn verb(verb: Verb, shown: &mut Shown) -> Result<Exit> {
    match verb {
        Verb::Check(args) => check::run(&args, shown),
        Verb::Render(args) => render::run(&args, shown),
        Verb::Init(args) => init::run(&args, shown),
        Verb::Schema => show::schema(shown),
        Verb::Config(Config::Show(args)) => show::config(&args, shown),
        Verb::Completions { shell } => completions::completions(shell, shown),
        Verb::Man { folder } => completions::man(&folder, shown),
        Verb::Edge {
            state,
            containers,
            engine,
            succeed,
        } => {
            let containers = containers.as_deref().map(|owner| (owner, engine.as_path()));
            crate::edge::run(&state, containers, succeed).map(|()| Exit::Done)
        }
        Verb::Attend { name } => {
            in_runtime(async { crate::target::attend(&name).await.map(|()| Exit::Done) })
        }
        Verb::Deploy(args) => in_runtime(deploy::run(&args, shown)),
        Verb::Build(args) => in_runtime(build::run(&args, shown)),
        Verb::Push(args) => in_runtime(push::run(&args, shown)),
        Verb::Images(Images::List(args)) => in_runtime(images::list(&args, shown)),
        Verb::Images(Images::Prune(args)) => in_runtime(images::prune(&args, shown)),
        Verb::Images(Images::Scan(args)) => images::scan(&args, shown),
        Verb::Doctor(args) => in_runtime(doctor::run(&args, shown)),
        Verb::Plan(args) => in_runtime(plan::run(&args, shown)),
        Verb::Status(args) => in_runtime(status::run(&args, shown)),
        Verb::Rollback(args) => in_runtime(rollback::run(&args, shown)),
        Verb::History(args) => in_runtime(history::run(&args, shown)),
        Verb::Analyze(args) => match &args.judge {
            Some(judge) => in_runtime(scored::run(&args, judge, shown)),
            None => analyze::run(&args, shown),
        },
        Verb::Report(args) => in_runtime(report::run(&args, shown)),
        Verb::Logs(args) => in_runtime(logs::run(&args, shown)),
        Verb::Metrics(args) => in_runtime(metrics::run(&args, shown)),
        Verb::Probe(args) => in_runtime(probe::run(&args, shown)),
        Verb::Approve(args) => in_runtime(approve::run(&args, shown)),
        Verb::Promote(args) => in_runtime(promote::run(&args, shown)),
        Verb::Abort(args) => in_runtime(abort::run(&args, shown)),
        Verb::Resume(args) => in_runtime(resume::run(&args, shown)),
        Verb::Destroy(args) => in_runtime(destroy::run(&args, shown)),
        Verb::Autoscale(args) => in_runtime(autoscale::run(&args, shown)),
        Verb::Watch(args) => in_runtime(watch::run(&args, shown)),
        Verb::Stop(args) => in_runtime(stop::run(&args, shown)),
    }
}

fn in_runtime(work: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
