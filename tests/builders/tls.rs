//! An engine behind TLS: what is said to a port of this machine goes to the engine's socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

use crate::support::tls::{certificates, config};

const SOCKET: &str = "/var/run/docker.sock";

/// It ends with the tests.
pub(super) struct Proxy {
    pub(super) address: String,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// Lets in who has the certificate of `client`.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let acceptor = TlsAcceptor::from(Arc::new(config(folder.path())));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || runtime.block_on(serve(acceptor, listener)));
        Self { address, folder }
    }

    /// A folder with `ca.pem`, `cert.pem` and `key.pem`.
    pub(super) fn client(&self) -> PathBuf {
        self.folder.path().join("client")
    }

    /// The same for somebody whom nobody vouches for.
    pub(super) fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger")
    }
}

async fn serve(acceptor: TlsAcceptor, listener: std::net::TcpListener) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(pass(acceptor.clone(), stream));
    }
}

async fn pass(acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut outside = acceptor.accept(stream).await?;
    let mut engine = UnixStream::connect(SOCKET).await?;
    tokio::io::copy_bidirectional(&mut outside, &mut engine).await?;
    Ok(())
}
