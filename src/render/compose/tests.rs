use serde_json::{Value, json};

use crate::advice::Advice;
use crate::render::fixtures::{input, load, templates};
use crate::render::{Files, Input, yaml};

const SMALL: &str = "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n";

fn files(input: &Input) -> Files {
    super::compose(input, &templates()).unwrap()
}

fn file(input: &Input, name: &str) -> String {
    let files = files(input);
    let found = files.iter().find(|(path, _)| *path == name);
    found.unwrap().1.to_owned()
}

fn document(input: &Input, name: &str) -> Value {
    yaml::parse(&file(input, name)).unwrap().remove(0)
}

fn stack_of(input: &Input) -> Value {
    document(input, "compose.yaml")
}

fn stack(more: &str) -> Value {
    stack_of(&input(&format!("{SMALL}{more}")))
}

/// What is said, and the hint.
fn refused(input: &Input) -> (String, String) {
    let error = super::compose(input, &templates()).unwrap_err();
    let hint = error.downcast_ref::<Advice>().unwrap().hint.clone();
    (error.to_string(), hint)
}

#[track_caller]
fn refuses(more: &str, what: &str, hint: &str) {
    let (said, hinted) = refused(&input(&format!("{SMALL}{more}")));
    assert_eq!(said, what);
    assert!(hinted.contains(hint), "{hinted}");
}

#[test]
fn a_command_is_left_out_only_where_the_image_was_written_for_it() {
    let command = "[run]\ncommand = [\"./bot\", \"${PORT}\"]\n";
    let of = |build: &str| {
        let text = format!("[agent]\nname = \"bot\"\n{build}{command}");
        stack_of(&input(&text))["services"]["bot"]["entrypoint"].clone()
    };
    let given = json!(["./bot", "8000"]);
    assert_eq!(of("[image]\nimage = \"bot:1\"\n"), given);
    assert_eq!(of("[build]\nruntime = \"dockerfile\"\n"), given);
    assert_eq!(of("[build]\nruntime = \"node\"\n"), Value::Null);
}

#[test]
fn an_agent_is_shut_in_and_reached_at_its_port() {
    let stack = stack("[run]\nport = 8080\nwritable = [\"/tmp\", \"/var/x\"]\n");
    let bot = &stack["services"]["bot"];
    assert_eq!(bot["image"], "bot:1");
    assert_eq!(bot["ports"], json!([{ "target": 8080, "published": 8080 }]));
    assert_eq!(bot["user"], "10001:10001");
    assert_eq!(bot["read_only"], true);
    assert_eq!(bot["init"], true);
    assert_eq!(bot["cap_drop"], json!(["ALL"]));
    assert_eq!(bot["security_opt"], json!(["no-new-privileges:true"]));
    let tmpfs = ["/tmp:exec,mode=1777", "/var/x:exec,mode=1777"];
    assert_eq!(bot["tmpfs"], json!(tmpfs));
    assert_eq!(bot["stop_grace_period"], "120s");
    assert_eq!(bot["restart"], "unless-stopped");
    assert_eq!(bot["healthcheck"]["start_period"], "300s");
    assert_eq!(bot["environment"]["AGENT_CONFIG"], "/etc/agent/config.json");
    assert_eq!(stack.as_object().unwrap().len(), 1, "nothing empty is left");
}

#[test]
fn kinds_run_as_they_should() {
    let cases = [
        ("service", "unless-stopped", true),
        ("worker", "unless-stopped", false),
        ("stateful", "unless-stopped", true),
        ("daemon", "unless-stopped", false),
        ("job", "on-failure:2", false),
    ];
    for (kind, restart, called) in cases {
        let text = SMALL.replace("\"bot\"\n", &format!("\"bot\"\nkind = \"{kind}\"\n"));
        let stack = stack_of(&input(&text));
        let bot = &stack["services"]["bot"];
        assert_eq!(bot["restart"], restart, "{kind}");
        assert_eq!(bot.get("ports").is_some(), called, "{kind}");
    }
    let job = SMALL.replace("\"bot\"\n", "\"bot\"\nkind = \"job\"\n");
    let stack = stack_of(&input(&(job + "[run]\nretries = 0\n")));
    assert_eq!(stack["services"]["bot"]["restart"], "no");
}

