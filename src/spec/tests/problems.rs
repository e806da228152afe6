use super::{SMALL, bad, good, load, marked};

/// Each case is what is added to a small file, then behind `>` what the caret marks unless the line is
/// not shown, the message, and the hint if there is one.
#[test]
fn each_case_points_at_what_is_wrong() {
    let blocks = include_str!("problems.txt").split("\n\n");
    for block in blocks.map(str::trim).filter(|block| block.contains("\n> ")) {
        let (added, wanted) = block.split_once("\n> ").unwrap();
        let problems = bad(&format!("{SMALL}{added}\n"));
        let all: Vec<String> = problems.iter().map(|problem| problem.render()).collect();
        assert_eq!(all.len(), 1, "{added}\n{}", all.join("\n"));
        let problem = &problems[0];
        let told = [
            problem.excerpt.as_ref().map(|_| marked(problem)),
            Some(problem.message.clone()),
            problem.hint.clone(),
        ];
        let told: Vec<String> = told.into_iter().flatten().collect();
        assert_eq!(told, wanted.split("\n> ").collect::<Vec<_>>(), "{}", all[0]);
    }
}

#[test]
fn the_required_keys() {
    let label = "1 to 40 of a-z, 0-9 and -, with a letter first and no - at the end";
    let forty_one = "a".repeat(41);
    for name in ["", "-a", "a-", "A", "a_b", "ä", forty_one.as_str()] {
        let problems = bad(&SMALL.replace("\"a\"", &format!("\"{name}\"")));
        assert_eq!(problems[0].message, format!("\"{name}\" is not {label}"));
        assert_eq!(marked(&problems[0]), format!("\"{name}\""));
    }
    for (from, to, caret, message) in [
        ("[\"./a\"]", "[]", "[]", "run.command must not be empty"),
        (
            "[\"./a\"]",
            "[\"\"]",
            "\"\"",
            "the program to run must not be empty",
        ),
        (
            "[\"./a\"]",
            "\"./a b\"",
            "\"./a b\"",
            "run.command must be a list, not a text",
        ),
        (
            "[\"./a\"]",
            "[\"./a\", \"--key=${secret:KEY}\"]",
            "${secret:KEY}",
            "a secret must not stand in a command: any user of the machine could read it",
        ),
        (
            "command =",
            "comand =",
            "comand",
            "unknown key \"comand\" in [run]",
        ),
        (
            "\"a\"",
            "\"a\"\nlabels = { \"-x\" = \"y\" }",
            "\"-x\"",
            "\"-x\" is not a name like \"disktype\" or \"example.com/disktype\"",
        ),
        (
            "\"a\"",
            "\"a\"\nlabels = { \"agentctl.dev/release\" = \"r1\" }",
            "\"agentctl.dev/release\"",
            "agentctl.dev/release belongs to agentctl, which finds objects by it",
        ),
        (
            "\"a\"",
            "\"a\"\nversion = \"1.0-\"",
            "\"1.0-\"",
            "as a label of Kubernetes a version has at most 63 characters, with a letter or digit at the end",
        ),
    ] {
        let problems = bad(&SMALL.replace(from, to));
        assert_eq!(problems[0].message, message);
        assert_eq!(marked(&problems[0]), caret, "{}", problems[0].render());
        assert_eq!(problems.len(), 1);
    }
}

