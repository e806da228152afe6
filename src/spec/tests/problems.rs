use super::{SMALL, bad, load, marked};

/// What is added to a small file; what the caret marks; the message; the hint.
type Case = (&'static str, &'static str, &'static str, &'static str);

fn check(cases: &[Case]) {
    for (added, caret, message, hint) in cases {
        let problems = bad(&format!("{SMALL}{added}\n"));
        let all: Vec<String> = problems.iter().map(|problem| problem.render()).collect();
        let all = all.join("\n");
        assert_eq!(problems.len(), 1, "{added}\n{all}");
        assert_eq!(problems[0].message, *message, "{all}");
        assert_eq!(
            problems[0].hint.as_deref().unwrap_or_default(),
            *hint,
            "{all}"
        );
        assert_eq!(marked(&problems[0]), *caret, "{all}");
    }
}

#[test]
fn keys_and_types() {
    check(&[
        (
            "prot = 1",
            "prot",
            "unknown key \"prot\" in [run]",
            "did you mean \"port\"?",
        ),
        (
            "[helth]",
            "helth",
            "unknown key \"helth\"",
            "did you mean \"health\"?",
        ),
        ("zzz = 1", "zzz", "unknown key \"zzz\" in [run]", ""),
        (
            "port = \"80\"",
            "\"80\"",
            "run.port must be a whole number, not a text",
            "write 80 without quotes",
        ),
        ("port = 0", "0", "run.port must be from 1 to 65535", ""),
        (
            "port = 65536",
            "65536",
            "run.port must be from 1 to 65535",
            "",
        ),
        (
            "port = 99999999999999999999",
            "99999999999999999999",
            "the number is too large",
            "",
        ),
        (
            "replicas = 1001",
            "1001",
            "run.replicas must be from 1 to 1000",
            "",
        ),
        (
            "replicas = 1.5",
            "1.5",
            "run.replicas must be a whole number, not a number with a point",
            "",
        ),
        (
            "[health]\nevery = 10",
            "10",
            "health.every must be a duration like \"30s\", not a whole number",
            "write \"10s\"",
        ),
        (
            "[health]\nevery = \"30\"",
            "\"30\"",
            "\"30\" is not a duration like \"30s\", \"5m\" or \"2h\"",
            "give a unit, like \"30s\" or \"30m\"",
        ),
        (
            "[health]\nstartup = { wihtin = \"1s\" }",
            "wihtin",
            "unknown key \"wihtin\" in health.startup",
            "did you mean \"within\"?",
        ),
        (
            "[gate]\nmetric = \"requests\"",
            "[gate]",
            "[gate] must be a list, not a table",
            "write [[gate]]",
        ),
        (
            "[[gate]]\nmetric = \"latency\"\nmax = \"1s\"",
            "\"latency\"",
            "\"latency\" is not one of error_rate, latency_p50, latency_p95, latency_p99, requests, tokens_per_request, cost_per_conversation",
            "did you mean \"latency_p50\"?",
        ),
        (
            "[[gate]]\nmax = 1",
            "[[gate]]",
            "\"metric\" is missing in [gate]",
            "metric: The measured figure.",
        ),
        (
            "[[gate]]\nmetric = \"requests\"\nmin = true",
            "true",
            "gate.min must be a number or a duration like \"30s\", not true or false",
            "",
        ),
        (
            "[config]\nsettings.a = nan",
            "nan",
            "the number must be finite",
            "",
        ),
        (
            "[config]\nsettings.a.b = [-inf]",
            "-inf",
            "the number must be finite",
            "",
        ),
        (
            "[config]\nsettings.a = 2026-01-01",
            "2026-01-01",
            "dates and times have no meaning here",
            "put it in quotes to make it a text",
        ),
        (
            "[rollout]\nstrategy = \"canari\"",
            "\"canari\"",
            "\"canari\" is not one of rolling, blue-green, canary",
            "did you mean \"canary\"?",
        ),
    ]);
}

#[test]
fn what_comes_later_is_not_called_unknown() {
    check(&[
        (
            "[scale]\nmin = 1",
            "scale",
            "[scale] is not supported by this version of agentctl",
            "",
        ),
        (
            "gpu = 1",
            "gpu",
            "run.gpu is not supported by this version of agentctl",
            "",
        ),
        (
            "[rollout]\nstrategy = \"shadow\"",
            "\"shadow\"",
            "rollout.strategy = \"shadow\" is not supported by this version of agentctl",
            "",
        ),
        (
            "[[gate]]\nmetric = \"requests\"\nmin = 1\nagainst = \"stable\"",
            "against",
            "gate.against is not supported by this version of agentctl",
            "",
        ),
        (
            "[secrets]\nA = { vault = \"x\" }",
            "vault",
            "secrets.vault is not supported by this version of agentctl",
            "",
        ),
        (
            "[environments.x]\ntarget = { docker = {} }",
            "docker",
            "target.docker is not supported by this version of agentctl",
            "",
        ),
        (
            "[environments.x]\nscale.min = 1",
            "scale",
            "[scale] is not supported by this version of agentctl",
            "",
        ),
    ]);
}

