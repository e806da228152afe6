//! `agentctl build`: what it prints, and what the engine has afterwards.

use std::process::Command;

use super::workshop::{Workshop, json, sorted};
use crate::support::engine;
use crate::support::registry::Wanted;

const BUILT: &str = "built 127.0.0.1:PORT/team/bot:sha-CONTENT\n";
const THERE: &str = "nothing to build: the engine has 127.0.0.1:PORT/team/bot:sha-CONTENT\n";

#[test]
fn buildkit_builds_an_image_once() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let first = shop.run(&["build"]).ends(0);
    let steps = "\
TIME  build  [1/1] COPY text /
TIME  build  [internal] load .dockerignore
TIME  build  [internal] load build context
TIME  build  [internal] load build definition from Dockerfile
TIME  build  exporting cache
TIME  build  exporting to image
TIME  build  ✓ [1/1] COPY text /  T
TIME  build  ✓ [internal] load .dockerignore  T
TIME  build  ✓ [internal] load build context  T
TIME  build  ✓ [internal] load build definition from Dockerfile  T
TIME  build  ✓ exporting cache  T
TIME  build  ✓ exporting to image  T
built 127.0.0.1:PORT/team/bot:sha-CONTENT
";
    assert_eq!(sorted(&first), steps);
    shop.run(&["build"]).exactly(0, "", THERE);
    assert_eq!(shop.in_engine().len(), 1);
    assert_eq!(shop.in_registry(), Vec::<String>::new());
}

#[test]
fn the_classic_builder_builds_the_same_image() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let steps = "\
TIME  build  FROM scratch
TIME  build  ✓ FROM scratch  T
TIME  build  COPY text /
TIME  build  ✓ COPY text /  T
TIME  build  LABEL dev.agentctl.agent=bot
TIME  build  ✓ LABEL dev.agentctl.agent=bot  T
TIME  build  LABEL dev.agentctl.content=sha-CONTENT
TIME  build  ✓ LABEL dev.agentctl.content=sha-CONTENT  T
TIME  build  LABEL dev.agentctl.version=0.1.0
TIME  build  ✓ LABEL dev.agentctl.version=0.1.0  T
TIME  build  LABEL org.opencontainers.image.created=MOMENT
TIME  build  ✓ LABEL org.opencontainers.image.created=MOMENT  T
TIME  build  LABEL org.opencontainers.image.title=bot
TIME  build  ✓ LABEL org.opencontainers.image.title=bot  T
built 127.0.0.1:PORT/team/bot:sha-CONTENT
";
    shop.run_with("DOCKER_BUILDKIT", "0", &["build"])
        .exactly(0, "", steps);
    shop.run(&["build"]).exactly(0, "", THERE);
}

#[test]
fn a_build_for_programs_is_a_line_each() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.tags = [\"v1\"]\n") else {
        return;
    };
    let ran = shop.run(&["build", "--output", "json"]).ends(0);
    assert_eq!(ran.stderr, "");
    let lines = json(&ran);
    assert!(
        lines
            .iter()
            .any(|line| line.contains(r#""begun":"[1/1] COPY text /""#))
    );
    let last = r#"{"v":1,"result":{"outcome":"built","exit":0,"image":"127.0.0.1:PORT/team/bot:sha-CONTENT","tags":["v1"]}}"#;
    assert_eq!(lines.last().unwrap(), last);
    let again = shop.run(&["build", "--output", "json"]);
    again.exactly(0, &(last.replace("built", "unchanged") + "\n"), "");
    let names = shop.in_engine();
    assert!(names[1].ends_with("/team/bot:v1"), "{names:?}");
}

#[test]
fn quietly_only_the_result_is_said() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.run(&["build", "-q"]).exactly(0, "", BUILT);
}