#[test]
fn amounts_are_written_as_compose_reads_them() {
    let stack = stack(
        "[run]\nresources = { cpu = \"250m\", memory = \"512Mi\", cpu_limit = \"1.5\" }\n\
         gpu = { count = 2 }\n",
    );
    let resources = &stack["services"]["bot"]["deploy"]["resources"];
    let limits = json!({ "cpus": "1.5", "memory": "536870912b" });
    assert_eq!(resources["limits"], limits);
    assert_eq!(resources["reservations"]["cpus"], "0.25");
    let device = json!({ "driver": "nvidia", "count": 2, "capabilities": ["gpu"] });
    assert_eq!(resources["reservations"]["devices"], json!([device]));
}

#[test]
fn several_replicas_have_one_address() {
    let input = input(&format!("{SMALL}[run]\nreplicas = 3\n"));
    let stack = stack_of(&input);
    let bot = &stack["services"]["bot"];
    assert_eq!(bot["deploy"]["replicas"], 3);
    assert_eq!(bot.get("ports"), None);
    assert_eq!(bot["environment"].get("AGENT_REPLICA"), None);
    let front = &stack["services"]["bot-front"];
    assert_eq!(
        front["ports"],
        json!([{ "target": 8000, "published": 8000 }])
    );
    let config = file(&input, "front.conf");
    assert!(config.contains("default bot:8000;"), "{config}");
    assert_eq!(stack["configs"]["front"]["file"], "./front.conf");
}

#[test]
fn secrets_are_references_or_files() {
    let stack = stack(
        "[secrets]\nKEY = { env = \"MY_KEY\" }\nDB = { file = \".secrets/db\" }\n\
         [run.env]\nURL = \"a$b:${secret:KEY}@c\"\nPLAIN = \"$${X}\"\n",
    );
    let reference = "${MY_KEY:?set MY_KEY, it is the secret KEY of agent.toml}";
    let bot = &stack["services"]["bot"];
    let environment = &bot["environment"];
    assert_eq!(environment["KEY"], reference);
    assert_eq!(environment["URL"], format!("a$$b:{reference}@c"));
    assert_eq!(environment["PLAIN"], "$${X}");
    assert_eq!(environment["DB_FILE"], "/run/secrets/DB");
    assert_eq!(environment.get("DB"), None);
    assert_eq!(bot["secrets"], json!(["DB"]));
    assert_eq!(
        stack["secrets"],
        json!({ "DB": { "file": "./.secrets/db" } })
    );
}

#[test]
fn a_preset_gets_its_secret_either_way() {
    let service = "[services.db]\npreset = \"postgres\"\nstorage = \"1Gi\"\nsecret = \"PW\"\n";
    let by_variable = stack(&format!("[secrets]\nPW = {{ env = \"PW\" }}\n{service}"));
    let db = &by_variable["services"]["db"];
    let given = db["environment"]["POSTGRES_PASSWORD"].as_str().unwrap();
    assert!(given.starts_with("${PW:?"), "{given}");
    assert_eq!(db["entrypoint"][0], "docker-entrypoint.sh");

    let by_file = stack(&format!("[secrets]\nPW = {{ file = \"pw\" }}\n{service}"));
    let db = &by_file["services"]["db"];
    let script = "POSTGRES_PASSWORD=$$(cat /run/secrets/PW) && export POSTGRES_PASSWORD && \
                  exec \"$$@\"";
    assert_eq!(db["entrypoint"][2], script);
    assert_eq!(db["entrypoint"][4], "docker-entrypoint.sh");
    assert_eq!(db["healthcheck"]["test"][3], script);
    assert_eq!(db["secrets"], json!(["PW"]));
}

#[test]
fn the_agent_waits_for_what_it_needs() {
    let stack = stack(
        "[services.cache]\npreset = \"redis\"\n[services.other]\nimage = \"o:1\"\nport = 1\n\
         [tools.search]\nimage = \"s:1\"\nmode = \"service\"\n[tools.near]\nimage = \"n:1\"\n",
    );
    let waits = &stack["services"]["bot"]["depends_on"];
    assert_eq!(waits["cache"]["condition"], "service_healthy");
    assert_eq!(waits["other"]["condition"], "service_started");
    assert_eq!(waits["search"]["condition"], "service_started");
    assert_eq!(waits.get("near"), None);
    assert_eq!(stack["services"]["near"]["network_mode"], "service:bot");
    assert_eq!(stack["services"]["search"].get("network_mode"), None);
}

