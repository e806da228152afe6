//! What a valid agent.toml asks for and its target cannot do: refused where something is deployed,
//! and no matter where it is only checked or rendered.

use super::check::Check;
use super::show::key;
use super::{
    Kind, Metric, Mode, Percent, Router, SecretSource, Spec, Strategy, TargetSpec, beyond_nginx,
};
use crate::otel::TELLS_ELSEWHERE;

/// `check` gets what stands in the way as problems, and what has no effect there as warnings.
pub(super) fn fit(spec: &Spec, target: &TargetSpec, check: &mut Check<'_>) {
    match target {
        TargetSpec::Process { .. } => process(spec, check),
        TargetSpec::Docker { .. } => docker(spec, check),
        TargetSpec::Kubernetes { .. } => kubernetes(spec, check),
    }
}

/// Each disk belongs to one replica, so both releases' replicas are one set, which is split as its
/// places are.
fn one_set(spec: &Spec, check: &mut Check<'_>) {
    if spec.agent.kind != Kind::Stateful {
        return;
    }
    if matches!(spec.rollout.strategy, Strategy::BlueGreen) {
        check.refuse_with(
            "rollout.strategy",
            "the replicas of a stateful agent are one set: two releases cannot stand whole side by side",
            "strategy = \"rolling\" or \"canary\", which change one replica after the other",
        );
    }
    let network = &spec.network;
    let weighs = matches!(
        network.router,
        Router::Gateway | Router::Istio | Router::Nginx
    );
    if weighs || network.gateway.is_some() {
        let path = if weighs {
            "network.router"
        } else {
            "network.gateway"
        };
        check.refuse_with(
            path,
            "requests to a stateful agent are split as its replicas are, and by nothing else",
            "leave it out, or router = \"service\"",
        );
    }
}

fn kubernetes(spec: &Spec, check: &mut Check<'_>) {
    one_set(spec, check);
    has_image(spec, check);
    by_request(spec, check);
    let hint = "gates with a source, and probes, holds and approvals under [rollout] work there";
    for (path, metric) in measured(spec) {
        let metric = metric.name();
        let message =
            format!("nothing measures {metric} in a cluster: no edge stands before replicas there");
        check.refuse_with(&path, message, hint);
    }
    for (at, probe) in spec.rollout.probe.iter().enumerate() {
        let turns = probe.turns();
        let mut names = turns.iter().flat_map(|(request, _)| request.headers.keys());
        if names.any(|name| name.eq_ignore_ascii_case("authorization")) {
            check.refuse_with(
                &format!("rollout.probe.{at}"),
                "a probe goes through the cluster's API, which takes Authorization for itself",
                "probe a path that needs none",
            );
        }
    }
}

/// What gates would have an edge measure, and where they say so.
fn measured(spec: &Spec) -> impl Iterator<Item = (String, Metric)> {
    let gates = spec.gate.iter().enumerate();
    let measured = gates.filter(|(_, gate)| gate.source.is_none());
    measured.map(|(at, gate)| (format!("gate.{at}.metric"), gate.metric))
}

/// The edge hears what a worker tells of its calls, and sees no request to it.
fn only_calls(spec: &Spec, check: &mut Check<'_>) {
    if spec.agent.kind != Kind::Worker {
        return;
    }
    let hint = "model_latency_p95, tokens_per_call and tool_error_rate are told by its OpenTelemetry \
                library, and a gate with a source asks others";
    for (path, metric) in measured(spec).filter(|(_, metric)| !metric.is_of_calls()) {
        let metric = metric.name();
        let message = format!("nothing measures {metric} of a worker: nobody sends requests to it");
        check.refuse_with(&path, message, hint);
    }
}

