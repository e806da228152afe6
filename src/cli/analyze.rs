//! `agentctl analyze`

use std::fs;

use anyhow::{Context, Result};

use super::args::Analyze;
use super::exit::Exit;
use super::show::Shown;
use super::site::now;
use crate::advice::{Advise, advice, because};
use crate::analysis::judges::{Arm, Confidence, Finding, Margin, Share};
use crate::analysis::{How, Observation, Trial, false_alarms, judged, moves, observations, share};
use crate::ui::{AlarmsView, JudgedView};

const COLUMNS: &str = "each line is a reply: time, and where there is one arm (\"stable\" or \
                       \"candidate\"), error, latency, cost, conversation, weight";

pub(crate) fn run(args: &Analyze, shown: &mut Shown) -> Result<Exit> {
    let file = args.recorded.display();
    let text =
        fs::read_to_string(&args.recorded).with_context(|| format!("could not read {file}"))?;
    let all = observations(&text).advise(format!("could not read {file}"), COLUMNS)?;
    let all: Vec<Observation> = match args.aa {
        // Its own traffic: what a candidate did is no baseline.
        true => all
            .into_iter()
            .filter(|one| one.arm != Some(Arm::Candidate))
            .collect(),
        false => all,
    };
    let how = how(args, &all)?;
    let trial = Trial::of(&all).map_err(|conversation| {
        let cause = format!("conversation {conversation} is of both releases");
        because(
            format!("could not judge {file}"),
            cause,
            "a conversation keeps its release",
        )
    })?;
    if args.aa {
        let alarms = false_alarms(&trial, &how, args.runs, args.seed);
        shown.console().show(&AlarmsView { alarms }, now());
        return Ok(Exit::Done);
    }
    let judged = judged(&trial, &how);
    let is_worse = judged.iter().any(|one| one.finding == Finding::Fail);
    shown.console().show(&JudgedView { judged }, now());
    Ok(if is_worse { Exit::Undone } else { Exit::Done })
}

fn how(args: &Analyze, all: &[Observation]) -> Result<How> {
    let share = match args.weight {
        Some(weight) => Share::new(f64::from(weight.hundredths()) / 1e4),
        None if args.aa => Share::new(0.5),
        None => share(all),
    };
    if !args.aa
        && args.weight.is_none()
        && let Some((least, most)) = moves(all)
    {
        return Err(because(
            format!("could not judge {}", args.recorded.display()),
            format!(
                "it names no weight, and the candidate's share moves from {:.0} % to {:.0} %",
                least * 100.0,
                most * 100.0
            ),
            "name the share of its time with each reply (weight, in per cent), or judge each step \
             by itself with --weight",
        ));
    }
    let has_both = args.aa || share_is_known(all);
    let share = share.filter(|_| has_both && !all.is_empty()).ok_or_else(|| {
        advice(
            format!("{} has no traffic of both releases", args.recorded.display()),
            match args.aa {
                true => COLUMNS,
                false => "say of each reply whose it is (arm), or look at one release alone with --aa",
            },
        )
    })?;
    Ok(How {
        confidence: Confidence::new(args.confidence).context("confidence is between 0.5 and 1")?,
        margin: Margin::new(args.worse_by).context("worse-by is from 0 to 4")?,
        share,
    })
}

fn share_is_known(all: &[Observation]) -> bool {
    [Arm::Stable, Arm::Candidate]
        .iter()
        .all(|arm| all.iter().any(|one| one.arm == Some(*arm)))
}