#[test]
fn one_platform_of_those_named() {
    let more = "build.platforms = [\"linux/amd64\", \"linux/arm64\"]\n";
    let Some(shop) = Workshop::open(Wanted::default(), more) else {
        return;
    };
    shop.run(&["build"]).exactly(
        2,
        "",
        "\
error: an image is for one platform, and build.platforms names linux/amd64, linux/arm64
hint: --platform linux/amd64, or --platform linux/arm64
",
    );
    shop.run(&["build", "--platform", "linux/s390x"]).exactly(
        2,
        "",
        "\
error: linux/s390x is none of build.platforms
hint: --platform linux/amd64, or --platform linux/arm64
",
    );
    shop.nothing_was_made();
    let build = |platform| shop.run(&["build", "-q", "--platform", platform]);
    build("linux/arm64").exactly(0, "", BUILT);
    let names = shop.in_engine();
    let format = "{{.Os}}/{{.Architecture}}";
    let made = engine::docker(&["image", "inspect", "--format", format, &names[0]]);
    assert_eq!(made.as_deref(), Ok("linux/arm64"));
    build("linux/amd64").exactly(0, "", BUILT);
    assert_eq!(shop.in_engine().len(), 2);
}

fn private_key() -> Vec<u8> {
    let mut openssl = Command::new("openssl");
    let made = openssl.args(["genpkey", "-algorithm", "ed25519"]).output();
    made.unwrap().stdout
}

const ALLOWED: &str = "[[build.allow]]\npath = \"text\"\nreason = \"a key for tests\"\n";

#[test]
fn a_secret_stays_here_unless_it_is_allowed() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.place.write("text", private_key());
    let refused = "\
error: these files would take secrets into the image:
  text:1: a private key
hint: list them in .dockerignore; for one that is no secret: [[build.allow]] with path = \"text\" and a reason
";
    for args in [&["images", "scan"][..], &["build"], &["push"]] {
        shop.run(args).exactly(2, "", refused);
    }
    let ran = shop.run(&["images", "scan", "--output", "json"]).ends(2);
    let findings = &ran.json()[0]["error"]["findings"];
    let wanted = serde_json::json!([{"file": "text", "line": 1, "what": "a private key"}]);
    assert_eq!(findings, &wanted);
    shop.nothing_was_made();
    shop.spec(ALLOWED);
    shop.run(&["images", "scan"])
        .exactly(0, "", "no secrets in 1 files and folders\n");
    shop.run(&["build", "-q"]).exactly(0, "", BUILT);
    shop.place.write("text", "nothing\n");
    let unused = "warning: build.allow names text, where nothing is found\n";
    shop.run(&["images", "scan"]).exactly(
        0,
        "",
        &(unused.to_owned() + "no secrets in 1 files and folders\n"),
    );
    let clean = "{\"v\":1,\"result\":{\"outcome\":\"clean\",\"exit\":0,\"entries\":1}}\n";
    shop.run(&["images", "scan", "--output", "json"])
        .exactly(0, clean, unused);
}

/// As the service writes its keys; no line of this file holds one.
fn key() -> String {
    format!("ghp_{}", "a1B2c3D4e5F6".repeat(3))
}

/// They are no files of the context, and leave the machine all the same.
#[test]
fn keys_in_a_dockerfile_and_in_arguments_stay_here() {
    let more = format!("build.args.URL = \"https://a.io/{}\"\n", key());
    let Some(shop) = Workshop::open(Wanted::default(), &more) else {
        return;
    };
    let args = "\
error: build.args.URL holds a token of GitHub, which the image would keep
 --> agent.toml:5:18
  = hint: secrets = [\"URL\"] under [build]; for what is no secret, [[build.allow]] with path = \"build.args.URL\" and a reason
";
    shop.run(&["push"]).exactly(2, "", args);
    shop.spec("");
    let text = format!("FROM scratch\nCOPY text /\nRUN get --token {}\n", key());
    shop.place.write("Dockerfile", text);
    let own = "\
error: these files would take secrets into the image:
  Dockerfile:3: a token of GitHub
hint: give the build what it needs with secrets = [\"NAME\"] under [build], and in the Dockerfile RUN --mount=type=secret,id=NAME; for one that is no secret: [[build.allow]] with path = \"Dockerfile\" and a reason
";
    shop.run(&["push"]).exactly(2, "", own);
    shop.nothing_was_made();
}

/// Two machines may share a registry, and an image is for one of them.
#[test]
fn a_platform_makes_another_image() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let ours = engine::docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]).unwrap();
    shop.run(&["build", "-q"]).exactly(0, "", BUILT);
    shop.run(&["build", "-q", "--platform", &ours])
        .exactly(0, "", THERE);
    shop.run(&["build", "-q", "--platform", "linux/s390x"])
        .exactly(0, "", BUILT);
    assert_eq!(shop.in_engine().len(), 2);
}
