//! Whoever gives out a registry's tokens: a login comes in, a signed right goes out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::registry::{PASSWORD, USER};

pub(crate) const IDENTITY: &str = "identity-of-anna";
const SERVICE: &str = "registry";
const ISSUER: &str = "tests";

/// Its thread ends with the test's process.
pub(crate) struct Tokens {
    dir: tempfile::TempDir,
    port: u16,
    /// The method and the scopes of each request.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

struct Signer {
    key: PathBuf,
    certificate: String,
    /// What everybody may do.
    rights: &'static [&'static str],
}

impl Tokens {
    pub(crate) fn start(rights: &'static [&'static str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let signer = Signer::make(dir.path(), rights);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let asked = signer.answer(stream.unwrap());
                log.lock().unwrap().push(asked);
            }
        });
        Self { dir, port, asked }
    }

    /// That part of a registry's configuration.
    pub(crate) fn auth(&self) -> Value {
        json!({ "token": {
            "realm": format!("http://127.0.0.1:{}/token", self.port),
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": self.dir.path().join("token.crt"),
        } })
    }
}

struct Asked {
    method: String,
    login: Option<String>,
    /// Of the URL, or of the form that was posted.
    fields: Vec<(String, String)>,
}

impl Signer {
    fn make(folder: &Path, rights: &'static [&'static str]) -> Self {
        let args = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens \
                    -keyout token.key -out token.crt";
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).args(args.split_whitespace());
        assert!(openssl.output().unwrap().status.success());
        let pem = std::fs::read_to_string(folder.join("token.crt")).unwrap();
        let lines = pem.lines().filter(|line| !line.starts_with('-'));
        Self {
            key: folder.join("token.key"),
            certificate: lines.collect(),
            rights,
        }
    }

    fn answer(&self, mut stream: TcpStream) -> String {
        let asked = Asked::read(&mut stream);
        let (status, body) = match asked.is_known() {
            true => ("200 OK", self.given(&asked)),
            false => ("401 Unauthorized", json!({ "details": "who are you?" })),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes());
        format!("{} {}", asked.method, asked.scopes().join(" "))
    }

    /// By both names, as large registries do.
    fn given(&self, asked: &Asked) -> Value {
        let scopes = asked.scopes();
        let access: Vec<_> = scopes.iter().map(|scope| self.access(scope)).collect();
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "iss": ISSUER, "sub": USER, "aud": SERVICE, "jti": "1",
            "iat": now, "nbf": now - 60, "exp": now + 300, "access": access,
        });
        let token = self.signed(&claims);
        json!({ "token": token, "access_token": token, "expires_in": 300 })
    }

    /// `repository:team/bot:pull,push`
    fn access(&self, scope: &str) -> Value {
        let mut parts = scope.splitn(3, ':');
        let [kind, name, actions] = [(); 3].map(|()| parts.next().unwrap());
        let allowed = actions.split(',').filter(|act| self.rights.contains(act));
        json!({ "type": kind, "name": name, "actions": allowed.collect::<Vec<_>>() })
    }

    fn signed(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [self.certificate] });
        let parts = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = parts.join(".");
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = openssl.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        let signature = openssl.wait_with_output().unwrap().stdout;
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Asked {
    fn read(stream: &mut TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let (mut login, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => login = Some(value.to_owned()),
                "content-length" => length = value.parse().unwrap(),
                _ => (),
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut words = first.split(' ').map(str::to_owned);
        let [method, url] = [(); 2].map(|()| words.next().unwrap());
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let body = String::from_utf8(body).unwrap();
        Self {
            method,
            login,
            fields: fields(query).chain(fields(&body)).collect(),
        }
    }

    fn is_known(&self) -> bool {
        let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let refreshes = self
            .fields
            .contains(&("refresh_token".into(), IDENTITY.into()));
        self.login == Some(basic) || refreshes
    }

    fn scopes(&self) -> Vec<String> {
        let all = self.fields.iter().filter(|(name, _)| name == "scope");
        let all = all.flat_map(|(_, value)| value.split(' '));
        all.map(str::to_owned).collect()
    }
}

fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), plain(value)))
}

/// As forms write it: `+` and `%2F`.
fn plain(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().replace('+', " ").into_bytes();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].replace('+', " ").bytes());
    }
    String::from_utf8(bytes).unwrap()
}
