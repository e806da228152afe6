//! A registry with a certificate of a company's own CA.

use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::Wanted;

const TLS: Wanted = Wanted {
    tls: true,
    login: false,
    keeps_all: false,
};

#[test]
fn a_ca_that_is_trusted_for_the_registry() {
    let Some(mut shop) = Workshop::open(TLS, "") else {
        return;
    };
    if !rustix::process::geteuid().is_root() {
        return engine::skipped("only root can trust a CA for the engine");
    }
    shop.registry.trust();
    shop.run(&["push", "-q"]).exactly(
        0,
        "",
        "\
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
",
    );
    let there = "nothing to build or push: 127.0.0.1:PORT/team/bot@sha256:DIGEST\n";
    shop.run(&["push"]).exactly(0, "", there);
}

#[test]
fn a_ca_that_nobody_knows() {
    let Some(shop) = Workshop::open(TLS, "") else {
        return;
    };
    shop.run(&["push"]).exactly(
        2,
        "",
        "\
error: could not reach the registry 127.0.0.1:PORT
  caused by: invalid peer certificate: UnknownIssuer
hint: put its CA's certificate in /etc/docker/certs.d/127.0.0.1:PORT/ca.crt
",
    );
    shop.nothing_was_made();
}
