//! Requests per second through the edge, nginx and haproxy: two workers each, 64 connections that
//! are kept, a reply of two bytes, and the same headers added by each.
//!
//! Needs `nginx`, `haproxy` and `wrk`. Contenders take turns, so that whatever else the machine
//! does meets all of them; `direct` is the backend alone, the bound of what can be had.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const REPEATS: usize = 7;
const SECONDS: u32 = 3;

/// A server that ends with this.
struct Running {
    name: &'static str,
    address: SocketAddr,
    process: Child,
}

impl Drop for Running {
    /// SIGTERM first: nginx ends its workers only then.
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.process.wait();
    }
}

/// One run of wrk; times in milliseconds.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50: f64,
    p99: f64,
}

pub(crate) fn run() {
    let dir = tempfile::tempdir().expect("a folder for configurations");
    let backend = start_backend(dir.path());
    let contenders = [
        start_nginx(dir.path(), backend.address),
        start_haproxy(dir.path(), backend.address),
        start_agent(backend.address),
    ];
    let all: Vec<&Running> = std::iter::once(&backend).chain(&contenders).collect();
    let mut figures = vec![Vec::new(); all.len()];
    for _ in 0..REPEATS {
        for (running, figures) in all.iter().zip(&mut figures) {
            figures.push(measure(running.address));
        }
    }
    println!("| | requests/s | p50 ms | p99 ms |\n|---|---|---|---|");
    for (running, figures) in all.iter().zip(&figures) {
        println!("{}", row(running.name, figures));
    }
}

/// Starts the edge in front of `backend`, with two workers.
///
/// `EDGE` names a program that does so when it is given the address to listen on and the
/// backend's, and runs until SIGTERM.
fn start_agent(backend: SocketAddr) -> Running {
    let edge = std::env::var("EDGE").expect("EDGE must name a program that starts an edge");
    let address = free_address();
    let mut command = Command::new(edge);
    command.args([address.to_string(), backend.to_string()]);
    start("agentctl", address, command)
}

fn start_backend(dir: &Path) -> Running {
    let location = r#"default_type text/plain; return 200 "ok";"#;
    nginx("direct", dir, 1, "", location)
}

fn start_nginx(dir: &Path, backend: SocketAddr) -> Running {
    let upstream = format!(
        "upstream backend {{ server {backend}; keepalive 64; keepalive_requests 1000000000; }}"
    );
    let location = r#"proxy_pass http://backend; proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"#;
    nginx("nginx", dir, 2, &upstream, location)
}

fn nginx(name: &'static str, dir: &Path, workers: u32, upstream: &str, location: &str) -> Running {
    let address = free_address();
    let files = dir.join(name).display().to_string();
    let text = format!(
        "worker_processes {workers}; daemon off; pid {files}.pid; error_log {files}.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; keepalive_requests 1000000000;
            {upstream}
            server {{ listen {address}; location / {{ {location} }} }}
        }}"
    );
    let file = write(dir, &format!("{name}.conf"), &text);
    let mut command = Command::new("nginx");
    command.args(["-c", &file]);
    start(name, address, command)
}

fn start_haproxy(dir: &Path, backend: SocketAddr) -> Running {
    let address = free_address();
    let text = format!(
        "global
  nbthread 2
  maxconn 4096
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind {address}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  default_backend back
backend back
  server one {backend}
"
    );
    let file = write(dir, "haproxy.cfg", &text);
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f", &file]);
    start("haproxy", address, command)
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let file = dir.join(name);
    std::fs::write(&file, text).expect("a configuration");
    file.display().to_string()
}

/// Waits until it takes connections.
fn start(name: &'static str, address: SocketAddr, mut command: Command) -> Running {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let process = command.spawn();
    let process = process.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    let running = Running {
        name,
        address,
        process,
    };
    let start = Instant::now();
    while !answers(address) {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{name} does not answer"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let asked = stream.write_all(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    let mut reply = String::new();
    asked.is_ok() && stream.read_to_string(&mut reply).is_ok() && reply.ends_with("ok")
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

fn measure(address: SocketAddr) -> Figures {
    let seconds = format!("-d{SECONDS}s");
    let url = format!("http://{address}/");
    let output = Command::new("wrk")
        .args(["-t1", "-c64", &seconds, "--latency", &url])
        .output()
        .expect("wrk runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !text.contains("Non-2xx") && !text.contains("Socket errors"),
        "{text}"
    );
    Figures {
        per_second: value(&text, "Requests/sec:").parse().expect("a number"),
        p50: millis(value(&text, "50%")),
        p99: millis(value(&text, "99%")),
    }
}

/// The word after `name` in what wrk prints.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let mut words = text.split_whitespace();
    words.find(|word| *word == name).expect("wrk tells it");
    words.next().expect("wrk tells it")
}

fn millis(text: &str) -> f64 {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.parse().expect("a number");
    match unit {
        "us" => number / 1_000.0,
        "ms" => number,
        _ => number * 1_000.0,
    }
}

fn row(name: &str, figures: &[Figures]) -> String {
    let per_second = spread(figures.iter().map(|f| f.per_second), 0);
    let p50 = spread(figures.iter().map(|f| f.p50), 2);
    let p99 = spread(figures.iter().map(|f| f.p99), 2);
    format!("| {name} | {per_second} | {p50} | {p99} |")
}

/// Median and range.
fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[0], values[values.len() - 1]);
    let median = values[values.len() / 2];
    format!("{median:.digits$} ({low:.digits$}–{high:.digits$})")
}
