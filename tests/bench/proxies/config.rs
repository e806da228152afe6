//! How nginx and HAProxy are told to do the same as the edge, as well as they can: the same headers
//! are added, and connections are kept on both sides.

use std::path::Path;

/// More requests than any connection here sees: none is closed for its age.
const MANY: u64 = 100_000_000;

pub(super) fn backend(folder: &Path, port: u16) -> String {
    let server = format!("location / {{ return 200 'ok'; }} listen 127.0.0.1:{port};");
    http(folder, "backend", "master_process off;", "", &server)
}

pub(super) fn nginx(folder: &Path, port: u16, backend: u16) -> String {
    let upstream = format!(
        "upstream agent {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests {MANY}; }}"
    );
    let server = format!(
        "listen 127.0.0.1:{port};
         location / {{
           proxy_pass http://agent;
           proxy_http_version 1.1;
           proxy_set_header Connection '';
           proxy_set_header Host $http_host;
           proxy_set_header X-Forwarded-Host $http_host;
           proxy_set_header X-Forwarded-Proto $scheme;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
         }}"
    );
    http(folder, "proxy", "worker_processes 2;", &upstream, &server)
}

fn http(folder: &Path, name: &str, processes: &str, upstream: &str, server: &str) -> String {
    let folder = folder.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let scratch = kinds.map(|kind| format!("{kind}_temp_path {folder}/{name}-{kind};"));
    format!(
        "daemon off;
         {processes}
         pid {folder}/{name}.pid;
         error_log stderr crit;
         events {{ worker_connections 1024; }}
         http {{
           access_log off;
           {}
           {upstream}
           server {{ keepalive_requests {MANY}; {server} }}
         }}",
        scratch.join(" ")
    )
}

pub(super) fn haproxy(port: u16, backend: u16) -> String {
    format!(
        "global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend users
  bind 127.0.0.1:{port}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  default_backend agent
backend agent
  http-reuse always
  server one 127.0.0.1:{backend}
"
    )
}
