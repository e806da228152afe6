//! `agentctl images list` and `prune`: what a registry holds, and what may go.

use std::path::Path;
use std::process::Command;

use super::workshop::Workshop;
use crate::support::registry::Wanted;

/// `count` images, the newest last; each has a tag `v1`, `v2`, … and the last one `latest` too.
fn pushed(shop: &Workshop, count: usize, more: &str) {
    for number in 1..=count {
        let latest = if number == count { ", \"latest\"" } else { "" };
        shop.spec(&format!("image.tags = [\"v{number}\"{latest}]\n{more}"));
        shop.place.write("text", shop.unique(number));
        shop.run(&["push", "-q"]).ends(0);
    }
}

#[test]
fn a_registry_without_images_has_none() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let none = "127.0.0.1:PORT/team/bot has no image that agentctl pushed\n";
    shop.run(&["images", "list"]).exactly(0, none, "");
    shop.run(&["images", "prune", "--dry-run"])
        .exactly(0, none, "");
    shop.run(&["images", "prune"])
        .exactly(0, "", "nothing to delete in 127.0.0.1:PORT/team/bot\n");
}

/// Its configuration is gone from the registry's disk.
#[test]
fn a_broken_image_hinders_no_other() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    pushed(&shop, 3, "image.keep = 1\n");
    let tag = "data/docker/registry/v2/repositories/team/bot/_manifests/tags/v2/current/link";
    let digest = std::fs::read_to_string(shop.registry.path(tag)).unwrap();
    let blob = |digest: &str| {
        let hex = digest.trim().strip_prefix("sha256:").unwrap().to_owned();
        let folder = format!("data/docker/registry/v2/blobs/sha256/{}/{hex}", &hex[..2]);
        shop.registry.path(&folder).join("data")
    };
    let manifest = std::fs::read_to_string(blob(&digest)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    std::fs::remove_file(blob(manifest["config"]["digest"].as_str().unwrap())).unwrap();

    let ran = shop.run(&["images", "list"]).ends(0).says("latest, v3");
    ran.says("warning: could not read sha-").says(", v2: ");
    let ran = shop.run(&["images", "prune", "--keep", "v3"]).ends(0);
    let ran = ran.says("warning: could not read sha-");
    ran.says("1 image deleted");
    let left = shop.in_registry();
    assert!(left.contains(&"v2".to_owned()), "{left:?}");
    assert!(!left.contains(&"v1".to_owned()), "{left:?}");
}

/// It may be one more name of what would go.
#[test]
fn a_tag_that_cannot_be_read_keeps_all() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    pushed(&shop, 2, "image.keep = 1\n");
    let tags = "data/docker/registry/v2/repositories/team/bot/_manifests/tags/old/current";
    let tag = shop.registry.path(tags);
    std::fs::create_dir_all(&tag).unwrap();
    std::fs::write(tag.join("link"), "garbage").unwrap();
    let before = shop.in_registry();
    let ran = shop.run(&["images", "list"]).ends(0).says("latest, v2");
    ran.says("warning: could not read old: ");
    let ran = shop.run(&["images", "prune", "--keep", "v2"]).ends(2);
    ran.says("error: nothing was deleted: old cannot be read")
        .says("hint: push it anew");
    assert_eq!(shop.in_registry(), before);
}

#[test]
fn twenty_images_become_three() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    pushed(&shop, 20, "image.keep = 3\n");
    let line = |tags: &str, kept: &str| format!("DATE  sha-CONTENT  {tags}{kept}\n");
    let row = |number: usize, kept: &str| match number {
        20 => line("latest, v20", kept),
        number => line(&format!("v{number}"), kept),
    };
    let head = "created  image  tags\n";
    let all: String = (1..=20).rev().map(|number| row(number, "")).collect();
    shop.run(&["images", "list"])
        .exactly(0, &format!("{head}{all}"), "");

    // By another of its tags, an image in use is as safe.
    let keep = ["images", "prune", "--keep", "v7", "--dry-run"];
    let fate = |number| match number {
        18.. => "  kept",
        7 => "  kept: in use",
        _ => "  goes",
    };
    let fates: String = (1..=20)
        .rev()
        .map(|number| row(number, fate(number)))
        .collect();
    shop.run(&keep).exactly(0, &format!("{head}{fates}"), "");
    assert_eq!(shop.in_registry().len(), 41);

    let before = size(&shop.registry.path("data"));
    let gone = (1..=17).rev().filter(|number| *number != 7);
    let told: String = gone
        .map(|number| format!("deleted sha-CONTENT, v{number}\n"))
        .collect();
    let says = "16 images deleted from 127.0.0.1:PORT/team/bot\n";
    shop.run(&keep[..4]).exactly(0, "", &(told + says));
    let tags = shop.in_registry();
    assert_eq!(tags.len(), 9, "{tags:?}");
    assert_eq!(tags[0], "latest");
    assert_eq!(tags[5..], ["v18", "v19", "v20", "v7"]);
    shop.run(&keep[..4])
        .exactly(0, "", "nothing to delete in 127.0.0.1:PORT/team/bot\n");

    collect_garbage(&shop);
    let after = size(&shop.registry.path("data"));
    assert!(after * 2 < before, "{before} bytes became {after}");
    shop.run(&["push"]).says("nothing to build or push").ends(0);
}

