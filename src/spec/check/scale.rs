use super::super::{Kind, Period, QueueKind, Scale, Scaler, Spec};
use super::Check;
use super::beside::known_secret;

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    let Some(scale) = &spec.scale else { return };
    if matches!(spec.agent.kind, Kind::Job | Kind::Cron | Kind::Daemon) {
        check.refuse("scale", "jobs and daemons are not scaled; take [scale] out");
    }
    bounds(scale, check);
    signals(scale, spec, check);
    if scale.by == Scaler::Hpa {
        hpa(scale, check);
        metric_names(scale, check);
    }
    queue(spec, scale, check);
}

fn bounds(scale: &Scale, check: &mut Check<'_>) {
    if scale.min > scale.max {
        let message = format!("min is {}, more than max, {}", scale.min, scale.max);
        check.refuse("scale.min", message);
    }
    if scale.min == 0 && !scale.idle_to_zero {
        let hint = "idle_to_zero = true, or min = 1";
        check.refuse_with("scale.min", "min = 0 needs idle_to_zero", hint);
    }
    if scale.down_after > Period::secs(3600) {
        check.refuse(
            "scale.down_after",
            "no autoscaler waits longer than an hour",
        );
    }
    let second = Period::secs(1);
    if scale.every < second || scale.every > Period::secs(3600) {
        check.refuse("scale.every", "from a second to an hour");
    }
    for (at, window) in scale.schedule.iter().enumerate() {
        if window.replicas > scale.max {
            let message = format!(
                "{} replicas are more than max, {}",
                window.replicas, scale.max
            );
            check.refuse(&format!("scale.schedule.{at}.replicas"), message);
        }
    }
    let rests = scale.schedule.iter().enumerate();
    let mut rests = rests.filter(|(_, window)| window.replicas < scale.min);
    if let (Some(_), Some((at, _))) = (rests.next(), rests.next()) {
        let message = "only one window may have fewer replicas than min";
        check.refuse(&format!("scale.schedule.{at}.replicas"), message);
    }
    let idle = scale
        .schedule
        .iter()
        .position(|window| window.replicas == 0);
    if let (Some(at), 0) = (idle, scale.min) {
        let message = "with min = 0 there is no replica at any time without work";
        check.refuse(&format!("scale.schedule.{at}.replicas"), message);
    }
    for (at, figure) in scale.metrics.iter().enumerate() {
        if figure.target <= 0.0 {
            check.refuse(
                &format!("scale.metrics.{at}.target"),
                "the target must be above 0",
            );
        }
    }
}

/// Something has to say when there is more to do.
fn signals(scale: &Scale, spec: &Spec, check: &mut Check<'_>) {
    if !scale.follows() && !scale.recommend {
        let hint = "queue = { … }, cpu = 70, metrics = [{ … }] or schedule = [{ … }]";
        check.refuse_with("scale", "nothing says when replicas are added", hint);
    }
    if scale.recommend && scale.cpu.is_some() {
        let message = "one autoscaler would follow the use of processors while another changes what that is measured by";
        check.refuse_with("scale.recommend", message, "take out cpu or recommend");
    }
    let only_cpu = scale.cpu.is_some() && scale.queue.is_none() && scale.metrics.is_empty();
    if scale.idle_to_zero && only_cpu && scale.schedule.is_empty() {
        let message = "without a replica no processor is used: nothing would say when work comes";
        check.refuse_with(
            "scale.idle_to_zero",
            message,
            "a queue, metrics or a schedule",
        );
    }
    if scale.cpu.is_some() && spec.run.resources.cpu.is_none() {
        let message = "cpu is per cent of run.resources.cpu, which is not given";
        check.refuse_with(
            "scale.cpu",
            message,
            "resources = { cpu = \"500m\" } under [run]",
        );
    }
    let asks_prometheus = !scale.metrics.is_empty() && scale.by == Scaler::Keda;
    if asks_prometheus && spec.observe.prometheus.is_none() {
        let hint = "prometheus = \"http://prometheus.monitoring:9090\" under [observe]";
        check.refuse_with(
            "scale.metrics",
            "who answers these queries is not given",
            hint,
        );
    }
}

fn hpa(scale: &Scale, check: &mut Check<'_>) {
    let given = [
        ("scale.idle_to_zero", scale.idle_to_zero, "go to zero"),
        (
            "scale.schedule",
            !scale.schedule.is_empty(),
            "follow a clock",
        ),
    ];
    for (path, given, what) in given {
        if given {
            check.refuse_with(path, format!("hpa cannot {what}"), "by = \"keda\"");
        }
    }
}

/// An autoscaler of the cluster asks by name; queries are for keda.
fn metric_names(scale: &Scale, check: &mut Check<'_>) {
    let queue = scale.queue.iter();
    let queue = queue.filter(|queue| queue.kind == QueueKind::Prometheus);
    let queue = queue.map(|queue| ("scale.queue.name".to_owned(), &queue.name));
    let figures = scale.metrics.iter().enumerate();
    let figures = figures.map(|(at, one)| (format!("scale.metrics.{at}.query"), &one.query));
    let inside = |c: char| c.is_ascii_alphanumeric() || "_:.-".contains(c);
    for (path, name) in queue.chain(figures) {
        if !name.chars().all(inside) {
            let message = format!("hpa asks for a metric by its name, and \"{name}\" is none");
            check.refuse_with(&path, message, "a metric's name, or by = \"keda\"");
        }
    }
}

fn queue(spec: &Spec, scale: &Scale, check: &mut Check<'_>) {
    let Some(queue) = &scale.queue else { return };
    let needs = |given: bool, key: &str, check: &mut Check<'_>| {
        if !given {
            check.refuse(
                "scale.queue",
                format!("\"{key}\" is missing for this kind of queue"),
            );
        }
    };
    if scale.by == Scaler::Keda {
        let address = queue.address.is_some()
            || (queue.kind == QueueKind::Prometheus && spec.observe.prometheus.is_some());
        let hidden = queue.kind == QueueKind::Rabbitmq && queue.secret.is_some();
        needs(address || hidden, "address", check);
        needs(
            queue.kind != QueueKind::Kafka || queue.group.is_some(),
            "group",
            check,
        );
        needs(
            queue.kind != QueueKind::Sqs || queue.region.is_some(),
            "region",
            check,
        );
    }
    if let Some(secret) = &queue.secret {
        if matches!(queue.kind, QueueKind::Sqs | QueueKind::Kafka) {
            let message = "this kind of queue is asked without a secret";
            check.refuse_with("scale.queue.secret", message, "take it out");
        }
        known_secret("scale.queue.secret", secret, spec, check);
    }
}