/// What is valid and cannot be deployed to the target.
#[test]
fn what_the_target_cannot_do_is_told_where_it_is_deployed() {
    let base = "[agent]\nname = \"a\"\n";
    for (text, message) in [
        ("", "how a process of the agent is started is not given"),
        (
            "kind = \"job\"\n[run]\ncommand = [\"a\"]",
            "kind = \"job\" does not run on the process target: it comes to an end, and a rollout \
             replaces what goes on running",
        ),
        (
            "kind = \"stateful\"\n[run]\ncommand = [\"a\"]\n[environments.x]\ntarget = { docker = {} }\n\
             image.image = \"a\"",
            "kind = \"stateful\" does not run on the docker target: its disk belongs to one replica, \
             and a rollout runs two releases side by side",
        ),
        (
            "[run]\ncommand = [\"a\"]\n[secrets]\nA = { kubernetes = \"b/c\" }",
            "a process reads A from a variable or a file only",
        ),
        (
            "[run]\ncommand = [\"a\"]\n[environments.x]\ntarget = { docker = {} }",
            "it is not said what image a container runs",
        ),
        (
            "[run]\ncommand = [\"a\"]\n[environments.x]\ntarget = { kubernetes = {} }",
            "it is not said what image a container runs",
        ),
        (
            "[[gate]]\nname = \"smoke\"\nsource = { command = [\"true\"] }\n[[gate]]\nmetric = \
             \"error_rate\"\nmax = 0.1\n[environments.x]\ntarget = { kubernetes = {} }\nimage.image = \"a\"",
            "nothing measures error_rate in a cluster: no edge stands before replicas there",
        ),
        (
            "[[gate]]\nmetric = \"tool_error_rate\"\nmax = 0.1\n[environments.x]\ntarget = { kubernetes = {} }\n\
             image.image = \"a\"",
            "nothing measures tool_error_rate in a cluster: no edge stands before replicas there",
        ),
        (
            "kind = \"worker\"\n[run]\ncommand = [\"a\"]\n[[gate]]\nmetric = \"tool_error_rate\"\nmax = 0.1\n\
             [[gate]]\nname = \"smoke\"\nsource = { command = [\"true\"] }\n[[gate]]\nmetric = \"latency_p95\"\n\
             max = \"1s\"",
            "nothing measures latency_p95 of a worker: nobody sends requests to it",
        ),
        (
            "[run]\ncommand = [\"a\"]\nenv = { OTEL_EXPORTER_OTLP_ENDPOINT = \"http://c:4318\" }\n\
             [[gate]]\nmetric = \"tokens_per_call\"\nmax = 1000",
            "nothing measures tokens_per_call: run.env.OTEL_EXPORTER_OTLP_ENDPOINT has the agent tell others",
        ),
        (
            "kind = \"worker\"\n[[gate]]\nmetric = \"requests\"\nmin = 1\n[environments.x]\n\
             target = { docker = {} }\nimage.image = \"a\"",
            "nothing measures requests of a worker: nobody sends requests to it",
        ),
    ] {
        let environment = text.contains("environments").then_some("x");
        let mut loaded = load(&format!("{base}{text}\n"), environment).unwrap();
        let problems = loaded.deployable().unwrap_err();
        assert_eq!(problems.list()[0].message, message);
    }
}

#[test]
fn names_that_agentctl_uses_itself_are_refused_where_they_would_meet() {
    let told = |table: &str, name: &str| {
        let text = format!(
            "[agent]\nname = \"a\"\n[{table}.{name}]\nimage = \"b\"\nport = 9\n\
             [environments.x]\ntarget = {{ docker = {{}} }}\nimage.image = \"a\"\n"
        );
        load(&text, Some("x")).unwrap().deployable().err()
    };
    for name in [
        "edge",
        "edge-before",
        "db-before",
        "r1-1",
        "r12-3-x",
        "visitor-9",
    ] {
        let problems = told("services", name).unwrap();
        let message = format!("services.{name} would be called as a container of agentctl's own");
        assert_eq!(problems.list()[0].message, message);
        let hint = problems.list()[0].hint.as_deref();
        assert_eq!(hint, Some("give it another name"));
    }
    for name in ["edges", "before", "r1", "r1-x", "red-1", "r-1"] {
        assert!(told("services", name).is_none(), "{name}");
    }
    assert!(
        told("tools", "r1-1").is_none(),
        "it is called after its replica"
    );
}

