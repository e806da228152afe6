//! Who the registry is told that one is, as Docker's users have it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::{PASSWORD, RealRegistry, USER, Wanted};

const LOGIN: Wanted = Wanted {
    login: true,
    tls: false,
    keeps_all: false,
};

#[track_caller]
fn pushes(shop: &Workshop) {
    let told = "\
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
";
    shop.run(&["push", "-q"]).exactly(0, "", told);
    let again = "nothing to build or push: 127.0.0.1:PORT/team/bot@sha256:DIGEST\n";
    shop.run(&["push", "-q"]).exactly(0, "", again);
}

#[test]
fn what_docker_login_left() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    shop.docker_config(&json!({ "auths": { &shop.host: { "auth": auth } } }));
    pushes(&shop);
    shop.run(&["images", "list"]).ends(0).says("sha-");
}

#[test]
fn another_folder_for_docker_s_settings() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    let elsewhere = shop.registry.docker_config(PASSWORD);
    let elsewhere = elsewhere.to_str().unwrap();
    shop.run_with("DOCKER_CONFIG", elsewhere, &["push", "-q"])
        .ends(0)
        .says("pushed");
}

#[test]
fn no_login_and_a_wrong_one() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    let error = |cause: &str| {
        format!(
            "error: could not log in to the registry 127.0.0.1:PORT\n  \
             caused by: {cause}\nhint: docker login 127.0.0.1:PORT\n"
        )
    };
    let none = error("there are no credentials for it in Docker's config.json");
    shop.run(&["push"]).exactly(2, "", &none);
    let wrong = shop.registry.docker_config("wrong");
    let ran = shop.run_with("DOCKER_CONFIG", wrong.to_str().unwrap(), &["push"]);
    let refused = "it does not accept the stored credentials, or not for this repository";
    ran.exactly(2, "", &error(refused));
    shop.nothing_was_made();
}

/// Writes down what it was asked for, and gives this user's secret.
fn helper(shop: &Workshop, user: &str, secret: &str) {
    let log = shop.place.path("asked");
    let answer = json!({ "ServerURL": shop.host, "Username": user, "Secret": secret });
    shop.script(
        "docker-credential-test",
        &format!(
            "read -r host\necho \"$1 $host\" >>{}\necho '{answer}'",
            log.display()
        ),
    );
}

#[test]
fn a_credential_helper_is_asked() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    helper(&shop, USER, PASSWORD);
    shop.docker_config(&json!({ "credsStore": "test" }));
    pushes(&shop);
    let asked = shop.place.read("asked");
    let line = format!("get {}", shop.host);
    assert!(asked.lines().all(|one| one == line), "{asked}");
}

#[test]
fn each_registry_may_have_a_helper_of_its_own() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    helper(&shop, USER, PASSWORD);
    shop.docker_config(&json!({
        "credsStore": "none-such",
        "credHelpers": { &shop.host: "test", "other.example.com": "none-such" },
    }));
    pushes(&shop);
}

#[test]
fn a_helper_that_fails_is_named() {
    let Some(shop) = Workshop::open(LOGIN, "") else {
        return;
    };
    shop.docker_config(&json!({ "credsStore": "test" }));
    shop.script(
        "docker-credential-test",
        "cat >/dev/null; echo the vault is locked; exit 1",
    );
    shop.run(&["push"]).exactly(
        2,
        "",
        "\
error: could not look up the login for 127.0.0.1:PORT
  caused by: docker-credential-test failed: the vault is locked
hint: log in anew: docker login 127.0.0.1:PORT
",
    );
    shop.script(
        "docker-credential-test",
        "cat >/dev/null; echo credentials not found in native keychain; exit 1",
    );
    shop.run(&["push"])
        .ends(2)
        .says("there are no credentials for it in Docker's config.json");
    shop.nothing_was_made();
}

/// A helper that is asked for nothing cannot fail; nor is one missed where everybody may come in.
#[test]
fn a_broken_helper_of_another_registry_is_no_hindrance() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    if !engine::there_is_a_tiny_image() {
        return;
    }
    let other = RealRegistry::start(Wanted::default());
    let base = format!("{}/team/base:1", other.host());
    engine::docker(&["tag", engine::TINY, &base]).unwrap();
    engine::docker(&["push", &base]).unwrap();
    shop.docker_config(&json!({
        "credsStore": "none-such",
        "credHelpers": { other.host(): "none-such" },
        "auths": { &shop.host: { "auth": STANDARD.encode("a:b") } },
    }));
    shop.place
        .write("Dockerfile", format!("FROM {base}\nCOPY text /\n"));
    for kit in ["1", "0"] {
        engine::forget(&format!("{}/team/base", other.host()));
        shop.run_with("DOCKER_BUILDKIT", kit, &["build", "-q"])
            .exactly(0, "", "built 127.0.0.1:PORT/team/bot:sha-CONTENT\n");
        shop.forget();
    }
    engine::forget(&format!("{}/team/base", other.host()));
}

#[test]
fn a_broken_login_counts_where_one_is_wanted_and_before_anything_is_built() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    for config in ["{ \"credsStore\": \"none-such\" }", "{", ""] {
        shop.place.write("home/.docker/config.json", config);
        shop.place.write("text", shop.unique(1));
        shop.run(&["push", "-q"]).ends(0).says("pushed ");
    }
    let Some(private) = Workshop::open(LOGIN, "") else {
        return;
    };
    private.docker_config(&json!({ "credsStore": "none-such" }));
    let ran = private.run(&["push"]).ends(2);
    ran.says("names a credential helper that cannot be run");
    private.nothing_was_made();
}

#[test]
fn a_base_that_wants_the_login_of_a_broken_helper() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let private = RealRegistry::start(LOGIN);
    shop.docker_config(&json!({ "credHelpers": { private.host(): "none-such" } }));
    let base = format!("FROM {}/team/base:1\nCOPY text /\n", private.host());
    shop.place.write("Dockerfile", base);
    for kit in ["1", "0"] {
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["build", "-q"]);
        ran.ends(2)
            .says("caused by: Dockerfile:1: FROM")
            .says(&format!(
                "could not look up the login for {}",
                private.host()
            ))
            .says("names a credential helper that cannot be run")
            .says("hint: put docker-credential-NAME on PATH");
    }
    shop.nothing_was_made();
}
