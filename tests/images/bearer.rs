//! Registries that want a token from somebody else, as most of those on the internet do.

use serde_json::json;

use super::tokens::{IDENTITY, Tokens};
use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::{PASSWORD, RealRegistry, USER, Wanted};

const ALL: &[&str] = &["pull", "push", "delete"];

fn open(rights: &'static [&'static str], password: &str) -> Option<(Workshop, Tokens)> {
    if !engine::there_is_an_engine() {
        return None;
    }
    let tokens = Tokens::start(rights);
    let registry = RealRegistry::start_with(Wanted::default(), Some(tokens.auth()));
    let shop = Workshop::at(registry, "image.keep = 1\n");
    shop.docker_config(&json!({ "auths": { &shop.host: {
        "username": USER, "password": password,
    } } }));
    Some((shop, tokens))
}

fn push(shop: &Workshop) {
    let told = "\
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
";
    shop.run(&["push", "-q"]).exactly(0, "", told);
    let again = "nothing to build or push: 127.0.0.1:PORT/team/bot@sha256:DIGEST\n";
    shop.run(&["push", "-q"]).exactly(0, "", again);
}

#[test]
fn a_password_is_good_for_a_token() {
    let Some((shop, tokens)) = open(ALL, PASSWORD) else {
        return;
    };
    push(&shop);
    let asked = tokens.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|one| one.starts_with("GET ")), "{asked:?}");
    shop.place.write("text", shop.unique(2));
    push(&shop);
    let says = "\
deleted sha-CONTENT
1 image deleted from 127.0.0.1:PORT/team/bot
";
    shop.run(&["images", "prune"]).exactly(0, "", says);
}

#[test]
fn an_identity_token_stands_for_the_password() {
    let Some((shop, tokens)) = open(ALL, "unused") else {
        return;
    };
    shop.docker_config(&json!({ "auths": { &shop.host: {
        "auth": "MDAwMDo=", "identitytoken": IDENTITY,
    } } }));
    push(&shop);
    let asked = tokens.asked.lock().unwrap().clone();
    assert!(
        asked.iter().all(|one| one.starts_with("POST ")),
        "{asked:?}"
    );
}

/// Both builders get a base by it, which no engine has.
#[test]
fn an_identity_token_opens_the_bases_too() {
    let Some((shop, tokens)) = open(ALL, "unused") else {
        return;
    };
    shop.docker_config(&json!({ "auths": { &shop.host: {
        "auth": "MDAwMDo=", "identitytoken": IDENTITY,
    } } }));
    shop.spec("image.tags = [\"base\"]\n");
    shop.run(&["push", "-q"]).ends(0);
    let base = format!("FROM {}:base\nCOPY text /again\n", shop.repository());
    shop.place.write("Dockerfile", base);
    for kit in ["1", "0"] {
        shop.forget();
        let ran = shop.run_with("DOCKER_BUILDKIT", kit, &["build", "-q"]);
        ran.exactly(0, "", "built 127.0.0.1:PORT/team/bot:sha-CONTENT\n");
    }
    let asked = tokens.asked.lock().unwrap().clone();
    assert!(
        asked.contains(&"POST repository:team/bot:pull".to_owned()),
        "{asked:?}"
    );
}

#[test]
fn a_wrong_password_is_good_for_nothing() {
    let Some((shop, _tokens)) = open(ALL, "wrong") else {
        return;
    };
    shop.run(&["push"]).exactly(
        2,
        "",
        "\
error: could not log in to the registry 127.0.0.1:PORT
  caused by: it does not accept the stored credentials, or not for this repository
hint: docker login 127.0.0.1:PORT
",
    );
    shop.nothing_was_made();
}

#[test]
fn who_may_only_read_is_told_so() {
    let Some((shop, _tokens)) = open(&["pull"], PASSWORD) else {
        return;
    };
    shop.run(&["push", "-q"]).exactly(
        2,
        "",
        "\
error: you may not push to 127.0.0.1:PORT/team/bot
  caused by: denied: requested access to the resource is denied
hint: its owner can allow it; to be somebody else: docker login 127.0.0.1:PORT
",
    );
    assert_eq!(shop.in_registry(), Vec::<String>::new());
}

#[test]
fn who_may_not_delete_is_told_so() {
    let Some((shop, _tokens)) = open(&["pull", "push"], PASSWORD) else {
        return;
    };
    push(&shop);
    shop.place.write("text", shop.unique(2));
    push(&shop);
    shop.run(&["images", "prune"]).exactly(
        2,
        "",
        "\
error: the registry 127.0.0.1:PORT forbids you deletion
  caused by: the login is good, and does not reach that far
hint: its owner can allow it; to be somebody else: docker login 127.0.0.1:PORT
",
    );
    assert_eq!(shop.in_registry().len(), 2);
}
