//! `agentctl push`: to a digest in the registry, with its tags.

use std::fs;
use std::process::Command;

use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::Wanted;

const PUSHED: &str = "pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST\n";
const THERE: &str = "nothing to build or push: 127.0.0.1:PORT/team/bot@sha256:DIGEST\n";

#[test]
fn an_image_is_pushed_once() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.tags = [\"v1\"]\n") else {
        return;
    };
    shop.run(&["build", "-q"]).ends(0);
    let told = "\
TIME  push  LAYER
TIME  push  ✓ LAYER  T
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT, v1
";
    shop.run(&["push"]).exactly(0, "", told);
    shop.run(&["push"]).exactly(0, "", THERE);
    let tags = shop.in_registry();
    assert_eq!((tags.len(), tags[1].as_str()), (2, "v1"));
}

/// Whoever has an engine without it needs no build either.
#[test]
fn what_the_registry_has_is_not_built() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.run(&["push", "-q"]).ends(0);
    shop.forget();
    shop.run(&["push"]).exactly(0, "", THERE);
    let there =
        "nothing to build: the registry has 127.0.0.1:PORT/team/bot:sha-CONTENT (sha256:DIGEST)\n";
    shop.run(&["build"]).exactly(0, "", there);
    assert_eq!(shop.in_engine(), Vec::<String>::new());
}

#[test]
fn a_push_for_programs_names_the_digest() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.run(&["build", "-q"]).ends(0);
    let result = r#"{"v":1,"result":{"outcome":"pushed","exit":0,"image":"127.0.0.1:PORT/team/bot@sha256:DIGEST","digest":"sha256:DIGEST","tags":["sha-CONTENT"]}}"#;
    let told = format!(
        "{}\n{}\n{result}\n",
        r#"{"v":1,"push":{"step":0,"begun":"LAYER"}}"#,
        r#"{"v":1,"push":{"step":0,"ended":"done"}}"#
    );
    let json = ["push", "--output", "json"];
    shop.run(&json).exactly(0, &told, "");
    let again = result.replace("\"pushed\"", "\"unchanged\"") + "\n";
    shop.run(&json).exactly(0, &again, "");
}

#[test]
fn a_new_tag_moves_no_bytes() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.tags = [\"v1\"]\n") else {
        return;
    };
    shop.run(&["push", "-q"]).ends(0);
    shop.forget();
    shop.spec("image.tags = [\"v1\", \"v2\"]\n");
    let told = format!("{THERE}tagged: v2\n");
    shop.run(&["push"]).exactly(0, "", &told);
    assert_eq!(shop.in_registry()[1..], ["v1", "v2"]);
}

/// As somebody whose machine has no settings of their own.
#[track_caller]
fn git(shop: &Workshop, args: &str) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    let ran = Command::new("git")
        .args(who)
        .args(args.split(' '))
        .current_dir(shop.place.path("."))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

#[test]
fn tags_tell_version_commit_branch_and_day() {
    let more = "agent.version = \"1.2.0\"\n\
                image.tags = [\"v{version}\", \"{git_sha}\", \"{branch}\", \"{date}\"]\n";
    let Some(shop) = Workshop::open(Wanted::default(), more) else {
        return;
    };
    git(&shop, "init -q -b feature/x");
    git(&shop, "add .");
    git(&shop, "commit -q -m first");
    let commit = git(&shop, "rev-parse HEAD");
    shop.run(&["push"]).ends(0);
    let tags = shop.in_registry();
    assert_eq!(tags.len(), 5, "{tags:?}");
    for tag in [&commit[..12], "feature-x", "v1.2.0"] {
        assert!(
            tags.iter().any(|one| one == tag),
            "{tag} is not in {tags:?}"
        );
    }
    let is_day = |tag: &String| tag.len() == 8 && tag.starts_with("20");
    assert!(tags.iter().any(is_day), "{tags:?}");
    let labels = labels(&shop);
    assert_eq!(labels["dev.agentctl.dirty"], "false");
    assert_eq!(labels["org.opencontainers.image.revision"], commit);
    assert_eq!(labels["org.opencontainers.image.version"], "1.2.0");

    shop.place.write("text", "changed\n");
    shop.forget();
    shop.run(&["push"]).ends(0);
    let tags = shop.in_registry();
    for tag in [&commit[..12], "feature-x", "v1.2.0"] {
        let dirty = format!("{tag}-dirty");
        assert!(tags.contains(&dirty), "{dirty} is not in {tags:?}");
    }
    assert_eq!(self::labels(&shop)["dev.agentctl.dirty"], "true");
}

