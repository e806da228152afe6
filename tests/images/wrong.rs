//! What goes wrong on the way to an image: one error with its cause and a hint, exit 2, and
//! nothing is tagged or pushed.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::{env, fs};

use super::workshop::Workshop;
use crate::support::registry::Wanted;
use crate::support::{copied, engine};

#[track_caller]
fn refused(shop: &Workshop, args: &[&str], says: &str) {
    shop.run(args).exactly(2, "", says);
    shop.nothing_was_made();
}

#[test]
fn an_engine_that_does_not_run() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let nowhere = format!("unix://{}", shop.place.path("none.sock").display());
    for verb in ["build", "push"] {
        shop.run_with("DOCKER_HOST", &nowhere, &[verb]).exactly(
            2,
            "",
            "\
error: could not reach the Docker engine at unix://DIR/none.sock
  caused by: No such file or directory (os error 2)
hint: start it: sudo systemctl start docker; one elsewhere is named by DOCKER_HOST
",
        );
    }
    let down = format!("tcp://127.0.0.1:{}", crate::support::free_port());
    let ran = shop.run_with("DOCKER_HOST", &down, &["build"]).ends(2);
    let ran = ran.says("caused by: Connection refused");
    ran.says("hint: see whether it listens there: DOCKER_HOST, or docker context ls");
    shop.nothing_was_made();
}

/// Somebody who is neither root nor in the engine's group.
const NOBODY: &str = "65534";

#[test]
fn an_engine_that_one_may_not_use() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    if !rustix::process::geteuid().is_root() {
        return engine::skipped("only root can be somebody else");
    }
    let binary = shop.place.path("agentctl");
    copied(&binary);
    fs::set_permissions(shop.place.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .arg(&binary)
        .arg("build")
        .current_dir(shop.place.path("."))
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap())
        .env("HOME", shop.home());
    shop.place.finish(&mut command).exactly(
        2,
        "",
        "\
error: could not reach the Docker engine at unix:///var/run/docker.sock
  caused by: Permission denied (os error 13)
hint: the engine's socket is for its group: sudo usermod -aG docker $USER, and log in anew
",
    );
    shop.nothing_was_made();
}

#[test]
fn a_registry_that_is_down() {
    let Some(mut shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.registry.kill();
    refused(
        &shop,
        &["push"],
        "\
error: could not reach the registry 127.0.0.1:PORT
  caused by: Connection refused (os error 111)
hint: see whether it runs and listens there: curl -i http://127.0.0.1:PORT/v2/, or https:// if it has a certificate
",
    );
    // It hinders no build.
    shop.run(&["build", "-q"]).exactly(
        0,
        "",
        "\
warning: could not reach the registry 127.0.0.1:PORT: Connection refused (os error 111)
built 127.0.0.1:PORT/team/bot:sha-CONTENT
",
    );
}

#[test]
fn a_base_that_is_not_there() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let base = format!("FROM {}/team/none:1\nCOPY text /\n", shop.registry.host());
    shop.place.write("Dockerfile", base);
    for (kit, says) in [("1", BASE_BY_BUILDKIT), ("0", BASE_BY_CLASSIC)] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["push", "-q"]);
        ran.exactly(2, "", says);
        shop.nothing_was_made();
    }
}

const BASE_BY_BUILDKIT: &str = "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: Dockerfile:1: FROM 127.0.0.1:PORT/team/none:1
    127.0.0.1:PORT/team/none:1: not found
hint: see whether Dockerfile names an image that is there: docker pull IMAGE
";
const BASE_BY_CLASSIC: &str = "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: Dockerfile:1: FROM 127.0.0.1:PORT/team/none:1
    manifest for 127.0.0.1:PORT/team/none:1 not found: manifest unknown: manifest unknown
hint: see whether Dockerfile names an image that is there: docker pull IMAGE
";

/// BuildKit refuses a base for another platform; the classic builder takes what is there.
#[test]
fn a_base_for_another_platform() {
    let Some(shop) = Workshop::open(Wanted::default(), "build.platforms = [\"linux/arm64\"]\n")
    else {
        return;
    };
    if !engine::there_is_a_tiny_image() {
        return;
    }
    let dockerfile = format!("FROM {}\nCOPY text /\n", engine::TINY);
    shop.place.write("Dockerfile", dockerfile);
    let ran = shop.run_with("DOCKER_BUILDKIT", "0", &["push", "-q"]);
    ran.exactly(
        2,
        "",
        "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: could not build an image for linux/arm64
  caused by: the classic builder made one for linux/amd64, from a base that is here for that
hint: build it with BuildKit (leave DOCKER_BUILDKIT=0 out), or have the base for that platform
",
    );
    shop.nothing_was_made();
}

#[test]
fn what_looks_like_a_secret_is_not_shown() {
    let Some(shop) = Workshop::open(Wanted::default(), "build.args = { API_KEY = \"c0ffee\" }\n")
    else {
        return;
    };
    let ran = shop
        .run(&["build"])
        .ends(2)
        .says("API_KEY looks like a secret");
    assert!(!ran.stderr.contains("c0ffee"), "{}", ran.stderr);
}

/// An image that only files are taken from, in the last line of three.
#[test]
fn an_image_to_copy_from_that_is_not_there() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    if !engine::there_is_a_tiny_image() {
        return;
    }
    let none = format!("{}/team/none:1", shop.registry.host());
    let text = format!(
        "FROM {0} AS one\nFROM {0}\nCOPY text /\nCOPY --from={none} /a /a\n",
        engine::TINY
    );
    shop.place.write("Dockerfile", text);
    for kit in ["1", "0"] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["push", "-q"]);
        ran.ends(2)
            .says(&format!(
                "caused by: Dockerfile:4: COPY --from={none} /a /a\n"
            ))
            .says("not found")
            .says("hint: see whether Dockerfile names an image that is there");
        shop.nothing_was_made();
    }
}

