use super::*;

/// Lines that reach a replica, sorted.
fn sent(uri: &str, version: Version, headers: &[(&str, &str)]) -> (String, Vec<String>) {
    let mut request = Request::builder().uri(uri).version(version);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    to_replica(&mut head, &HeaderValue::from_static("10.0.0.1"));
    assert_eq!(head.version, Version::HTTP_11);
    (head.uri.to_string(), lines(&head.headers))
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn who_asks_is_told() {
    let (_, lines) = sent("/", Version::HTTP_11, &[("host", "agent.example")]);
    assert_eq!(
        lines,
        [
            "host: agent.example",
            "x-forwarded-for: 10.0.0.1",
            "x-forwarded-host: agent.example",
            "x-forwarded-proto: http",
        ]
    );
}

#[test]
fn what_a_proxy_before_has_told_is_kept() {
    let told = [
        ("host", "a"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2"),
        ("x-forwarded-host", "b"),
        ("x-forwarded-proto", "https"),
    ];
    let (_, lines) = sent("/", Version::HTTP_11, &told);
    assert_eq!(
        lines,
        [
            "host: a",
            "x-forwarded-for: 1.1.1.1, 2.2.2.2, 10.0.0.1",
            "x-forwarded-host: b",
            "x-forwarded-proto: https",
        ]
    );
}

#[test]
fn headers_of_one_connection_stay_on_it() {
    let headers = [
        ("host", "a"),
        ("connection", "close, X-Secret, host"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "x"),
        ("te", "gzip, trailers"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("x-secret", "1"),
        ("x-mine", "2"),
    ];
    let (_, lines) = sent("/", Version::HTTP_11, &headers);
    let left: Vec<_> = lines
        .iter()
        .filter(|line| !line.starts_with("x-forwarded"))
        .collect();
    assert_eq!(left, ["host: a", "te: trailers", "x-mine: 2"]);
}

#[test]
fn an_upgrade_is_passed_on_to_those_who_may_ask_for_it() {
    let asks = [
        ("host", "a"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
    ];
    let (_, lines) = sent("/", Version::HTTP_11, &asks);
    assert_eq!(
        lines[..3],
        ["connection: upgrade", "host: a", "upgrade: websocket"]
    );
    let (_, lines) = sent("/", Version::HTTP_10, &asks);
    assert!(
        !lines.iter().any(|line| line.contains("pgrade")),
        "{lines:?}"
    );
}

#[test]
fn a_replica_is_asked_for_a_path_at_some_host() {
    let (path, lines) = sent(
        "http://real.example/a?b=c",
        Version::HTTP_11,
        &[("host", "x")],
    );
    assert_eq!(
        (path.as_str(), lines[0].as_str()),
        ("/a?b=c", "host: real.example")
    );
    let (path, lines) = sent("/", Version::HTTP_10, &[]);
    assert_eq!((path.as_str(), lines[0].as_str()), ("/", "host: localhost"));
}