#[test]
fn disks_belong_to_who_writes_to_them() {
    let text = SMALL.replace("\"bot\"\n", "\"bot\"\nkind = \"stateful\"\n")
        + "[run]\nvolumes.notes = { path = \"/notes\", size = \"1Gi\" }\n\
           [services.vec]\npreset = \"qdrant\"\nstorage = \"1Gi\"\n\
           [services.llm]\npreset = \"vllm\"\nmodel = \"a/b\"\n\
           [services.cache]\npreset = \"redis\"\n\
           [sidecars.sync]\nimage = \"s:1\"\nvolumes = [\"notes\"]\n";
    let stack = stack_of(&input(&text));
    let services = &stack["services"];
    let names: Vec<&String> = stack["volumes"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["bot_notes", "llm_data", "vec_data"]);
    let script = services["bot-disks"]["entrypoint"][2].as_str().unwrap();
    assert_eq!(
        script,
        "chown 10001:10001 /disks/bot_notes\nchown 2000:2000 /disks/llm_data\n\
         chown 1000:1000 /disks/vec_data"
    );
    assert_eq!(services["bot-disks"]["cap_add"], json!(["CHOWN"]));
    for name in ["bot", "vec", "llm"] {
        let waits = &services[name]["depends_on"]["bot-disks"]["condition"];
        assert_eq!(waits, "service_completed_successfully", "{name}");
    }
    assert_eq!(services["sync"]["volumes"][0]["target"], "/notes");
    // Without a disk the data goes with the container.
    assert_eq!(services["cache"]["tmpfs"][1], "/data:exec,mode=1777");
    assert_eq!(services["llm"]["shm_size"], 2_147_483_648_u64);
}