/// As a hook of another repository runs it, and in a checkout that is somebody else's.
#[test]
fn git_is_asked_of_this_folder_and_of_no_other() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.tags = [\"{git_sha}\"]\n") else {
        return;
    };
    git(&shop, "init -q -b main");
    shop.place.write(".gitignore", "text\n");
    git(&shop, "add .");
    git(&shop, "commit -q -m first");
    let commit = git(&shop, "rev-parse --short=12 HEAD");
    let ran = shop.run_with("GIT_DIR", "/nowhere", &["build"]).ends(0);
    ran.says("the image has text, which git ignores: no commit says");
    let name = format!("{}:{commit}", shop.repository());
    assert!(shop.in_engine().contains(&name), "{:?}", shop.in_engine());

    let not_ours = |shop: &Workshop| {
        let mut command = shop.command(&["build", "-q"]);
        command.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
        shop.place.finish(command.env("GIT_CONFIG_NOSYSTEM", "1"))
    };
    let ran = not_ours(&shop).ends(2);
    let ran = ran.says("of image.tags wants {git_sha}, and nothing tells it");
    ran.says("hint: git config --global --add safe.directory ");
    shop.spec("");
    shop.forget();
    shop.place.write("text", shop.unique(1));
    let ran = not_ours(&shop).ends(0);
    ran.says("warning: git could not look at ");
    assert_eq!(labels(&shop).get("dev.agentctl.dirty"), None);
}

/// Of the one image that the engine has.
fn labels(shop: &Workshop) -> serde_json::Value {
    let names = shop.in_engine();
    let format = "{{json .Config.Labels}}";
    let text = engine::docker(&["image", "inspect", "--format", format, &names[0]]);
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[test]
fn the_result_alone_is_said_quietly() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let told = PUSHED.to_owned() + "tags: sha-CONTENT\n";
    shop.run(&["push", "-q"]).exactly(0, "", &told);
}

/// What its own label says of the image that a tag leads to.
fn content_of(shop: &Workshop, tag: &str) -> String {
    let registry = "data/docker/registry/v2";
    let blob = |digest: &str| {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let path = format!("{registry}/blobs/sha256/{}/{hex}/data", &hex[..2]);
        let bytes = fs::read(shop.registry.path(&path)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    let link = format!("{registry}/repositories/team/bot/_manifests/tags/{tag}/current/link");
    let digest = fs::read_to_string(shop.registry.path(&link)).unwrap();
    let config = blob(&digest)["config"]["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let labels = &blob(&config)["config"]["Labels"];
    labels["dev.agentctl.content"].as_str().unwrap().to_owned()
}

/// Two that share a repository and a tag: each content tag leads to what it names.
#[test]
fn pushes_beside_each_other_do_not_mix() {
    let more = "image.tags = [\"latest\"]\n";
    let Some(shop) = Workshop::open(Wanted::default(), more) else {
        return;
    };
    for name in ["agent.toml", "Dockerfile", ".dockerignore"] {
        let text = shop.place.read(name);
        shop.place.write(&format!("beside/{name}"), text);
    }
    for round in 1..=3 {
        shop.place.write("text", shop.unique(round));
        shop.place.write("beside/text", shop.unique(round));
        let pushes =
            ["agent.toml", "beside/agent.toml"].map(|file| shop.start(&["push", "-q", "-f", file]));
        for push in pushes {
            push.wait().ends(0).says("pushed");
        }
    }
    let tags = shop.in_registry();
    let contents: Vec<_> = tags.iter().filter(|tag| tag.starts_with("sha-")).collect();
    assert_eq!(contents.len(), 6);
    for tag in contents {
        assert_eq!(&content_of(&shop, tag), tag);
    }
}

/// The image is there by its contents; the rest is done by the same command once it can be.
#[test]
fn a_name_that_the_registry_does_not_take_is_said() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.spec("image.tags = [\"v1\", \"v2\", \"v3\"]\n");
    let tags = "data/docker/registry/v2/repositories/team/bot/_manifests/tags";
    let tags = shop.registry.path(tags);
    fs::create_dir_all(&tags).unwrap();
    fs::write(tags.join("v2"), "").unwrap();
    shop.run(&["push", "-q"])
        .ends(2)
        .says(" is in the registry, but not by the name v2, v3\n")
        .says("hint: ");
    fs::remove_file(tags.join("v2")).unwrap();
    shop.run(&["push", "-q"]).ends(0).says("nothing to build");
    assert_eq!(shop.in_registry()[1..], ["v1", "v2", "v3"]);
}
