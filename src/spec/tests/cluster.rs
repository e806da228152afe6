//! What one target refuses and others do not.

use super::{load, marked};

/// What is wrong with a small agent whose environment x is a cluster.
fn told(agent: &str, cluster: &str) -> Option<(String, String)> {
    let text =
        format!("[agent]\nname = \"a\"\n{agent}\n[environments.x.target.kubernetes]\n{cluster}\n");
    let problems = load(&text, Some("x")).err()?;
    assert_eq!(problems.list().len(), 1, "{problems}");
    let problem = &problems.list()[0];
    Some((marked(problem), problem.message.clone()))
}

fn problem(caret: &str, message: &str) -> Option<(String, String)> {
    Some((caret.to_owned(), message.to_owned()))
}

#[test]
fn a_namespace_to_make_has_a_name() {
    let message = "which namespace to make is not given";
    assert_eq!(
        told("", "create_namespace = true"),
        problem("true", message)
    );
    assert_eq!(told("", "create_namespace = true\nnamespace = \"n\""), None);
}

#[test]
fn an_agent_is_not_called_as_another_ones_release() {
    let named = |name: &str, target: &str| {
        let text = format!("[agent]\nname = \"{name}\"\n[environments.x]\ntarget = {target}\n");
        let problems = load(&text, Some("x")).err()?;
        Some(problems.list()[0].message.clone())
    };
    let message = "in a cluster \"bot-r1\" is what r1 of an agent bot is called";
    let cluster = "{ kubernetes = {} }";
    assert_eq!(named("bot-r1", cluster).as_deref(), Some(message));
    assert_eq!(named("bot-r1", "{ process = {} }"), None);
    for fine in ["bot", "r1", "bot-r", "bot-r1x", "bot-1"] {
        assert_eq!(named(fine, cluster), None, "{fine}");
    }
}

#[test]
fn an_old_cluster_lets_only_root_listen_on_low_ports() {
    let message = "before 1.22 only root may listen on a port below 1024";
    let low = "[run]\nport = 80";
    assert_eq!(told(low, "version = \"1.21\""), problem("80", message));
    assert_eq!(told(low, "version = \"1.22\""), None);
}

#[test]
fn an_old_cluster_knows_no_time_zones() {
    let cron = "kind = \"cron\"\ntime_zone = \"Europe/Berlin\"\n[run]\nschedule = \"0 6 * * *\"";
    let message = "a cluster before 1.27 knows no time zones";
    let wanted = problem("\"Europe/Berlin\"", message);
    assert_eq!(told(cron, "version = \"1.26\""), wanted);
    assert_eq!(told(cron, "version = \"1.27\""), None);
    assert_eq!(told(cron, ""), None);
    assert_eq!(
        told(&cron.replace("Europe/Berlin", "UTC"), "version = \"1.26\""),
        None
    );
}

#[test]
fn a_job_in_an_old_cluster_has_nothing_beside_it() {
    let message = "before 1.29 what runs beside a job keeps it from ending";
    let tool = "kind = \"job\"\n[tools.t]\nimage = \"t:1\"";
    assert_eq!(
        told(tool, "version = \"1.28\""),
        problem("[tools.t]", message)
    );
    assert_eq!(told(tool, "version = \"1.29\""), None);
    let service = format!("{tool}\nmode = \"service\"");
    assert_eq!(told(&service, "version = \"1.28\""), None);
    let collector = "kind = \"job\"\n[observe]\notel = \"sidecar\"\nexport = \"http://c:4318\"";
    assert_eq!(
        told(collector, "version = \"1.28\""),
        problem("\"sidecar\"", message)
    );
}

#[test]
fn disks_have_names_sizes_and_places_of_their_own() {
    let disk = |name: &str, path: &str, size: &str| {
        let text = format!(
            "kind = \"stateful\"\n[run]\nvolumes.{name} = {{ path = \"{path}\", size = \"{size}\" }}"
        );
        told(&text, "").map(|(_, message)| message)
    };
    assert_eq!(disk("data", "/data", "1Gi"), None);
    let cases = [
        (
            disk("tmp-x", "/data", "1Gi"),
            "\"tmp-x\" begins like the names that agentctl gives to its own volumes",
        ),
        (disk("data", "/data", "0"), "a disk has a size above 0"),
        (
            disk("data", "/etc/agent", "1Gi"),
            "/etc/agent is where the agent finds its config; nothing else can lie there",
        ),
    ];
    for (told, wanted) in cases {
        assert_eq!(told.as_deref(), Some(wanted));
    }
}

#[test]
fn disks_make_both_releases_one_set() {
    let stateful = |more: &str| {
        let text = format!(
            "[agent]\nname = \"a\"\nkind = \"stateful\"\n[image]\nimage = \"a\"\n{more}\n\
             [environments.x.target.kubernetes]\n"
        );
        let problems = load(&text, Some("x")).unwrap().deployable().err()?;
        let problem = &problems.list()[0];
        Some((marked(problem), problem.message.clone()))
    };
    let side_by_side = "the replicas of a stateful agent are one set: two releases cannot stand \
                        whole side by side";
    assert_eq!(
        stateful("[rollout]\nstrategy = \"blue-green\""),
        problem("\"blue-green\"", side_by_side)
    );
    let places = "requests to a stateful agent are split as its replicas are, and by nothing else";
    assert_eq!(
        stateful("[network]\nrouter = \"nginx\"\nhost = \"a.example\""),
        problem("\"nginx\"", places)
    );
    assert_eq!(
        stateful("[network]\ngateway = \"edge/public\""),
        problem("\"edge/public\"", places)
    );
    for strategy in ["auto", "rolling", "canary"] {
        assert_eq!(
            stateful(&format!("[rollout]\nstrategy = \"{strategy}\"")),
            None
        );
    }
    assert_eq!(stateful("[network]\nrouter = \"service\""), None);
}
