use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use http_body_util::BodyExt;
use serde_json::json;

use super::answer::Answer;
use super::*;
use crate::advice::Advice;
use crate::docker::{Place, full};
use crate::image::engine_fixture::there_is_an_engine;
use crate::image::fixture::{PASSWORD, RealRegistry, Wanted};
use crate::image::progress::Ended;
use crate::image::registry::{Repository, Surroundings};
use crate::image::retention::{self, Fate};

fn told(lines: &[serde_json::Value]) -> (Vec<Progress>, Answer) {
    let (mut all, mut answer) = (Vec::new(), Answer::default());
    for line in lines {
        let line = serde_json::from_value(line.clone()).unwrap();
        answer
            .take(line, &mut |progress| all.push(progress))
            .unwrap();
    }
    (all, answer)
}

#[test]
fn each_layer_is_a_step() {
    let digest = Digest::of(b"");
    let (all, answer) = told(&[
        json!({"status": "The push refers to repository [a]"}),
        json!({"status": "Preparing", "progressDetail": {}, "id": "a"}),
        json!({"status": "Preparing", "progressDetail": {}, "id": "b"}),
        json!({"status": "Layer already exists", "progressDetail": {}, "id": "b"}),
        json!({"status": "Pushing", "progressDetail": {"current": 5, "total": 9}, "id": "a"}),
        json!({"status": "Pushing", "progressDetail": {"current": 10, "total": 9}, "id": "a"}),
        json!({"status": "Pushed", "progressDetail": {}, "id": "a"}),
        json!({"progressDetail": {}, "aux": {"Tag": "v", "Digest": digest, "Size": 5}}),
    ]);
    let begun = |step, name: &str| Progress::Begun {
        step,
        name: name.to_owned(),
    };
    let moved = |bytes, of| Progress::Moved { step: 0, bytes, of };
    let ended = |step, how| Progress::Ended { step, how };
    let expected = [
        begun(0, "a"),
        begun(1, "b"),
        ended(1, Ended::Cached),
        moved(5, Some(9)),
        moved(10, None),
        ended(0, Ended::Done),
    ];
    assert_eq!(all, expected);
    assert_eq!(answer.digest, Some(digest));
}

/// As an engine with containerd's store does, ten times a second, whatever the registry does.
#[test]
fn the_same_again_is_no_news() {
    let mut answer = Answer::default();
    let mut is_news = |line| answer.is_news(&serde_json::from_value(line).unwrap());
    let pushing =
        |current| json!({"status": "Pushing", "progressDetail": {"current": current}, "id": "a"});
    for (line, news) in [
        (json!({"status": "Preparing", "id": "a"}), true),
        (pushing(5), true),
        (
            json!({"status": "Pushing", "progressDetail": {"current": 5}, "id": "b"}),
            true,
        ),
        (pushing(5), false),
        (pushing(6), true),
        (json!({"status": "Pushed", "id": "a"}), true),
        (json!({"status": "Pushed", "id": "a"}), false),
        (json!({"aux": {"Digest": "x"}}), true),
    ] {
        assert_eq!(is_news(line.clone()), news, "{line}");
    }
}

const MANIFEST: &str = r#"{"schemaVersion":2}"#;

/// A registry that has one image and gives it for whatever is asked for.
fn holder() -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let length = MANIFEST.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n");
            let reply = format!("{head}Connection: close\r\n\r\n{MANIFEST}");
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    let repository = Repository::parse(&format!("{host}/team/agent")).unwrap();
    let surroundings = Surroundings {
        docker_config: None,
        certificates: PathBuf::from("/nowhere"),
        pause: Duration::from_millis(1),
    };
    Registry::new(repository, surroundings).unwrap()
}

#[tokio::test]
async fn what_somebody_else_made_of_the_same_contents_is_as_good_if_it_is_there() {
    let (ours, theirs) = (Digest::of(b"ours"), Digest::of(MANIFEST.as_bytes()));
    let registry = holder();
    let agreed = async |held| agreed(&registry, ours.clone(), held, "sha-1").await;
    for held in [&ours, &theirs] {
        assert_eq!(&agreed(Some(held.clone())).await.unwrap(), held);
    }
    let error = agreed(None).await.unwrap_err();
    let says = format!("the engine pushed {ours}, and the registry holds nothing as sha-1");
    assert_eq!(error.to_string(), says);
    assert!(hint(&error).contains("a proxy"), "{}", hint(&error));
    let made_up = Digest::of(b"nothing");
    let error = agreed(Some(made_up.clone())).await.unwrap_err();
    let says = format!("the engine pushed {ours}, and the registry calls sha-1 {made_up}");
    assert_eq!(error.to_string(), says);
    assert!(hint(&error).contains("a proxy"), "{}", hint(&error));
}

