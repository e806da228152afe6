use super::super::Notify;
use super::Check;

pub(super) fn check(notify: &Notify, check: &mut Check<'_>) {
    let grafana = notify.grafana.as_ref();
    let keys = [
        ("notify.key", notify.key.as_ref()),
        (
            "notify.grafana.token",
            grafana.map(|grafana| &grafana.token),
        ),
    ];
    for (path, key) in keys {
        if key.is_some_and(|key| !key.has_secret()) {
            let message = format!("{path} is a secret, and must not stand in this file");
            check.refuse_with(
                path,
                message,
                "name it in [secrets], and write \"${secret:NAME}\"",
            );
        }
    }
    if notify.webhook.is_none() {
        let given = [
            ("notify.key", notify.key.is_some()),
            ("notify.format", notify.format != Default::default()),
        ];
        for (path, _) in given.into_iter().filter(|(_, given)| *given) {
            check.refuse(path, format!("{path} is for a webhook, and there is none"));
        }
    }
    if notify.command.first().is_some_and(String::is_empty) {
        check.refuse("notify.command.0", "the program to run must not be empty");
    }
}
