use super::place::{Certificates, Place, Ssh};

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
