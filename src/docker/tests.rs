use super::place::{Certificates, Place, Ssh};
use super::transport::Transport;
use super::{Engine, NEWEST};

fn parsed(host: &str) -> Place {
    Place::parse(host, None).unwrap()
}

#[test]
fn addresses_are_read_as_docker_reads_them() {
    let ssh = |destination: &str, port, socket: Option<&str>| {
        Place::Ssh(Ssh {
            destination: destination.to_owned(),
            port,
            socket: socket.map(str::to_owned),
        })
    };
    let cases = [
        (
            "unix:///run/user/1/docker.sock",
            Place::Unix("/run/user/1/docker.sock".into()),
        ),
        ("tcp://10.0.0.5", Place::Tcp("10.0.0.5:2375".to_owned())),
        (
            "tcp://10.0.0.5:4243/",
            Place::Tcp("10.0.0.5:4243".to_owned()),
        ),
        ("10.0.0.5:2375", Place::Tcp("10.0.0.5:2375".to_owned())),
        (
            "https://build",
            Place::Tls("build:2376".to_owned(), Certificates::default()),
        ),
        ("ssh://anna@build", ssh("anna@build", None, None)),
        (
            "ssh://anna@build:2222/run/docker.sock",
            ssh("anna@build", Some(2222), Some("/run/docker.sock")),
        ),
    ];
    for (host, place) in cases {
        assert_eq!(parsed(host), place, "{host}");
    }
    for host in [
        "npipe:////./pipe/docker",
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://a:b",
    ] {
        assert!(Place::parse(host, None).is_err(), "{host}");
    }
}

/// An engine that takes every connection and says nothing on it, and the way to it.
fn dumb() -> (tempfile::TempDir, std::os::unix::net::UnixListener, Place) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    (folder, listener, Place::Unix(socket))
}

#[test]
fn a_place_is_shown_as_it_was_named() {
    for named in [
        "unix:///run/docker.sock",
        "tcp://build:2375",
        "ssh://build",
        "ssh://anna@build:2222",
        "ssh://anna@build:2222/run/user/1000/docker.sock",
    ] {
        assert_eq!(parsed(named).to_string(), named);
    }
}

fn told(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

/// The clock jumps as soon as all wait for it.
#[tokio::test(start_paused = true)]
async fn an_engine_that_never_answers_is_not_waited_for() {
    let (_folder, _listener, place) = dumb();
    let error = Engine::connect(place.clone()).await.err().unwrap();
    let wanted = format!("the Docker engine at {place} does not answer: it was silent for 20 s");
    assert_eq!(told(&error), wanted);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_falls_silent_ends_the_work() {
    let (_folder, _listener, place) = dumb();
    let transport = Transport::new(place);
    let engine = Engine {
        docker: transport.bollard(1, bollard::API_DEFAULT_VERSION).unwrap(),
        transport,
        api: NEWEST,
        has_buildkit: true,
    };
    let error = engine.attended(std::future::pending::<anyhow::Result<()>>());
    let error = error.await.unwrap_err();
    assert!(
        told(&error).ends_with("it was silent for 60 s"),
        "{error:#}"
    );
    let done = engine.attended(async { Ok(1) }).await;
    assert_eq!(done.unwrap(), 1);
}

#[test]
fn an_engine_that_ails_is_told_with_what_to_do() {
    let hint = |status: u16, body: &str, place: &str| {
        let status = hyper::StatusCode::from_u16(status).unwrap();
        let error = super::failure::of_answer(status, body.as_bytes(), &parsed(place));
        crate::advice::hint(&error).map(str::to_owned)
    };
    let here = hint(500, "", "unix:///s").unwrap();
    assert!(here.ends_with("sudo journalctl -u docker"), "{here}");
    let there = hint(503, "", "ssh://anna@build").unwrap();
    assert!(there.contains("on its own machine"), "{there}");
    let plain = hint(400, "", "tcp://build").unwrap();
    assert!(plain.contains("DOCKER_TLS_VERIFY"), "{plain}");
    // Whoever asked knows what its words mean.
    assert_eq!(
        hint(500, "{\"message\":\"no such layer\"}", "unix:///s"),
        None
    );
}
