//! One connection to the engine, whatever lies between.

use std::fs;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;
use tokio_rustls::TlsConnector;

use super::place::{Certificates, Place, Ssh};

pub(super) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

/// Bytes to the engine and back.
pub(super) struct Wire(Box<dyn Both>);

/// What `ssh` wrote beside the connection: why there is none.
pub(super) type Said = Arc<Mutex<String>>;

pub(super) async fn dial(place: &Place, said: &Said) -> io::Result<Wire> {
    Ok(Wire(match place {
        Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Place::Tcp(address) => Box::new(tcp(address).await?),
        Place::Tls(address, certificates) => Box::new(tls(address, certificates).await?),
        Place::Ssh(ssh) => Box::new(over_ssh(ssh, said)?),
    }))
}

async fn tcp(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn tls(address: &str, certificates: &Certificates) -> io::Result<impl Both + use<>> {
    let config = client_config(certificates)?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = tcp(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn client_config(certificates: &Certificates) -> io::Result<ClientConfig> {
    if certificates.unverified {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the Docker context says not to verify whom it talks to, and agentctl always does",
        ));
    }
    let mut trusted = RootCertStore::empty();
    let ca = certificates.ca.as_ref().ok_or_else(|| {
        let what = match certificates.folder.to_str() {
            Some("") => "there is no ca.pem that says whom to trust".to_owned(),
            _ => format!("there is no ca.pem in {}", certificates.folder.display()),
        };
        io::Error::new(io::ErrorKind::NotFound, what)
    })?;
    for certificate in CertificateDer::pem_slice_iter(&read(ca)?) {
        let certificate = certificate.map_err(|error| unreadable(ca, error))?;
        trusted
            .add(certificate)
            .map_err(|error| unreadable(ca, error))?;
    }
    let config = ClientConfig::builder().with_root_certificates(trusted);
    let Some((certificate, key)) = &certificates.own else {
        return Ok(config.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(certificate, error))?;
    let private =
        PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| unreadable(key, error))?;
    config
        .with_client_auth_cert(chain, private)
        .map_err(|error| unreadable(key, error))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> io::Error {
    let what = format!("could not use {}: {error}", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// As `docker` does it: its own command over there passes the bytes on.
fn over_ssh(ssh: &Ssh, said: &Said) -> io::Result<impl Both + use<>> {
    let mut command = Command::new("ssh");
    command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]);
    if let Some(port) = ssh.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["--", &ssh.destination, "docker"]);
    if let Some(socket) = &ssh.socket {
        command.arg(format!("--host=unix://{socket}"));
    }
    command.args(["system", "dial-stdio"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let ends = child.stdout.take().zip(child.stdin.take());
    let (output, input) = ends.ok_or(io::ErrorKind::BrokenPipe)?;
    let (errors, said) = (child.stderr.take(), said.clone());
    // It ends by itself once its input is closed.
    tokio::spawn(async move {
        let mut text = String::new();
        if let Some(mut errors) = errors {
            let _ = errors.read_to_string(&mut text).await;
        }
        if let Ok(mut said) = said.lock() {
            *said = text;
        }
        let _ = child.wait().await;
    });
    Ok(tokio::io::join(output, input))
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