#[test]
fn texts() {
    let variable = "the name of a variable: letters, digits and _, no digit first";
    let bad_key = format!("\"1A\" is not {variable}");
    let bad_source = format!("\"A B\" is not {variable}");
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    check(&[
        (
            "files = [\"a\", \"../b\"]",
            "\"../b\"",
            "\"../b\" must stay beside agent.toml, without ..",
            "",
        ),
        (
            "files = [\"/etc\"]",
            "\"/etc\"",
            "\"/etc\" must be relative to agent.toml",
            "",
        ),
        ("files = [\"\"]", "\"\"", "a path must not be empty", ""),
        (
            "files = []",
            "[]",
            "run.files must not be empty",
            "files = [\".\"] takes all",
        ),
        (
            "[config]\nprompts = \"..\"",
            "\"..\"",
            "\"..\" must stay beside agent.toml, without ..",
            "",
        ),
        (
            "env = { PORT = \"1\" }",
            "PORT",
            "PORT belongs to agentctl, which sets it for the agent",
            "",
        ),
        (
            "env.AGENT_X = \"1\"",
            "AGENT_X",
            "AGENT_X belongs to agentctl, which sets it for the agent",
            "",
        ),
        ("env = { 1A = \"1\" }", "1A", leak(&bad_key), ""),
        (
            "[secrets]\nAGENTCTL_Y = { env = \"A\" }",
            "AGENTCTL_Y",
            "AGENTCTL_Y belongs to agentctl, which sets it for the agent",
            "",
        ),
        (
            "[secrets]\nA = { env = \"A B\" }",
            "\"A B\"",
            leak(&bad_source),
            "",
        ),
        (
            "[secrets]\nA = { file = \"\" }",
            "\"\"",
            "secrets.file must not be empty",
            "",
        ),
        (
            "[secrets]\nA = { env = \"A\", file = \"a\" }",
            "file",
            "only one of env and file can stand here",
            "",
        ),
        (
            "[health]\nlive = \"up\"",
            "\"up\"",
            "\"up\" is not a path that begins with / and has no spaces",
            "write \"/up\"",
        ),
        (
            "[drain]\nkey = [\"head:X\"]",
            "\"head:X\"",
            "\"head:X\" is not header:NAME, cookie:NAME, query:NAME or json:FIELD",
            "",
        ),
        (
            "[drain]\nkey = [\"header:X Y\"]",
            "\"header:X Y\"",
            "\"X Y\" cannot be the name of a header or cookie",
            "",
        ),
        (
            "env.A = \"${\"",
            "\"${\"",
            "\"${\" opens ${ and never closes it",
            "",
        ),
        (
            "env.A = \"a${NOPE}b\"",
            "${NOPE}",
            "NOPE is not set in the environment that agentctl runs in",
            "set it (export NOPE=…), or write $${NOPE} for a plain ${NOPE}",
        ),
        (
            "env.A = \"a${secret:X}b\"",
            "${secret:X}",
            "there is no secret \"X\"",
            "add X = { env = \"X\" } under [secrets]",
        ),
        (
            "env.A = \"x\"\n[secrets]\nA = { env = \"A\" }",
            "\"x\"",
            "A is a secret too; the agent would get only one of them",
            "take it out here or under [secrets]",
        ),
        (
            "[environments.\"A b\"]",
            "\"A b\"",
            "\"A b\" is not 1 to 40 of a-z, 0-9 and -, with a letter or digit at both ends",
            "for example \"a-b\"",
        ),
        (
            "[environments.x]\ntarget.process.listen = \"here\"",
            "\"here\"",
            "\"here\" is not an IP address like \"127.0.0.1\" or \"::\"",
            "",
        ),
    ]);
}

