mod believed;
mod words;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::auth::{Act, Challenge};
use super::*;
use crate::image::fixture::{PASSWORD, RealRegistry, Wanted};

#[test]
fn repositories_are_read_as_docker_reads_them() {
    let cases = [
        ("nginx", "docker.io", "library/nginx"),
        ("team/agent", "docker.io", "team/agent"),
        ("docker.io/nginx", "docker.io", "library/nginx"),
        ("index.docker.io/team/agent", "docker.io", "team/agent"),
        ("localhost/agent", "localhost", "agent"),
        ("localhost:5000/agent", "localhost:5000", "agent"),
        ("ghcr.io/team/a_b/c-d", "ghcr.io", "team/a_b/c-d"),
        ("[::1]:5000/agent", "[::1]:5000", "agent"),
    ];
    for (name, host, path) in cases {
        let repository = Repository::parse(name).unwrap();
        assert_eq!(
            (repository.host.as_str(), repository.path.as_str()),
            (host, path)
        );
    }
    for name in [
        "",
        "Team/agent",
        "ghcr.io/",
        "ghcr.io/a//b",
        "agent:v1",
        "a@b",
        "-a",
    ] {
        assert!(Repository::parse(name).is_err(), "{name}");
    }
}

#[test]
fn only_this_machine_is_spoken_to_without_tls() {
    let cases = [
        ("localhost:5000/a", true),
        ("localhost/a", true),
        ("127.9.9.9:1/a", true),
        ("[::1]:5000/a", true),
        ("10.0.0.1:5000/a", false),
        ("localhost.example.com/a", false),
        ("a/b", false),
    ];
    for (name, is_loopback) in cases {
        assert_eq!(
            Repository::parse(name).unwrap().is_loopback(),
            is_loopback,
            "{name}"
        );
    }
}

#[test]
fn digests_are_whole_or_none() {
    let digest = Digest::of(b"");
    let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.as_str(), text);
    assert_eq!(text.parse::<Digest>().unwrap(), digest);
    for text in ["", "sha256:e3b0", "sha512:e3", &text.to_uppercase()] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}

#[test]
fn challenges_are_read() {
    let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
        realm: realm.to_owned(),
        service: service.map(str::to_owned),
        scope: scope.map(str::to_owned),
    };
    let cases = [
        ("Basic realm=\"r\"", Some(Challenge::Basic)),
        ("basic", Some(Challenge::Basic)),
        (
            "Bearer realm=\"https://a/token\",service=\"a\",scope=\"repository:x:pull,push\"",
            Some(bearer(
                "https://a/token",
                Some("a"),
                Some("repository:x:pull,push"),
            )),
        ),
        (
            "bearer service=a, realm=https://a/token",
            Some(bearer("https://a/token", Some("a"), None)),
        ),
        ("Bearer service=\"a\"", None),
        ("Negotiate", None),
    ];
    for (text, challenge) in cases {
        assert_eq!(Challenge::parse(text), challenge, "{text}");
    }
}

fn surroundings(docker_config: Option<PathBuf>, certificates: PathBuf) -> Surroundings {
    Surroundings {
        docker_config,
        certificates,
        pause: Duration::from_millis(1),
    }
}

async fn found(config: &str, name: &str) -> anyhow::Result<Credentials> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    Credentials::find(Some(folder.path()), &Repository::parse(name).unwrap()).await
}

