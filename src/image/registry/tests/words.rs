//! What is said of a registry that refuses, and of one that says nothing.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use super::*;

#[test]
fn each_way_to_refuse_a_deletion_is_told_apart() {
    let problem = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#);
    let all = "the registry a.io forbids deletion: ";
    let you = "the registry a.io forbids you deletion: ";
    let cases = [
        (405, String::new(), all, "REGISTRY_STORAGE_DELETE_ENABLED"),
        (405, problem("UNSUPPORTED"), all, "rules of their own"),
        (403, problem("UNSUPPORTED"), all, "rules of their own"),
        (400, problem("UNSUPPORTED"), all, "rules of their own"),
        (403, problem("DENIED"), you, "docker login a.io"),
        (403, String::new(), you, "its owner can allow it"),
        (
            503,
            problem("UNAVAILABLE"),
            "the registry a.io cannot answer: ",
            "later",
        ),
    ];
    let repository = Repository::parse("a.io/team/x").unwrap();
    for (status, body, says, next) in cases {
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let error = super::failure::of_answer(status, body.as_bytes(), Act::Delete, &repository);
        let said = format!("{error:#}");
        assert!(said.starts_with(says), "{said}");
        assert!(hint(&error).contains(next), "{said}");
    }
}

#[test]
fn a_login_of_another_kind_is_named() {
    let mut headers = HeaderMap::new();
    let says = |headers: &HeaderMap| {
        let error = Challenge::of(headers).unwrap_err();
        assert!(hint(&error).contains("Basic and Bearer"), "{error:#}");
        error.root_cause().to_string()
    };
    assert_eq!(says(&headers), "it says nothing of which");
    for asked in ["Negotiate", "NTLM realm=\"x\""] {
        headers.append(WWW_AUTHENTICATE, asked.parse().unwrap());
    }
    assert_eq!(says(&headers), "it wants Negotiate or NTLM");
    headers.append(WWW_AUTHENTICATE, "Basic realm=\"x\"".parse().unwrap());
    assert_eq!(Challenge::of(&headers).unwrap(), Challenge::Basic);
}

#[test]
fn only_a_registry_on_this_machine_may_do_without_tls() {
    let no_tls = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
    let repository = Repository::parse("a.io:5000/x").unwrap();
    let error = super::super::failure::of_way(&no_tls, &repository);
    let said = format!("{error:#}");
    assert_eq!(
        said,
        "could not reach the registry a.io:5000: it speaks no TLS"
    );
    assert!(
        hint(&error).starts_with("give it a certificate"),
        "{}",
        hint(&error)
    );
    let look = |name| Repository::parse(name).unwrap().look();
    assert_eq!(look("a.io/x"), "curl -i https://a.io/v2/");
    assert!(look("localhost:5000/x").starts_with("curl -i http://localhost:5000/v2/"));
}

/// The clock jumps as soon as all wait for it.
#[tokio::test(start_paused = true)]
async fn a_registry_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    let repository = Repository::parse(&format!("{host}/x")).unwrap();
    let registry = Registry::new(repository, surroundings(None, PathBuf::from("/nowhere")));
    let error = registry.unwrap().head("v1").await.unwrap_err();
    let said = format!("the registry {host} does not answer: it was silent for 10 s");
    assert_eq!(format!("{error:#}"), said);
    shown(&error);
}

#[tokio::test]
async fn each_further_try_is_said() {
    let registry = server("503 Service Unavailable", "", "");
    let mut said = Vec::new();
    let mut work = std::pin::pin!(registry.head("v1"));
    let error = loop {
        tokio::select! {
            done = &mut work => break done.unwrap_err(),
            again = registry.again() => said.push(again),
        }
    };
    let host = &registry.repository().host;
    let of = |wait| {
        format!("the registry {host} answered 503 Service Unavailable; trying again in {wait} s")
    };
    assert_eq!(said, [of("0.001"), of("0.002")]);
    assert_eq!(
        error.to_string(),
        format!("the registry {host} cannot answer")
    );
}