#[test]
fn contradictions() {
    check(&[
        (
            "[health]\nevery = \"0s\"",
            "\"0s\"",
            "health.every must be longer than 0",
            "",
        ),
        (
            "[health]\nstartup.within = \"0s\"",
            "\"0s\"",
            "health.startup.within must be longer than 0",
            "",
        ),
        (
            "[health]\nfailures = 0",
            "0",
            "health.failures must be from 1 to 1000",
            "",
        ),
        (
            "[drain]\nidle = \"0s\"",
            "\"0s\"",
            "drain.idle must be longer than 0",
            "",
        ),
        (
            "[rollout]\nmax_surge = 0",
            "[rollout]",
            "with max_surge and max_unavailable both 0 no replica can be replaced",
            "max_surge = 1",
        ),
        (
            "[rollout]\nsteps = [{ weight = 100 }]",
            "[{ weight = 100 }]",
            "only a canary has steps",
            "strategy = \"canary\", or leave the steps out",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 50 }, { weight = 50 }, { weight = 100 }]",
            "50",
            "weights must rise: 50 % does not come after 50 %",
            "",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 0 }, { weight = 100 }]",
            "0",
            "weights must rise: 0 % does not come after 0 %",
            "",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 50 }]",
            "{ weight = 50 }",
            "the last step must be weight = 100",
            "add { weight = 100 }",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 100 }, { approve = \"x\" }]",
            "{ approve = \"x\" }",
            "an approval after weight = 100 comes too late: all traffic has moved",
            "",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ approve = \"\" }, { weight = 100 }]",
            "\"\"",
            "rollout.steps.approve must not be empty",
            "",
        ),
        (
            "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 101 }, { weight = 100 }]",
            "101",
            "rollout.steps.weight must be from 0 to 100",
            "",
        ),
        (
            "[[rollout.probe]]\nrequest = { path = \"/\" }\nexpect = { status = 99 }",
            "99",
            "rollout.probe.expect.status must be from 100 to 599",
            "",
        ),
        (
            "[[rollout.probe]]\nrequest = { path = \"/\", method = \"GE T\" }",
            "\"GE T\"",
            "\"GE T\" is not one word of letters, digits and -_.!#$%&'*+^`|~",
            "",
        ),
        (
            "[[rollout.probe]]\nrequest = { path = \"/\", headers = { \"a b\" = \"\" } }",
            "\"a b\"",
            "\"a b\" is not one word of letters, digits and -_.!#$%&'*+^`|~",
            "",
        ),
        (
            "[[rollout.probe]]\nrequest = {}",
            "{}",
            "\"path\" is missing in rollout.probe.request",
            "path: Begins with /.",
        ),
        (
            "[[gate]]\nmetric = \"requests\"",
            "[[gate]]",
            "a gate on requests needs max or min",
            "min = 100",
        ),
        (
            "[[gate]]\nmetric = \"requests\"\nmin = 2\nmax = 1",
            "2",
            "min is larger than max: nothing could pass",
            "",
        ),
        (
            "[[gate]]\nmetric = \"requests\"\nmax = \"1s\"",
            "\"1s\"",
            "a bound on requests is a number, not a duration",
            "",
        ),
        (
            "[[gate]]\nmetric = \"latency_p50\"\nmax = 500",
            "500",
            "a bound on latency_p50 is a duration",
            "write it with a unit, like \"500ms\"",
        ),
        (
            "[[gate]]\nmetric = \"error_rate\"\nmax = 1.5",
            "1.5",
            "an error_rate is a share from 0 to 1",
            "0.01 is one request in a hundred",
        ),
        (
            "[[gate]]\nmetric = \"requests\"\nmax = -1",
            "-1",
            "requests is never below 0",
            "",
        ),
        (
            "[[gate]]\nname = \"a\"\nmetric = \"requests\"\nmax = 1\n[[gate]]\nname = \"a\"\nmetric = \"requests\"\nmax = 1",
            "\"a\"",
            "another gate is called \"a\"",
            "",
        ),
    ]);
}

#[test]
fn the_required_keys() {
    let label = "1 to 40 of a-z, 0-9 and -, with a letter or digit at both ends";
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
            "command =",
            "comand =",
            "comand",
            "unknown key \"comand\" in [run]",
        ),
        (
            "command = [\"./a\"]",
            "",
            "[run]",
            "\"command\" is missing in [run]",
        ),
        (
            "\"a\"",
            "\"a\"\nkind = \"worker\"",
            "\"worker\"",
            "kind = \"worker\" is not supported by the process target yet",
        ),
        (
            "\"a\"",
            "\"a\"\nlabels = { \"-x\" = \"y\" }",
            "\"-x\"",
            "\"-x\" is not 1 to 63 letters, digits, - _ and ., with a letter or digit at both ends",
        ),
    ] {
        let problems = bad(&SMALL.replace(from, to));
        assert_eq!(problems[0].message, message);
        assert_eq!(marked(&problems[0]), caret, "{}", problems[0].render());
        assert_eq!(problems.len(), 1);
    }
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
\"ä\" is not 1 to 40 of a-z, 0-9 and -, with a letter or digit at both ends
 --> agent.toml:2:9
  |
2 |     name = \"ä\" # x
  |            ^^^";
    assert_eq!(problem, wanted);
    let syntax = bad("[agent\nname = 1")[0].render();
    assert!(syntax.contains("--> agent.toml:1:7"), "{syntax}");
}