#[tokio::test]
async fn credentials_are_those_of_docker_login() {
    let basic =
        |user: &str, password: &str| Credentials::Basic(user.to_owned(), password.to_owned());
    let cases = [
        (r#"{}"#, "a.io/x", Credentials::None),
        (
            r#"{"auths":{"a.io":{"auth":"dTpwOnE="}}}"#,
            "a.io/x",
            basic("u", "p:q"),
        ),
        (
            r#"{"auths":{"a.io":{"auth":"dTpwOnE="}}}"#,
            "b.io/x",
            Credentials::None,
        ),
        (
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"}}}"#,
            "team/x",
            basic("u", "p"),
        ),
        (" \n", "a.io/x", Credentials::None),
        (
            r#"{"auths":{"a.io:1/":{"auth":"dTpwAA=="}}}"#,
            "a.io:1/x",
            basic("u", "p"),
        ),
        (
            r#"{"auths":{"a.io":{"auth":"dTo=","identitytoken":"t"}}}"#,
            "a.io/x",
            Credentials::Identity("t".to_owned()),
        ),
    ];
    for (config, name, credentials) in cases {
        assert!(
            found(config, name).await.unwrap() == credentials,
            "{config} {name}"
        );
    }
    let repository = Repository::parse("x").unwrap();
    let none = Credentials::find(Some(Path::new("/nowhere")), &repository);
    assert!(none.await.unwrap() == Credentials::None);
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_an_error() {
    let cases = [
        ("{", "is no JSON as Docker writes it"),
        (
            r#"{"credsStore":"none-such"}"#,
            "names a credential helper that cannot be run",
        ),
        (
            r#"{"auths":{"a.io":{"auth":"?"}}}"#,
            "Unable to decode credential",
        ),
    ];
    for (config, words) in cases {
        let Err(error) = found(config, "a.io/x").await else {
            panic!("{config}");
        };
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
}

fn registry(real: &RealRegistry, password: Option<&str>) -> Registry {
    let repository = Repository::parse(&format!("{}/team/agent", real.host())).unwrap();
    let config = password.map(|password| real.docker_config(password));
    Registry::new(repository, surroundings(config, real.path("none"))).unwrap()
}

#[tokio::test]
async fn an_empty_registry_has_nothing() {
    let real = RealRegistry::start(Wanted::default());
    let registry = registry(&real, None);
    assert_eq!(registry.head("v1").await.unwrap(), None);
    assert_eq!(registry.tags().await.unwrap(), Vec::<String>::new());
    assert_eq!(registry.manifest("v1").await.unwrap(), None);
}

#[tokio::test]
async fn a_login_is_used_and_a_wrong_one_is_named() {
    let real = RealRegistry::start(Wanted {
        login: true,
        ..Wanted::default()
    });
    assert_eq!(
        registry(&real, Some(PASSWORD)).head("v1").await.unwrap(),
        None
    );
    for (password, cause) in [
        (None, "there are no credentials for it"),
        (Some("wrong"), "it does not accept the stored credentials"),
    ] {
        let error = registry(&real, password).head("v1").await.unwrap_err();
        shown(&error);
        assert!(format!("{error:#}").contains(cause), "{error:#}");
        assert_eq!(hint(&error), format!("docker login {}", real.host()));
    }
}

#[tokio::test]
async fn a_certificate_counts_only_where_its_ca_is_trusted() {
    let real = RealRegistry::start(Wanted {
        login: true,
        tls: true,
        ..Wanted::default()
    });
    let error = registry(&real, Some(PASSWORD))
        .head("v1")
        .await
        .unwrap_err();
    shown(&error);
    assert!(hint(&error).contains("ca.crt"), "{}", hint(&error));
    let surroundings = surroundings(Some(real.docker_config(PASSWORD)), real.certificates());
    let repository = Repository::parse(&format!("{}/team/agent", real.host())).unwrap();
    let trusting = Registry::new(repository, surroundings).unwrap();
    assert_eq!(trusting.head("v1").await.unwrap(), None);
}

/// A certificate that signed itself, and is in ca.crt.
fn signed_by_itself(real: &mut RealRegistry, is_ca: &str) -> Registry {
    real.kill();
    let made = std::process::Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=registry",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-addext", &format!("basicConstraints=critical,CA:{is_ca}")])
        .args(["-keyout", "server.key", "-out", "server.crt"])
        .current_dir(real.path(""))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::copy(real.path("server.crt"), real.path("ca.crt")).unwrap();
    real.again();
    let repository = Repository::parse(&format!("{}/team/agent", real.host())).unwrap();
    Registry::new(repository, surroundings(None, real.certificates())).unwrap()
}

#[tokio::test]
async fn a_certificate_that_is_its_own_ca_is_told_in_words() {
    let mut real = RealRegistry::start(Wanted {
        tls: true,
        ..Wanted::default()
    });
    let error = signed_by_itself(&mut real, "TRUE")
        .head("v1")
        .await
        .unwrap_err();
    let said = format!("{error:#}");
    assert!(
        said.ends_with("its certificate is its own CA, and a CA is no server"),
        "{said}"
    );
    assert!(hint(&error).contains("CA:FALSE"), "{}", hint(&error));
    // The hint helps.
    let mended = signed_by_itself(&mut real, "FALSE");
    assert_eq!(mended.head("v1").await.unwrap(), None);
}

#[tokio::test]
async fn a_registry_that_is_down_is_named() {
    let mut real = RealRegistry::start(Wanted::default());
    let registry = registry(&real, None);
    real.kill();
    let error = registry.head("v1").await.unwrap_err();
    shown(&error);
    assert!(error.to_string().contains(&real.host()), "{error:#}");
}

/// What answers each request on this machine alike, and is no registry.
fn any_server(head: &'static str, body: &'static str) -> Registry {
    server("200 OK", head, body)
}

fn server(status: &'static str, head: &'static str, body: &'static str) -> Registry {
    answering(move |_| (status, head, body))
}

/// Status, headers and body for a request.
fn answering(
    answer: impl Fn(&[u8]) -> (&'static str, &'static str, &'static str) + Send + 'static,
) -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let (status, head, body) = answer(&asked);
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let body = if asked.starts_with(b"HEAD") { "" } else { body };
            let _ = stream.write_all((reply + body).as_bytes());
        }
    });
    let repository = Repository::parse(&format!("{host}/team/agent")).unwrap();
    Registry::new(repository, surroundings(None, PathBuf::from("/nowhere"))).unwrap()
}