/// Where a library tells its figures to somebody else, the edge hears none.
fn heard(spec: &Spec, check: &mut Check<'_>) {
    let set = |name: &&&str| spec.run.env.contains_key(**name);
    let Some(name) = TELLS_ELSEWHERE.iter().find(set) else {
        return;
    };
    let hint = format!(
        "leave run.env.{name} out; for traces alone there is OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    );
    for (path, metric) in measured(spec).filter(|(_, metric)| metric.is_of_calls()) {
        let metric = metric.name();
        let message =
            format!("nothing measures {metric}: run.env.{name} has the agent tell others");
        check.refuse_with(&path, message, &hint);
    }
}

/// What routers of a cluster do with single requests, and what only an edge could.
fn by_request(spec: &Spec, check: &mut Check<'_>) {
    let (copies, tells) = (spec.may_shadow(), spec.rollout.strategy == Strategy::Ab);
    if !copies && !tells {
        return;
    }
    let network = &spec.network;
    let is_plain = match network.router {
        Router::Auto => network.gateway.is_none(),
        router => router == Router::Service,
    };
    if is_plain {
        let what = if copies {
            "copies requests"
        } else {
            "tells requests apart"
        };
        check.refuse_with(
            "rollout.strategy",
            format!("a Service alone sends requests to replicas, and nothing {what}"),
            "network.gateway = \"NAMESPACE/NAME\", or network.router = \"istio\" or \"nginx\"",
        );
    }
    if copies {
        only_copies(spec, check);
    }
    if tells {
        only_says(spec, check);
    }
}

fn only_copies(spec: &Spec, check: &mut Check<'_>) {
    let rollout = &spec.rollout;
    let shadow = &rollout.shadow;
    let given = [
        ("at_most", shadow.at_most.is_some()),
        ("max_cost", shadow.max_cost.is_some()),
        ("capture", shadow.capture.is_some()),
    ];
    for (name, _) in given.into_iter().filter(|(_, given)| *given) {
        check.refuse_with(
            &format!("rollout.shadow.{name}"),
            "a router of a cluster copies requests, and looks at no answers",
            "leave it out: copies end with rollout.shadow.hold",
        );
    }
    if spec.network.router == Router::Nginx && rollout.mirror != Percent::FULL {
        let message = "ingress-nginx copies all requests or none";
        check.refuse_with("rollout.mirror", message, "mirror = 100");
    }
}

fn only_says(spec: &Spec, check: &mut Check<'_>) {
    let rollout = &spec.rollout;
    if rollout.user.is_some() {
        check.refuse_with(
            "rollout.user",
            "a router of a cluster draws no lots that a user keeps",
            "match = [\"header:X-Beta=true\"]",
        );
    }
    let beyond = beyond_nginx(&rollout.says).filter(|_| spec.network.router == Router::Nginx);
    if let Some(why) = beyond {
        check.refuse_with("rollout.match", why, "match = [\"header:X-Beta=true\"]");
    }
}

fn has_image(spec: &Spec, check: &mut Check<'_>) {
    if spec.build.is_none() && spec.image.image.is_none() {
        let hint = "runtime = \"python\" under [build]";
        check.refuse_with("run", "it is not said what image a container runs", hint);
    }
}

fn docker(spec: &Spec, check: &mut Check<'_>) {
    kind(spec.agent.kind, "docker", check);
    only_calls(spec, check);
    heard(spec, check);
    has_image(spec, check);
    secrets_are_near(spec, "the docker target", check);
    if spec
        .run
        .gpu
        .as_ref()
        .is_some_and(|gpu| gpu.kind != "nvidia.com/gpu")
    {
        let hint = "run.gpu.kind = \"nvidia.com/gpu\" in an environment for it";
        check.refuse_with(
            "run.gpu.kind",
            "an engine gives whole NVIDIA devices only",
            hint,
        );
    }
    for (table, name) in beside(spec).filter(|(_, name)| is_used(name)) {
        let message = format!("{table}.{name} would be called as a container of agentctl's own");
        check.refuse_with(&format!("{table}.{name}"), message, "give it another name");
    }
    let given = [
        ("network.allow", spec.network.allow.is_some()),
        ("run.nodes", spec.run.nodes != Default::default()),
        ("observe.otel", spec.observe.otel != Default::default()),
    ];
    for (path, _) in given
        .into_iter()
        .chain(scale(spec))
        .filter(|(_, given)| *given)
    {
        check.warn(path, format!("{path} has no effect on the docker target"));
    }
}

/// Whether a container of the edge's, of a replica or of what is being replaced may end so.
fn is_used(name: &str) -> bool {
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let mut parts = name.split('-');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let is_second_number = second.is_some_and(is_number);
    let is_release = first.strip_prefix('r').is_some_and(is_number);
    name == "edge"
        || name.ends_with("-before")
        || is_second_number && (is_release || first == "visitor")
}

/// What is started as a container of its own beside the agent: its table, and its name.
fn beside(spec: &Spec) -> impl Iterator<Item = (&'static str, &str)> {
    let services = spec.services.keys().map(|name| ("services", name.as_str()));
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Service);
    services.chain(tools.map(|(name, _)| ("tools", name.as_str())))
}