#[test]
fn a_collector_stands_beside() {
    let input = input(&format!(
        "{SMALL}[observe]\notel = \"sidecar\"\nexport = \"http://o.example.com:4318/$x\"\n"
    ));
    let stack = stack_of(&input);
    let environment = &stack["services"]["bot"]["environment"];
    let endpoint = "http://bot-collector:4318";
    assert_eq!(environment["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint);
    let config = document(&input, "collector.yaml");
    let sends = &config["exporters"]["otlphttp"]["endpoint"];
    assert_eq!(sends, "http://o.example.com:4318/$$x");
}

#[test]
fn the_port_of_grpc_is_spoken_to_in_grpc() {
    let input = input(&format!(
        "{SMALL}[observe]\notel = \"sidecar\"\nexport = \"http://o.example.com:4317\"\n"
    ));
    let config = document(&input, "collector.yaml");
    let settings = json!({
        "endpoint": "http://o.example.com:4317",
        "tls": { "insecure": true },
    });
    assert_eq!(config["exporters"], json!({ "otlp": settings }));
    let pipeline = &config["service"]["pipelines"]["traces"];
    assert_eq!(pipeline["exporters"], json!(["otlp"]));
}

#[test]
fn paths_are_meant_from_where_the_file_lies() {
    let text = "[agent]\nname = \"bot\"\n[build]\nruntime = \"python\"\ncontext = \"src/app\"\nentry = [\"app\"]\n\
                args = { A = \"x$y\" }\n[secrets]\nDB = { file = \"./pw\" }\nAT = { file = \"/pw\" }\n";
    let mut input = input(text);
    input.stack.home = "../..".to_owned();
    input.stack.back = "deploy/here".to_owned();
    let stack = stack_of(&input);
    let build = &stack["services"]["bot"]["build"];
    assert_eq!(build["context"], "../../src/app");
    assert_eq!(build["dockerfile"], "../../deploy/here/Dockerfile");
    assert_eq!(build["args"]["A"], "x$$y");
    assert_eq!(stack["secrets"]["DB"]["file"], "../../pw");
    assert_eq!(stack["secrets"]["AT"]["file"], "/pw");

    input.spec.build.as_mut().unwrap().context = ".".to_owned();
    input.stack.back = ".".to_owned();
    input.stack.home = ".".to_owned();
    let build = &stack_of(&input)["services"]["bot"]["build"];
    assert_eq!(build["context"], ".");
    assert_eq!(build["dockerfile"], "Dockerfile");

    input.stack.is_ready = true;
    assert_eq!(stack_of(&input)["services"]["bot"].get("build"), None);
}

const ENVIRONMENTS: &str = "[services.a]\npreset = \"redis\"\n\
    [environments.one]\nservices.b = { preset = \"redis\" }\n\
    [environments.two]\nservices.b = { preset = \"redis\" }\ntools.t = { image = \"t:1\" }\n";

fn with_environments(text: &str) -> Input {
    let mut input = input(text);
    for name in ["one", "two"] {
        let spec = load(text, Some(name)).spec;
        input.stack.environments.insert(name.to_owned(), spec);
    }
    input
}

#[test]
fn what_only_environments_add_has_their_profiles() {
    let stack = stack_of(&with_environments(&format!("{SMALL}{ENVIRONMENTS}")));
    let services = &stack["services"];
    assert_eq!(services["a"].get("profiles"), None);
    assert_eq!(services["b"]["profiles"], json!(["one", "two"]));
    assert_eq!(services["t"]["profiles"], json!(["two"]));
    assert_eq!(services["bot"]["depends_on"].get("b"), None);
}

#[test]
fn one_name_for_two_things_is_refused() {
    let text = format!("{SMALL}{ENVIRONMENTS}").replacen(
        "services.b = { preset = \"redis\" }",
        "services.b = { preset = \"redis\", port = 1 }",
        1,
    );
    let (said, hint) = refused(&with_environments(&text));
    assert_eq!(said, "b differs between the environments one and two");
    assert!(hint.contains("-e two"), "{hint}");
}

#[test]
fn a_configuration_that_changes_is_seen() {
    let label = |more: &str| {
        let stack = stack(more);
        stack["services"]["bot"]["labels"]["agentctl.dev/config"].clone()
    };
    let one = label("[config]\nmodel = \"a\"\n");
    assert_eq!(one, label("[config]\nmodel = \"a\"\n"));
    assert_ne!(one, label("[config]\nmodel = \"b\"\n"));
}

#[test]
fn what_compose_cannot_do_is_refused() {
    refuses(
        "[secrets]\nK = { kubernetes = \"a/b\" }\n",
        "Compose reads the secret K from a variable or a file only",
        "secrets.K = { env = \"K\" }",
    );
    refuses(
        "[secrets]\nK = { file = \"k\" }\n[run.env]\nX = \"a${secret:K}\"\n",
        "the secret K is in a file, which Compose cannot put into a variable",
        "K_FILE",
    );
    refuses(
        "[secrets]\nK = { file = \"k\" }\n[run.env]\nK_FILE = \"x\"\n",
        "K_FILE tells where the secret K is, and has another value already",
        "take K_FILE out",
    );
    refuses(
        "[run]\nreplicas = 2\n[tools.t]\nimage = \"t:1\"\n",
        "Compose cannot give each of 2 replicas a sidecar t of its own",
        "mode = \"service\" under [tools.t]",
    );
    refuses(
        "[run]\ngpu = { kind = \"amd.com/gpu\" }\n",
        "Compose reserves whole NVIDIA devices only, not amd.com/gpu",
        "nvidia.com/gpu",
    );
    let cron = SMALL.replace("\"bot\"\n", "\"bot\"\nkind = \"cron\"\n");
    let (said, _) = refused(&input(&(cron + "[run]\nschedule = \"0 6 * * *\"\n")));
    assert!(said.starts_with("Compose has no clock"), "{said}");
    let build = "[agent]\nname = \"bot\"\n[build]\nruntime = \"node\"\nsecrets = [\"TOKEN\"]\n";
    let mut input = input(build);
    assert!(refused(&input).1.contains("--image IMAGE"));
    input.stack.is_ready = true;
    files(&input);
}

#[test]
fn a_disk_for_each_of_several_replicas_is_refused() {
    let text = SMALL.replace("\"bot\"\n", "\"bot\"\nkind = \"stateful\"\n")
        + "[run]\nreplicas = 2\nvolumes.d = { path = \"/d\", size = \"1Gi\" }\n";
    let (said, _) = refused(&input(&text));
    assert_eq!(
        said,
        "Compose cannot give each of 2 replicas a disk d of its own"
    );
}

#[test]
fn what_does_nothing_is_told() {
    let text =
        format!("{SMALL}[network]\nallow = [\"a.example.com:443\"]\nhost = \"bot.example.com\"\n");
    let paths = super::without_effect(&load(&text, None).spec);
    assert_eq!(paths, ["network.allow", "network.host"]);
}