#[test]
fn all_are_reported_in_the_order_of_the_file() {
    let text = "[agent]\nname = \"A\"\n[run]\ncommand = [\"a\"]\nport = 0\n[health]\nevery = \"0s\"\n[[gate]]\nmetric = \"requests\"\n";
    let lines: Vec<usize> = bad(text).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 5, 7, 8]);
}

#[test]
fn sections_of_other_environments_are_read_too() {
    let text = format!("{SMALL}[environments.x]\nrun.prot = 1\n[environments.y]\n");
    let problems = load(&text, Some("y")).unwrap_err();
    assert_eq!(problems.list()[0].message, "unknown key \"prot\" in [run]");
    assert_eq!(problems.list()[0].line, 6);
}

#[test]
fn a_problem_is_shown_with_its_line() {
    let problem = bad("[agent]\n\tname = \"ä\" # x\n[run]\ncommand = [\"a\"]\n")[0].render();
    let wanted = "\
\"ä\" is not 1 to 40 of a-z, 0-9 and -, with a letter first and no - at the end
 --> agent.toml:2:9
  |
2 |     name = \"ä\" # x
  |            ^^^";
    assert_eq!(problem, wanted);
    let syntax = bad("[agent\nname = 1")[0].render();
    assert!(syntax.contains("--> agent.toml:1:7"), "{syntax}");
}

#[test]
fn a_high_risk_asks_auto_for_a_shadow() {
    let risky = SMALL.replace("[run]", "risk = \"high\"\nkind = \"worker\"\n[run]");
    let problems = bad(&format!("{risky}[rollout]\nstrategy = \"auto\"\n"));
    assert_eq!(marked(&problems[0]), "\"auto\"");
    let message = "nobody sends requests to a worker, so there are none to copy";
    assert_eq!(problems[0].message, message);
}

#[test]
fn gates_compare_wherever_something_runs_beside_the_new_release() {
    let gate = "[[gate]]\nmetric = \"error_rate\"\nagainst = \"stable\"\n";
    for rollout in [
        "strategy = \"canary\"",
        "strategy = \"canary\"\nsteps = [{ weight = 10, hold = \"1m\" }, { weight = 100 }]",
        "strategy = \"canary\"\nsteps = [{ weight = 10 }, { weight = 100 }]",
        "strategy = \"shadow\"",
        "strategy = \"ab\"\nuser = \"header:X-User\"",
        "strategy = \"auto\"",
    ] {
        good(&format!("{SMALL}[rollout]\n{rollout}\n{gate}"));
    }
    let waits = "steps = [{ weight = 10 }, { approve = \"more\" }, { weight = 100 }]";
    good(&format!(
        "{SMALL}[rollout]\nstrategy = \"canary\"\n{waits}\n{gate}unclear = \"pass\"\n"
    ));
}

#[test]
fn settings_hold_no_secrets() {
    let settings = "[config.settings]\na = { b = [\"${secret:K}\"] }\n";
    let problems = bad(&format!(
        "{SMALL}{settings}[secrets]\nK = {{ env = \"K\" }}\n"
    ));
    assert!(
        problems[0]
            .message
            .contains("must not stand in the settings")
    );
}

#[test]
fn commands_beside_the_agent_hold_no_secrets() {
    let message = "a secret must not stand in a command: any user of the machine could read it";
    for beside in [
        "[services.r]\npreset = \"redis\"\ncommand = [\"r\", \"--pass=${secret:K}\"]\n",
        "[services.r]\npreset = \"redis\"\nhealthy = [\"r\", \"${secret:K}\"]\n",
        "[tools.t]\nimage = \"t\"\ncommand = [\"${secret:K}\"]\n",
        "[sidecars.s]\nimage = \"s\"\ncommand = [\"${secret:K}\"]\n",
    ] {
        let problems = bad(&format!(
            "{SMALL}{beside}[secrets]\nK = {{ env = \"K\" }}\n"
        ));
        assert_eq!(problems[0].message, message, "{beside}");
    }
}