fn secrets_are_near(spec: &Spec, who: &str, check: &mut Check<'_>) {
    for (name, source) in &spec.secrets {
        if !matches!(source, SecretSource::Env(_) | SecretSource::File(_)) {
            let hint = format!("in the environment: secrets.{name} = {{ env = \"{name}\" }}");
            let message = format!("{who} reads {name} from a variable or a file only");
            check.refuse_with(&format!("secrets.{}", key(name)), message, hint);
        }
    }
}

fn process(spec: &Spec, check: &mut Check<'_>) {
    kind(spec.agent.kind, "process", check);
    only_calls(spec, check);
    heard(spec, check);
    if spec.run.command.is_empty() {
        let hint = "command = [\"python3\", \"-m\", \"app\"] under [run]";
        check.refuse_with(
            "run",
            "how a process of the agent is started is not given",
            hint,
        );
    }
    secrets_are_near(spec, "a process", check);
    for path in without_effect(spec) {
        check.warn(
            path,
            format!("{path} has no effect on processes of this machine"),
        );
    }
}

fn kind(kind: Kind, target: &str, check: &mut Check<'_>) {
    let (why, hint) = match kind {
        Kind::Service | Kind::Worker => return,
        Kind::Stateful => (
            "its disk belongs to one replica, and a rollout runs two releases side by side",
            "keep its data in a service with storage, or run it in a cluster",
        ),
        Kind::Daemon => (
            "it runs once on each machine of a cluster, and here is one machine",
            "kind = \"worker\" in this environment, with run.replicas = 1",
        ),
        Kind::Job | Kind::Cron => (
            "it comes to an end, and a rollout replaces what goes on running",
            "agentctl render compose, and docker-compose run or cron; or in a cluster: agentctl \
             render kubernetes",
        ),
    };
    let kind = kind.word();
    let message = format!("kind = \"{kind}\" does not run on the {target} target: {why}");
    check.refuse_with("agent.kind", message, hint);
}

/// Paths of what is given, and does nothing for a process.
fn without_effect(spec: &Spec) -> Vec<&'static str> {
    let run = &spec.run;
    let resources = run.resources != Default::default();
    let given = [
        ("run.resources", resources),
        ("run.gpu", run.gpu.is_some()),
        ("network.allow", spec.network.allow.is_some()),
        ("services", !spec.services.is_empty()),
        ("tools", !spec.tools.is_empty()),
        ("sidecars", !spec.sidecars.is_empty()),
        ("observe.otel", spec.observe.otel != Default::default()),
    ];
    given
        .into_iter()
        .chain(scale(spec))
        .filter(|(_, given)| *given)
        .map(|(path, _)| path)
        .collect()
}

/// What only a cluster's autoscalers follow.
fn scale(spec: &Spec) -> impl Iterator<Item = (&'static str, bool)> {
    let scale = spec.scale.iter();
    scale.flat_map(|scale| {
        let queue = scale.queue.as_ref();
        [
            ("scale.cpu", scale.cpu.is_some()),
            (
                "scale.queue",
                queue.is_some_and(|queue| !queue.kind.is_asked()),
            ),
            ("scale.recommend", scale.recommend),
        ]
    })
}
