use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;
use crate::spec::Resources;

const ALL: [Preset; 6] = [
    Preset::Redis,
    Preset::Postgres,
    Preset::Qdrant,
    Preset::Rabbitmq,
    Preset::Vllm,
    Preset::Tgi,
];

fn of(preset: Preset) -> Service {
    Service {
        preset: Some(preset),
        model: Some("team/name".to_owned()),
        ..Service::default()
    }
}

fn words(beside: &Beside) -> String {
    beside.command.join(" ")
}

#[test]
fn each_has_a_version_and_a_user_of_its_own() {
    for preset in ALL {
        let service = of(preset);
        let beside = preset_of(preset, "it", &service);
        let (_, tag) = beside.image.rsplit_once(':').unwrap();
        assert!(tag.contains(|c: char| c.is_ascii_digit()), "{preset:?}");
        assert!(beside.user > 0 && !beside.command.is_empty(), "{preset:?}");
        assert!(!beside.healthy.is_empty(), "{preset:?}");
        let data = &beside.data.as_ref().unwrap().path;
        assert!(!beside.writable.contains(&data.as_str()), "{preset:?}");
    }
}

#[test]
fn a_port_of_ones_own_is_told_and_asked() {
    for preset in ALL {
        let service = Service {
            port: Some(4242),
            ..of(preset)
        };
        let beside = preset_of(preset, "it", &service);
        let env: Vec<String> = beside.env.values().map(Template::to_string).collect();
        let told = words(&beside) + &env.join(" ");
        assert!(told.contains("4242"), "{preset:?}: {told}");
        let asked = beside.healthy.join(" ");
        let by_itself = preset == Preset::Rabbitmq;
        assert!(by_itself || asked.contains("4242"), "{preset:?}: {asked}");
    }
}

#[test]
fn models_are_spread_over_their_processors() {
    for (preset, flag) in [
        (Preset::Vllm, "--tensor-parallel-size 4"),
        (Preset::Tgi, "--num-shard 4"),
    ] {
        let service = Service {
            gpus: Some(4),
            ..of(preset)
        };
        let beside = preset_of(preset, "it", &service);
        assert!(words(&beside).contains(flag), "{}", words(&beside));
        assert_eq!(beside.gpus, Some(4));
        assert_eq!(beside.secret, None);
        assert!(beside.shared_memory.is_some() && beside.startup >= 3600);
    }
}

#[test]
fn what_agent_toml_says_wins() {
    let service = Service {
        image: Some("mine:1".to_owned()),
        command: vec!["run".to_owned()],
        healthy: vec!["ask".to_owned()],
        user: Some(7),
        data: Some("/elsewhere".to_owned()),
        writable: vec!["/tmp".to_owned(), "/run/x".to_owned()],
        env: BTreeMap::from([("PGDATA".to_owned(), Template::parse("/own").unwrap())]),
        ..of(Preset::Postgres)
    };
    let beside = preset_of(Preset::Postgres, "it", &service);
    assert_eq!(beside.image, "mine:1");
    assert_eq!((words(&beside), beside.user), ("run".to_owned(), 7));
    assert_eq!(beside.env["PGDATA"].to_string(), "/own");
    assert_eq!(beside.writable, ["/tmp", "/var/run/postgresql", "/run/x"]);
}

#[test]
fn a_tool_runs_as_the_agent_does() {
    let text = "[agent]\nname = \"a\"\n[image]\nimage = \"a:1\"\n[run]\nuser = 77\n\
                [tools.t]\nimage = \"t:1\"\nmode = \"service\"\n";
    let spec = Spec::load(text, "agent.toml", None, &|_| None)
        .unwrap()
        .spec;
    let beside = tool("t", &spec.tools["t"], &spec);
    assert_eq!((beside.user, beside.port), (77, 3000));
    assert_eq!(beside.resources, &Resources::default());
}

/// What redis-server would read: the script itself, with a server that shows what it is given.
#[test]
fn redis_reads_its_password_from_stdin_alone() {
    let service = Service {
        secret: Some("KEY".to_owned()),
        ..of(Preset::Redis)
    };
    let beside = preset_of(Preset::Redis, "it", &service);
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("redis-server");
    fs::write(&server, "#!/bin/sh\necho \"$@\"\ncat\n").unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    for (password, quoted) in [
        ("plain", "plain"),
        ("a b\"c\\d", "a b\\\"c\\\\d"),
        ("$HOME `x` & /", "$HOME `x` & /"),
    ] {
        let ran = Command::new("/bin/sh")
            .args(&beside.command[1..])
            .env_clear()
            .env("PATH", &path)
            .env("REDISCLI_AUTH", password)
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let options = "- --port 6379 --dir /data --appendonly no --protected-mode no";
        assert_eq!(said, format!("{options}\nrequirepass \"{quoted}\"\n"));
    }
}

#[test]
fn the_page_about_it_has_the_same_table() {
    let page = include_str!("../../../docs/compose.md");
    for (name, preset) in ["redis", "postgres", "qdrant", "rabbitmq", "vllm", "tgi"]
        .into_iter()
        .zip(ALL)
    {
        let known = known(preset);
        let (image, port, user, data) = (known.image, known.port, known.user, known.data);
        let row = format!("| {name} | `{image}` | {port} | {user} | `{data}` |");
        assert!(page.contains(&row), "{row}");
    }
}