/// As a service has it that systemd starts.
#[test]
fn no_home_is_no_hindrance() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    for verb in ["build", "push"] {
        let mut command = shop.command(&[verb, "-q"]);
        for name in ["HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        shop.place.finish(&mut command).ends(0);
    }
}

#[test]
fn a_dockerfile_that_does_not_parse() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.place
        .write("Dockerfile", "FROM scratch\nCOPYY text /\n");
    for kit in ["1", "0"] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["push", "-q"]);
        ran.exactly(2, "", NO_DOCKERFILE);
        shop.nothing_was_made();
    }
}

#[test]
fn a_dockerfile_that_is_empty_or_not_there() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.place.write("Dockerfile", "");
    for kit in ["1", "0"] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["push", "-q"]);
        ran.ends(2)
            .says("cannot be empty\n")
            .says("hint: begin Dockerfile with FROM and an image\n");
    }
    fs::remove_file(shop.place.path("Dockerfile")).unwrap();
    refused(
        &shop,
        &["push"],
        "\
error: could not read Dockerfile
  caused by: No such file or directory (os error 2)
hint: build.dockerfile names another; runtime = \"python\", or what the agent is written in, needs none
",
    );
}

const NO_DOCKERFILE: &str = "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: dockerfile parse error line 2: unknown instruction: COPYY
hint: mend that line of Dockerfile
";

#[test]
fn a_step_that_fails() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    if !engine::there_is_a_tiny_image() {
        return;
    }
    let text = format!(
        "FROM {}\nCOPY text /\nRUN echo {} >&2 && cat /none\n",
        engine::TINY,
        "so far"
    );
    shop.place.write("Dockerfile", text);
    for (kit, says) in [("1", STEP_BY_BUILDKIT), ("0", STEP_BY_CLASSIC)] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["push", "-q"]);
        ran.exactly(2, "", says);
        shop.nothing_was_made();
    }
}

const STEP_BY_BUILDKIT: &str = "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: Dockerfile:3: RUN echo so far >&2 && cat /none
      | so far
      | cat: can't open '/none': No such file or directory
    executor failed running [/bin/sh -c echo so far >&2 && cat /none]: exit code: 1
hint: mend what Dockerfile does there, and build again
";
const STEP_BY_CLASSIC: &str = "\
error: could not build 127.0.0.1:PORT/team/bot:sha-CONTENT
  caused by: Dockerfile:3: RUN echo so far >&2 && cat /none
      | so far
      | cat: can't open '/none': No such file or directory
      |
    The command '/bin/sh -c echo so far >&2 && cat /none' returned a non-zero code: 1
hint: mend what Dockerfile does there, and build again
";

#[test]
fn tags_that_are_none() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.spec("image.tags = [\"a b\"]\n");
    refused(
        &shop,
        &["push"],
        "\
error: \"a b\" is not a tag, in which {version}, {git_sha}, {branch} and {date} may stand
 --> agent.toml:5:15
  |
5 | image.tags = [\"a b\"]
  |               ^^^^^
  = hint: write \"a-b\"
",
    );
    shop.spec("image.tags = [\"sha-1234\"]\n");
    refused(
        &shop,
        &["push"],
        "\
error: tags that begin with sha- say what is in an image, and agentctl makes them
 --> agent.toml:5:15
  |
5 | image.tags = [\"sha-1234\"]
  |               ^^^^^^^^^^
  = hint: begin it with another word
",
    );
    let long = "x".repeat(120);
    shop.spec(&format!(
        "agent.version = \"1.2.0-preview\"\nimage.tags = [\"{long}{{version}}\"]\n"
    ));
    let too_long = format!(
        "error: \"{long}{{version}}\" of image.tags makes \"{long}1.2.0-preview\", which is no tag\n\
         hint: a tag has up to 128 letters, digits, _, . and -, and begins with none of . and -\n"
    );
    refused(&shop, &["push"], &too_long);
    shop.spec("image.tags = [\"{git_sha}\"]\n");
    refused(
        &shop,
        &["build"],
        "\
error: \"{git_sha}\" of image.tags wants {git_sha}, and nothing tells it
hint: the folder has no git commit: make one, or take it out of image.tags
",
    );
}

#[test]
fn a_context_outside_of_the_folder() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    shop.spec("build.context = \"../elsewhere\"\n");
    refused(
        &shop,
        &["build"],
        "\
error: \"../elsewhere\" must stay beside agent.toml, without ..
 --> agent.toml:5:17
  |
5 | build.context = \"../elsewhere\"
  |                 ^^^^^^^^^^^^^^
  = hint: \".\" is the folder of agent.toml: copy what is needed into it, or move agent.toml up
",
    );
    std::os::unix::fs::symlink("/", shop.place.path("away")).unwrap();
    shop.spec("build.context = \"away\"\n");
    refused(
        &shop,
        &["build"],
        "\
error: away leads out of the folder of agent.toml
hint: copy what is needed into it, or move agent.toml up
",
    );
    shop.spec("build.context = \"gone\"\n");
    refused(
        &shop,
        &["build"],
        "\
error: could not find the folder gone
  caused by: No such file or directory (os error 2)
hint: context = \".\" under [build] is the folder of agent.toml
",
    );
}
