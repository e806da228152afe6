//! From text to a valid `Spec`, in a straight line: read, lay the environment over, compare with
//! the schema, put the variables in, look for contradictions.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::Check;
use super::fit::fit;
use super::origin::Origins;
use super::problem::{Problem, Problems};
use super::resolve::{Variables, resolve};
use super::source::Source;
use super::{
    Environment, GateSource, Risk, Rollout, Spec, Strategy, TargetSpec, limits, overlay, shape,
};

/// A valid agent.toml in the environment that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) spec: Spec,
    /// The environment's name; `None`: the base as it is.
    pub(crate) environment: Option<String>,
    /// The names of all environments, in the order of the file.
    pub(crate) environments: Vec<String>,
    pub(crate) target: TargetSpec,
    /// A person has to approve before the candidate gets traffic.
    pub(crate) approve: bool,
    /// What works and probably is not meant.
    pub(crate) warnings: Vec<Problem>,
    fit: Fit,
    pub(super) origins: Origins,
}

/// How what is asked for suits the target.
#[derive(Clone, Debug, PartialEq)]
struct Fit {
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

impl Spec {
    /// Whether a rollout of this may copy requests.
    pub(crate) fn may_shadow(&self) -> bool {
        match self.rollout.strategy {
            Strategy::Shadow => true,
            Strategy::Auto => self.agent.risk == Risk::High,
            Strategy::Rolling | Strategy::BlueGreen | Strategy::Canary | Strategy::Ab => false,
        }
    }

    /// As `load`, from the bytes of a file: they may be too many, or not UTF-8.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        file: &str,
        environment: Option<&str>,
        variables: Variables<'_>,
    ) -> Result<Loaded, Problems> {
        let text = limits::text(bytes, file)?;
        Self::load(text, file, environment, variables)
    }

    /// `file` is its name in messages; `variables` are those that agentctl runs with. Errors are
    /// everything that is wrong, in the order of the file.
    pub(crate) fn load(
        text: &str,
        file: &str,
        environment: Option<&str>,
        variables: Variables<'_>,
    ) -> Result<Loaded, Problems> {
        limits::size(text.as_bytes(), file)?;
        let source = Source::new(file, text);
        limits::structure(&source)?;
        let table = parse(&source)?;
        let mut problems = shape::parts(&table, &source);
        let merged = match Merged::new(table, environment, &source) {
            Ok(merged) => merged,
            Err(problem) => return Err(Problems::with(problem, problems)),
        };
        problems.extend(shape::whole(&merged.table, &source));
        let (origins, environments) = (merged.origins.clone(), merged.environments.clone());
        let (mut spec, place) = match merged.typed(&source) {
            Ok(typed) => typed,
            // What the shape has not said already, if anything.
            Err(problem) => return Err(Problems::or(problems, problem)),
        };
        let mut check = Check::new(&source, &origins);
        resolve(&mut spec, variables, &mut check);
        check.spec(&spec);
        check.target(&spec, &place.target);
        let warnings = std::mem::take(&mut check.warnings);
        problems.append(&mut check.problems);
        if let Some(problems) = Problems::new(problems) {
            return Err(problems);
        }
        fit(&spec, &place.target, &mut check);
        let fit = Fit {
            warnings: check.warnings,
            problems: check.problems,
        };
        Ok(Loaded::new(
            spec,
            place,
            environments,
            warnings,
            fit,
            origins,
        ))
    }
}

/// The agent's name and where it runs, alone: at night a rollback must not fail because something
/// else in the file is being edited, or a variable is not set.
pub(crate) fn agent_place(
    bytes: &[u8],
    file: &str,
    environment: Option<&str>,
) -> Result<(String, TargetSpec), Problems> {
    let text = limits::text(bytes, file)?;
    limits::size(text.as_bytes(), file)?;
    let source = Source::new(file, text);
    limits::structure(&source)?;
    let mut table = parse(&source)?;
    if let Some(DeValue::Table(mut all)) = table.remove("environments").map(Spanned::into_inner)
        && let Some(DeValue::Table(over)) =
            environment.and_then(|name| Some(all.remove(name)?.into_inner()))
    {
        overlay::lay(over, &mut table, &mut BTreeSet::new());
    }
    let agent = table
        .get("agent")
        .and_then(|agent| agent.get_ref().get("name"));
    let name = match agent.and_then(|name| name.get_ref().as_str()) {
        Some(name) if super::format::check("label", name).is_ok() => name.to_owned(),
        _ => return Err(Problem::whole(file, format!("{file} names no agent")).into()),
    };
    let target = table.remove_entry("target").into_iter().collect();
    let place = Environment::deserialize(deserializer(target));
    Ok((name, place.map_err(|error| told(&error, &source))?.target))
}

