//! Certificates, and a server's side of TLS that wants one of its clients too.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// Lets in who has the certificate of `client`.
pub(crate) fn config(folder: &Path) -> ServerConfig {
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

/// In folders `server`, `client` and `stranger`: `cert.pem`, `key.pem` and `ca.pem`.
pub(crate) fn certificates(folder: &Path) {
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