/// What no manifest names goes only now, with Docker's registry.
fn collect_garbage(shop: &Workshop) {
    let ran = Command::new("docker-registry")
        .arg("garbage-collect")
        .arg(shop.registry.path("config.yml"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// Bytes of all files below.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap());
    let sizes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => size(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    sizes.sum()
}

#[test]
fn an_image_goes_with_all_its_tags_or_not_at_all() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let keep = "image.keep = 1\n";
    shop.spec(&format!("image.tags = [\"v1\", \"stable\"]\n{keep}"));
    shop.run(&["push", "-q"]).ends(0);
    shop.spec(&format!("image.tags = [\"v2\"]\n{keep}"));
    shop.place.write("text", shop.unique(2));
    shop.run(&["push", "-q"]).ends(0);
    for tag in ["stable", "v1"] {
        shop.run(&["images", "prune", "--keep", tag]).exactly(
            0,
            "",
            "nothing to delete in 127.0.0.1:PORT/team/bot\n",
        );
    }
    shop.run(&["images", "prune"]).exactly(
        0,
        "",
        "\
deleted sha-CONTENT, stable, v1
1 image deleted from 127.0.0.1:PORT/team/bot
",
    );
    assert_eq!(shop.in_registry()[1..], ["v2"]);
    shop.run(&["images", "prune", "--keep", "v1"]).exactly(
        2,
        "",
        "\
error: 127.0.0.1:PORT/team/bot has no v1
hint: see what is there: agentctl images list
",
    );
    for none in ["sha256:12ab", "team/bot:v2"] {
        let refused = format!(
            "\
error: no image is kept by \"{none}\"
  caused by: \"{none}\" is no digest like sha256:… with 64 digits
hint: --keep TAG, or --keep sha256:… with all of its 64 digits
"
        );
        shop.run(&["images", "prune", "--keep", none])
            .exactly(2, "", &refused);
    }
}

#[test]
fn what_is_shown_to_programs() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    pushed(&shop, 2, "image.keep = 1\n");
    let image = |tags: &str, kept: &str| {
        format!(
            r#"{{"digest":"sha256:DIGEST","content":"sha-CONTENT","tags":[{tags}],"created":"MOMENT","kept":{kept}}}"#
        )
    };
    let all = |new: &str, old: &str| {
        let images = [image(r#""latest","v2""#, new), image(r#""v1""#, old)].join(",");
        format!("{{\"v\":1,\"repository\":\"127.0.0.1:PORT/team/bot\",\"images\":[{images}]}}\n")
    };
    let run = |args: &[&str]| shop.run(&[args, &["--output", "json"]].concat());
    run(&["images", "list"]).exactly(0, &all("\"\"", "\"\""), "");
    run(&["images", "prune", "--dry-run"]).exactly(0, &all("\"kept\"", "null"), "");
    let gone = "{\"v\":1,\"result\":{\"outcome\":\"pruned\",\"exit\":0,\"deleted\":[\"sha256:DIGEST\"]}}\n";
    run(&["images", "prune"]).exactly(0, gone, "");
}

#[test]
fn what_runs_elsewhere_has_to_be_named() {
    let elsewhere = "[environments.prod]\ntarget.kubernetes = {}\n";
    let Some(shop) = Workshop::open(Wanted::default(), elsewhere) else {
        return;
    };
    let nowhere = |args: &[&str]| {
        let mut command = shop.place.command(args);
        shop.place.finish(command.env("KUBECONFIG", "/nowhere"))
    };
    nowhere(&["images", "prune"])
        .ends(2)
        .says("error: could not tell which images are in use in prod\n")
        .says("hint: name what runs there, and what may be gone back to: --keep TAG");
    nowhere(&["images", "prune", "--dry-run"])
        .ends(0)
        .says("warning: could not tell which images are in use in prod");
    // An environment that agent.toml has no more may still run.
    let target = r#"{"kubernetes":{"namespace":"bots"}}"#;
    shop.place
        .write("state/agentctl/bot.old/target.json", target);
    shop.spec("");
    nowhere(&["images", "prune"])
        .ends(2)
        .says("error: could not tell which images are in use in old\n");
}

/// The engine that a laptop reaches may be another than the one that the agent runs on.
#[test]
fn an_engine_that_never_had_the_agent_says_nothing_of_what_is_in_use() {
    let elsewhere = "[environments.prod]\ntarget.docker = {}\n";
    let Some(shop) = Workshop::open(Wanted::default(), elsewhere) else {
        return;
    };
    pushed(&shop, 2, &format!("image.keep = 1\n{elsewhere}"));
    let refused = "\
error: could not tell which images are in use in prod
  caused by: the engine that is reached from here has had nothing of this agent from a registry, and agent.toml names no host
hint: name what runs there, and what may be gone back to: --keep TAG or --keep DIGEST, once for each
";
    shop.run(&["images", "prune"]).exactly(2, "", refused);
    shop.run(&["images", "prune", "--keep", "v1"]).exactly(
        0,
        "",
        "nothing to delete in 127.0.0.1:PORT/team/bot\n",
    );
    let named = elsewhere.replace("{}", "{ host = \"unix:///var/run/docker.sock\" }");
    shop.spec(&format!("image.keep = 1\n{named}"));
    shop.run(&["images", "prune"])
        .ends(0)
        .says("1 image deleted");
}

#[test]
fn a_registry_that_keeps_all_is_named() {
    let wanted = Wanted {
        keeps_all: true,
        ..Wanted::default()
    };
    let Some(shop) = Workshop::open(wanted, "") else {
        return;
    };
    pushed(&shop, 2, "image.keep = 1\n");
    shop.run(&["images", "prune"]).exactly(
        2,
        "",
        "\
error: the registry 127.0.0.1:PORT forbids deletion
  caused by: unsupported: The operation is unsupported.
hint: Docker's own: start it with REGISTRY_STORAGE_DELETE_ENABLED=true; others have rules of their own for what is kept
",
    );
    assert_eq!(shop.in_registry().len(), 5);
}

/// Older than the one after it, and what a pull by its name gets.
#[test]
fn what_bears_todays_names_is_kept() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let keep = "image.keep = 1\n";
    let named = format!("image.tags = [\"stable\"]\n{keep}");
    shop.spec(&named);
    shop.run(&["push", "-q"]).ends(0);
    shop.spec(keep);
    shop.place.write("text", shop.unique(2));
    shop.run(&["push", "-q"]).ends(0);
    shop.spec(&named);
    shop.run(&["images", "prune"])
        .exactly(0, "", "nothing to delete in 127.0.0.1:PORT/team/bot\n");
    shop.spec(keep);
    shop.run(&["images", "prune"]).ends(0).says(", stable\n");
}

/// All of its layers are of a build from before, and so is the date of its configuration.
#[test]
fn what_was_built_just_now_is_the_newest_whatever_the_cache_gave() {
    let keep = "image.keep = 1\n";
    let Some(shop) = Workshop::open(Wanted::default(), keep) else {
        return;
    };
    let first = shop.unique(1);
    for text in [&first, &shop.unique(2)] {
        shop.place.write("text", text);
        shop.run(&["push", "-q"]).ends(0);
    }
    shop.spec(&format!("image.tags = [\"again\"]\n{keep}"));
    shop.place.write("text", &first);
    let dockerfile = "FROM scratch\nCOPY text /\nCMD [\"/again\"]\n";
    shop.place.write("Dockerfile", dockerfile);
    shop.run(&["push", "-q"]).ends(0);
    let head = "created  image  tags\n";
    let rows = "\
DATE  sha-CONTENT  again  kept
DATE  sha-CONTENT         goes
DATE  sha-CONTENT         goes
";
    shop.run(&["images", "prune", "--dry-run"])
        .exactly(0, &format!("{head}{rows}"), "");
    // In another tree, it is the newest too.
    shop.spec(keep);
    shop.place.write("text", shop.unique(3));
    shop.run(&["images", "prune"])
        .ends(0)
        .says("2 images deleted");
    assert_eq!(shop.in_registry()[0], "again");
}

/// It was built before the others, pushed again, and nothing had to be done for that.
#[test]
fn what_this_tree_would_deploy_is_kept() {
    let keep = "image.keep = 1\n";
    let Some(shop) = Workshop::open(Wanted::default(), keep) else {
        return;
    };
    let first = shop.unique(1);
    for text in [&first, &shop.unique(2), &shop.unique(3)] {
        shop.place.write("text", text);
        shop.run(&["push", "-q"]).ends(0);
    }
    shop.place.write("text", &first);
    shop.run(&["push"]).ends(0).says("nothing to build or push");
    let rows = "\
created  image
DATE  sha-CONTENT  kept
DATE  sha-CONTENT  goes
DATE  sha-CONTENT  kept: what this tree would deploy
";
    shop.run(&["images", "prune", "--dry-run"])
        .exactly(0, rows, "");
    shop.run(&["images", "prune"])
        .ends(0)
        .says("1 image deleted");
    shop.run(&["push"]).ends(0).says("nothing to build or push");
    // Where no tree can be built, nothing is kept for it.
    std::fs::remove_file(shop.place.path("Dockerfile")).unwrap();
    shop.run(&["images", "prune"])
        .ends(0)
        .says("warning: could not tell which image this tree makes, so none is kept for it: ")
        .says("1 image deleted");
}