#[test]
fn each_wait_is_a_step() {
    let (mut all, mut answer) = (Vec::new(), Answer::default());
    let mut watch = |progress| all.push(progress);
    for wait in [500, 1000] {
        let step = answer.again("EOF", Duration::from_millis(wait), &mut watch);
        answer.end(step, Ended::Done, &mut watch);
    }
    let begun = all.iter().filter_map(|progress| match progress {
        Progress::Begun { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let begun: Vec<_> = begun.collect();
    assert_eq!(begun, ["again in 0.5 s: EOF", "again in 1 s: EOF"]);
}

#[test]
fn what_the_engine_passes_on_is_explained() {
    let repository = Repository::parse("a.io/x").unwrap();
    let cases = [
        (
            "unauthorized: authentication required",
            "docker login a.io",
            false,
        ),
        ("no basic auth credentials", "docker login a.io", false),
        (
            "denied: requested access to the resource is denied",
            "its owner",
            false,
        ),
        (
            "Get \"https://a.io/v2/\": x509: certificate signed by unknown authority",
            "ca.crt",
            false,
        ),
        (
            "http: server gave HTTP response to HTTPS client",
            "insecure-registries",
            false,
        ),
        (
            "An image does not exist locally with the tag: a.io/x",
            "agentctl build",
            false,
        ),
        (
            "dial tcp: connect: connection refused",
            "can reach a.io",
            false,
        ),
        (
            "Put \"https://a.io/\": unexpected EOF",
            "can reach a.io",
            true,
        ),
        (
            "received unexpected HTTP status: 503 Service Unavailable",
            "can reach a.io",
            true,
        ),
        ("write: connection reset by peer", "can reach a.io", true),
    ];
    for (said, words, is_passing) in cases {
        let error = anyhow!("{said}");
        assert_eq!(failure::is_passing(&error), is_passing, "{said}");
        let error = failure::in_words(error, &repository);
        assert!(hint(&error).contains(words), "{said}: {}", hint(&error));
    }
}

fn hint(error: &anyhow::Error) -> &str {
    let advice = error.downcast_ref::<Advice>();
    &advice.unwrap_or_else(|| panic!("no hint: {error:#}")).hint
}

fn shown(error: &anyhow::Error) {
    eprintln!("{error:#}\n  hint: {}", hint(error));
}

fn registry(real: &RealRegistry, password: Option<&str>, certificates: PathBuf) -> Registry {
    let surroundings = Surroundings {
        docker_config: password.map(|password| real.docker_config(password)),
        certificates,
        pause: Duration::from_millis(1),
    };
    let repository = Repository::parse(&format!("{}/team/agent", real.host())).unwrap();
    Registry::new(repository, surroundings).unwrap()
}

/// Images of one test in the engine, gone at its end.
struct Images {
    engine: Engine,
    names: Vec<String>,
}

impl Images {
    async fn new() -> Option<Self> {
        if !there_is_an_engine() {
            return None;
        }
        let place = Place::find(&|_| None).unwrap();
        Some(Self {
            engine: Engine::connect(place).await.unwrap(),
            names: Vec::new(),
        })
    }

    /// One layer that holds `text`.
    async fn make(&mut self, registry: &Registry, tag: &str, text: &str, agent: &str) {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, "text", text.as_bytes())
            .unwrap();
        let bytes = tar.into_inner().unwrap();
        let repository = registry.repository();
        let path = format!(
            "/images/create?fromSrc=-&repo={repository}&tag={tag}&changes=LABEL%20a.agent%3D{agent}"
        );
        let request = Request::post(path).body(full(bytes.into())).unwrap();
        let answer = self.engine.send(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
        self.names.push(format!("{repository}:{tag}"));
    }

    async fn push(&mut self, registry: &Registry, content: &str) -> Result<Digest> {
        push(&self.engine, registry, content, &mut |_| ()).await
    }

    async fn forget(self) {
        for name in &self.names {
            let removed = self
                .engine
                .docker
                .remove_image(
                    name,
                    None::<bollard::query_parameters::RemoveImageOptions>,
                    None,
                )
                .await;
            removed.unwrap();
        }
    }
}

#[tokio::test]
async fn an_image_gets_all_its_names_and_loses_them_when_it_is_old() {
    let real = RealRegistry::start(Wanted {
        login: true,
        ..Wanted::default()
    });
    let registry = registry(&real, Some(PASSWORD), real.path("none"));
    let Some(mut images) = Images::new().await else {
        return;
    };
    images.make(&registry, "sha-1", "one", "support").await;
    images.make(&registry, "sha-2", "two", "support").await;
    let one = images.push(&registry, "sha-1").await.unwrap();
    let two = images.push(&registry, "sha-2").await.unwrap();
    let names = ["v1".to_owned(), "latest".to_owned()];
    assert_eq!(retag(&registry, &one, &names).await.unwrap(), names);
    assert!(retag(&registry, &one, &names).await.unwrap().is_empty());
    for (tag, digest) in [
        ("sha-1", &one),
        ("v1", &one),
        ("latest", &one),
        ("sha-2", &two),
    ] {
        assert_eq!(
            registry.head(tag).await.unwrap().as_ref(),
            Some(digest),
            "{tag}"
        );
    }
    retag(&registry, &two, &["latest".to_owned()])
        .await
        .unwrap();
    assert_eq!(registry.head("latest").await.unwrap().as_ref(), Some(&two));

    let stored = retention::stored(&registry, "a.agent").await.unwrap();
    assert_eq!(stored.broken, []);
    let judged = retention::judge(stored.images, "support", 1, &Default::default());
    let doomed: Vec<_> = judged
        .iter()
        .filter(|(_, fate)| *fate == Fate::Deleted)
        .collect();
    assert_eq!(doomed.len(), 1);
    assert_eq!(doomed[0].0.digest, one);
    assert!(retention::delete(&registry, &one).await.unwrap());
    assert!(!retention::delete(&registry, &one).await.unwrap());
    assert_eq!(registry.head("v1").await.unwrap(), None);
    assert_eq!(registry.head("latest").await.unwrap(), Some(two));
    images.forget().await;
}

#[tokio::test]
async fn a_push_that_cannot_be_says_why() {
    let real = RealRegistry::start(Wanted {
        login: true,
        ..Wanted::default()
    });
    let Some(mut images) = Images::new().await else {
        return;
    };
    for password in [None, Some("wrong")] {
        let registry = registry(&real, password, real.path("none"));
        if password.is_none() {
            images.make(&registry, "sha-3", "three", "support").await;
        }
        let error = images.push(&registry, "sha-3").await.unwrap_err();
        shown(&error);
        assert_eq!(hint(&error), format!("docker login {}", real.host()));
    }
    let registry = registry(&real, Some(PASSWORD), real.path("none"));
    let error = images.push(&registry, "sha-0").await.unwrap_err();
    shown(&error);
    assert!(hint(&error).contains("agentctl build"));
    images.forget().await;
}

#[tokio::test]
async fn a_registry_that_went_away_gets_the_image_once_it_is_back() {
    let mut real = RealRegistry::start(Wanted {
        tls: true,
        ..Wanted::default()
    });
    let registry = registry(&real, None, real.certificates());
    let Some(mut images) = Images::new().await else {
        return;
    };
    images.make(&registry, "sha-4", "four", "support").await;
    real.kill();
    let error = images.push(&registry, "sha-4").await.unwrap_err();
    shown(&error);
    real.again();
    let digest = images.push(&registry, "sha-4").await.unwrap();
    assert_eq!(registry.head("sha-4").await.unwrap(), Some(digest));
    images.forget().await;
}

#[tokio::test]
async fn a_registry_that_forbids_deletion_is_said_so() {
    let real = RealRegistry::start(Wanted {
        keeps_all: true,
        ..Wanted::default()
    });
    let registry = registry(&real, None, real.path("none"));
    let Some(mut images) = Images::new().await else {
        return;
    };
    images.make(&registry, "sha-5", "five", "support").await;
    let digest = images.push(&registry, "sha-5").await.unwrap();
    let error = registry.delete(&digest).await.unwrap_err();
    shown(&error);
    assert!(hint(&error).contains("REGISTRY_STORAGE_DELETE_ENABLED"));
    images.forget().await;
}