#[tokio::test]
async fn a_web_server_is_no_registry() {
    for (head, body, kind) in [
        ("Content-Type: text/html\r\n", "<p>Log in", "text/html"),
        (
            "Content-Type: application/json\r\n",
            "{}",
            "application/json",
        ),
        ("", "", "nothing that a registry says"),
    ] {
        let server = any_server(head, body);
        let said = [
            server.head("v1").await.unwrap_err(),
            server.manifest("v1").await.unwrap_err(),
            server.tags().await.unwrap_err(),
        ];
        let host = &server.repository().host;
        for error in said {
            let says = format!("{host} is no registry: it answered with {kind}");
            assert_eq!(format!("{error:#}"), says);
            assert!(hint(&error).contains(&format!("http://{host}/v2/")));
        }
    }
}

#[tokio::test]
async fn a_registry_that_names_no_digest_has_its_manifest_hashed() {
    const MANIFEST: &str = r#"{"schemaVersion":2,"config":{}}"#;
    let registry = any_server("", MANIFEST);
    let found = registry.head("v1").await.unwrap();
    assert_eq!(found, Some(Digest::of(MANIFEST.as_bytes())));
}

fn hint(error: &anyhow::Error) -> &str {
    let advice = error.downcast_ref::<crate::advice::Advice>();
    &advice.unwrap_or_else(|| panic!("no hint: {error:#}")).hint
}

fn shown(error: &anyhow::Error) {
    eprintln!("{error:#}\n  hint: {}", hint(error));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_nobody_tells_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("config.json");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let repository = Repository::parse("a.io/team/x").unwrap();
    let found = Credentials::find(Some(folder.path()), &repository).await;
    let error = found.err().unwrap();
    assert_eq!(error.to_string(), "could not look up the login for a.io");
    assert!(hint(&error).contains("echo a.io | docker-credential-"));
}
