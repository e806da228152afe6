//! What is not believed of a registry, or of what stands before it.

use super::*;

#[tokio::test]
async fn what_is_no_digest_is_named() {
    let registry = any_server("Docker-Content-Digest: garbage\r\n", "{}");
    let error = registry.head("v1").await.unwrap_err();
    let host = &registry.repository().host;
    let says = format!("the registry {host} names an image by no digest");
    assert_eq!(error.to_string(), says);
    assert!(hint(&error).contains("/v2/"), "{}", hint(&error));
}

#[tokio::test]
async fn only_what_is_gone_is_deleted() {
    const THERE: &str = "Docker-Content-Digest: \
         sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n";
    let image = Digest::of(b"");
    let before = answering(|asked| match asked.starts_with(b"DELETE") {
        true => ("404 Not Found", "", ""),
        false => ("200 OK", THERE, ""),
    });
    let error = before.delete(&image).await.unwrap_err();
    let host = &before.repository().host;
    let says = format!("the registry {host} did not delete {image}");
    assert_eq!(error.to_string(), says);
    assert!(hint(&error).contains("a proxy"), "{}", hint(&error));
    let gone = server("404 Not Found", "", "");
    assert!(!gone.delete(&image).await.unwrap());
    let takes_it = server("202 Accepted", "", "");
    assert!(takes_it.delete(&image).await.unwrap());
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    for (status, words) in [
        ("400 Bad Request", "image.repository"),
        ("413 Payload Too Large", "client_max_body_size"),
    ] {
        let error = server(status, "", "").head("v1").await.unwrap_err();
        assert!(hint(&error).contains(words), "{}", hint(&error));
    }
}

/// Broken credentials count where somebody asks for them.
#[tokio::test]
async fn a_login_that_nobody_wants_may_be_broken() {
    let folder = tempfile::tempdir().unwrap();
    let helper = r#"{"credsStore":"none-such"}"#;
    std::fs::write(folder.path().join("config.json"), helper).unwrap();
    let credentials = async |status: &'static str| {
        let there = server(status, "", "").repository().clone();
        let surroundings = surroundings(Some(folder.path().to_owned()), "/nowhere".into());
        Registry::new(there, surroundings)
            .unwrap()
            .credentials()
            .await
    };
    assert!(credentials("200 OK").await.unwrap() == Credentials::None);
    assert!(credentials("401 Unauthorized").await.is_err());
}

#[test]
fn what_is_no_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let of_it = folder.path().join("a.io");
    std::fs::create_dir(&of_it).unwrap();
    for garbage in ["", "garbage", "-----BEGIN CERTIFICATE-----\n!\n"] {
        std::fs::write(of_it.join("ca.crt"), garbage).unwrap();
        let repository = Repository::parse("a.io/team/x").unwrap();
        let made = Registry::new(repository, surroundings(None, folder.path().to_owned()));
        let error = made.err().unwrap();
        assert!(error.to_string().ends_with("a.io/ca.crt"), "{error:#}");
        assert!(hint(&error).contains("PEM"), "{}", hint(&error));
    }
}