impl Loaded {
    fn new(
        mut spec: Spec,
        place: Environment,
        environments: Vec<String>,
        warnings: Vec<Problem>,
        fit: Fit,
        origins: Origins,
    ) -> Self {
        let rollout = &mut spec.rollout;
        let has_steps = matches!(rollout.strategy, Strategy::Canary | Strategy::Auto);
        if has_steps && rollout.steps.is_empty() {
            rollout.steps = Rollout::usual_steps();
        }
        let usual = &spec.observe.prometheus;
        for gate in &mut spec.gate {
            if let Some(GateSource::Prometheus { server, .. }) = &mut gate.source {
                *server = server.take().or_else(|| usual.clone());
            }
        }
        Self {
            spec,
            environment: origins.environment().map(str::to_owned),
            environments,
            target: place.target,
            approve: place.approve,
            warnings,
            fit,
            origins,
        }
    }

    /// What only the caller can tell, at its place in the text that was loaded.
    pub(crate) fn problem(&self, text: &str, path: &str, message: &str, hint: &str) -> Problem {
        let problem =
            Source::new(self.origins.file(), text).problem(self.origins.span(path), message);
        problem.hint(Some(hint.to_owned()))
    }

    /// Whether the target can do what is asked for; what has no effect there joins the warnings.
    pub(crate) fn deployable(&mut self) -> Result<(), Problems> {
        self.warnings.append(&mut self.fit.warnings);
        match Problems::new(std::mem::take(&mut self.fit.problems)) {
            Some(problems) => Err(problems),
            None => Ok(()),
        }
    }
}

fn parse<'t>(source: &Source<'t>) -> Result<DeTable<'t>, Problem> {
    let table = DeTable::parse(source.text).map_err(|error| told(&error, source))?;
    match table.get_ref().is_empty() {
        false => Ok(table.into_inner()),
        true => Err(
            Problem::whole(source.file, format!("{} is empty", source.file))
                .hint(Some("agentctl init writes a first agent.toml".to_owned())),
        ),
    }
}

/// What the parser or serde says, at its place.
fn told(error: &toml::de::Error, source: &Source<'_>) -> Problem {
    source.problem(error.span().unwrap_or_default(), error.message())
}

/// The file with one environment laid over the base.
struct Merged<'t> {
    /// What a `Spec` is read from.
    table: DeTable<'t>,
    /// What an `Environment` is read from.
    place: DeTable<'t>,
    origins: Origins,
    environments: Vec<String>,
}

impl<'t> Merged<'t> {
    fn new(
        mut table: DeTable<'t>,
        environment: Option<&str>,
        source: &Source<'_>,
    ) -> Result<Self, Problem> {
        let all = table.remove("environments");
        let environments = in_order(all.as_ref());
        let mut overlaid = BTreeSet::new();
        if let Some(name) = environment {
            let over = chosen(all, name, source)?;
            overlay::lay(over, &mut table, &mut overlaid);
        }
        let origins = Origins::new(source, environment, &table, &overlaid);
        let own = ["target", "approve"];
        let place = own
            .iter()
            .filter_map(|key| table.remove_entry(*key))
            .collect();
        Ok(Self {
            table,
            place,
            origins,
            environments,
        })
    }

    fn typed(self, source: &Source<'_>) -> Result<(Spec, Environment), Problem> {
        let spec = Spec::deserialize(deserializer(self.table));
        let place = Environment::deserialize(deserializer(self.place));
        spec.and_then(|spec| Ok((spec, place?)))
            .map_err(|error| told(&error, source))
    }
}

fn deserializer(table: DeTable<'_>) -> toml::Deserializer<'_> {
    Spanned::new(0..0, table).into()
}

fn in_order(all: Option<&Spanned<DeValue<'_>>>) -> Vec<String> {
    let Some(DeValue::Table(all)) = all.map(Spanned::get_ref) else {
        return Vec::new();
    };
    let mut keys: Vec<_> = all.keys().collect();
    keys.sort_by_key(|key| key.span().start);
    keys.iter().map(|key| key.get_ref().to_string()).collect()
}

/// The section of the environment that was asked for.
fn chosen<'t>(
    all: Option<Spanned<DeValue<'t>>>,
    name: &str,
    source: &Source<'_>,
) -> Result<DeTable<'t>, Problem> {
    let mut all = match all.map(Spanned::into_inner) {
        Some(DeValue::Table(all)) => all,
        _ => DeTable::new(),
    };
    match all.remove(name).map(Spanned::into_inner) {
        Some(DeValue::Table(over)) => Ok(over),
        _ => Err(not_there(&all, name, source)),
    }
}

fn not_there(all: &DeTable<'_>, name: &str, source: &Source<'_>) -> Problem {
    let there: Vec<&str> = all.keys().map(|key| key.get_ref().as_ref()).collect();
    let message = format!("{} has no environment \"{name}\"", source.file);
    let hint = match there.as_slice() {
        [] => format!("it has none; add [environments.{}]", super::show::key(name)),
        there => format!("it has {}", there.join(", ")),
    };
    Problem::whole(source.file, message).hint(Some(hint))
}
