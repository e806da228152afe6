//! An engine behind TLS: what is said to a port of this machine goes to the engine's socket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

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

fn config(folder: &Path) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate(&folder.join("ca.pem"))).unwrap();
    let who = WebPkiClientVerifier::builder_with_provider(trusted.into(), provider.clone());
    let key = PrivateKeyDer::from_pem_file(folder.join("server/key.pem")).unwrap();
    let own = certificate(&folder.join("server/cert.pem"));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(who.build().unwrap())
        .with_single_cert(vec![own], key)
        .unwrap()
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

fn certificates(folder: &Path) {
    authority(folder, "ca");
    authority(folder, "other");
    signed(folder, "server", "ca", "subjectAltName=IP:127.0.0.1");
    signed(folder, "client", "ca", "extendedKeyUsage=clientAuth");
    signed(folder, "stranger", "other", "extendedKeyUsage=clientAuth");
}

const NEW: &str = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

fn authority(folder: &Path, name: &str) {
    let made = format!("{NEW} -x509 -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem");
    openssl(folder, &made);
}

fn signed(folder: &Path, name: &str, by: &str, extension: &str) {
    let own = folder.join(name);
    fs::create_dir(&own).unwrap();
    fs::write(own.join("extension"), extension).unwrap();
    let asked = format!("{NEW} -subj /CN={name} -keyout {name}/key.pem -out {name}/asked");
    openssl(folder, &asked);
    let signed = format!(
        "x509 -req -in {name}/asked -CA {by}.pem -CAkey {by}.key -CAcreateserial -days 2 \
         -extfile {name}/extension -out {name}/cert.pem"
    );
    openssl(folder, &signed);
    fs::copy(folder.join("ca.pem"), own.join("ca.pem")).unwrap();
}

fn openssl(folder: &Path, args: &str) {
    let mut command = Command::new("openssl");
    let ran = command.args(args.split_whitespace()).current_dir(folder);
    let ran = ran.output().unwrap();
    assert!(ran.status.success(), "{args}: {ran:?}");
}
