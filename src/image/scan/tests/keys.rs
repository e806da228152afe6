//! Names that end in `key`, and options and commands that take a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// `VALUE` stands for one by chance.
fn found(text: &str) -> bool {
    what(&text.replace("VALUE", &key("", 32))).is_some()
}

#[test]
fn keys_are_found_by_what_they_are_for() {
    for text in [
        "PRIVATE_KEY=\"VALUE\"",
        "{\"privateKey\": \"VALUE\"}",
        "APIKEY=VALUE",
        "X-Api-Key: VALUE",
        "curl -H 'X-API-Key: VALUE'",
        "Api-Key = \"VALUE\"",
        "ENCRYPTION_KEY=VALUE",
        "SIGNING_KEY: VALUE",
        "MASTER_KEY='VALUE'",
        "JWT_KEY=VALUE",
        "OPENAI_KEY=VALUE",
        "AZURE_OPENAI_KEY = \"VALUE\"",
        "STRIPE_KEY: \"VALUE\"",
        "ACCOUNT_KEY=VALUE",
        "SESSION_KEY=VALUE",
        "fernet_key = \"VALUE\"",
        "sas_key = 'VALUE'",
        "storage_key=VALUE",
        "service_key: VALUE",
        "const signingKey = `VALUE`;",
        "define('STRIPE_KEY', 'VALUE');",
        "- name: STRIPE_KEY\n  value: VALUE",
        "DB_PW=VALUE",
        "db_pw: \"VALUE\"",
    ] {
        assert!(found(text), "{text}");
    }
}

#[test]
fn many_things_have_a_key_that_is_no_secret() {
    for name in [
        "key",
        "KEY",
        "Key",
        "cache_key",
        "CACHE_KEY",
        "cacheKey",
        "primary_key",
        "sort_key",
        "public_key",
        "PUBLIC_KEY",
        "publicKey",
        "foreign_key",
        "partition_key",
        "key_id",
        "object_key",
        "i18n_key",
        "i18n key",
        "NEXT_PUBLIC_STRIPE_KEY",
        "signing_pubkey",
        "Sec-WebSocket-Key",
        "oauth_consumer_key",
        "keyword",
        "monkey",
        "stripe_key_name",
        "AWS::KMS::MasterKey",
        "DB_PWX",
    ] {
        for text in [format!("{name} = \"VALUE\""), format!("{name}: VALUE")] {
            assert!(!found(&text), "{text}");
        }
    }
    for text in [
        "STRIPE_KEY=from-the-vault-of-the-team",
        "STRIPE_KEY=q7Zr2Kx9Vb4",
        "static LEGACY_KEY: &dyn SignatureVerificationAlgorithm =\n    &AwsLcRsAlgorithm {",
    ] {
        assert!(!found(text), "{text}");
    }
}

#[test]
fn options_and_commands_that_take_a_secret_are_read() {
    for text in [
        "x --password VALUE",
        "x --db-password 'VALUE' --quiet",
        "RUN x --password VALUE && y",
        "CMD [\"--password\",\"VALUE\"]",
        "args: [--api-key, VALUE]",
        "args:\n  - --token\n  - VALUE\n",
        "args:\n  - \"--token\"\n  - \"VALUE\"\n",
        "curl -u user:VALUE https://a.company.net",
        "curl -sSu 'user:VALUE' https://a.company.net",
        "curl https://a.company.net \\\n  --user \"user:VALUE\"",
    ] {
        assert!(found(text), "{text}");
    }
    for text in [
        "x --password-file VALUE",
        "x password VALUE",
        "x --password $VALUE",
        "x --password correct-horse-battery-staple",
        "curl -u user:$VALUE https://a.company.net",
        "curl -u user:{{VALUE}} https://a.company.net",
        "curl -u user:password https://a.company.net",
        "curl https://a.company.net\nx -u user:VALUE",
        "curl --url user:VALUE",
    ] {
        assert!(!found(text), "{text}");
    }
}

#[test]
fn values_are_found_in_text_within_text() {
    for text in [
        r#"{"a": "{\"password\":\"VALUE\"}"}"#,
        r#"{"a": "{\\\"password\\\": \\\"VALUE\\\"}"}"#,
        r#"   "openai.api_key = \"VALUE\"\n","#,
        r#"   "!export API_KEY=VALUE\n","#,
        r#"   "[{\"name\": \"API_KEY\", \"value\": \"VALUE\"}]","#,
    ] {
        assert!(found(text), "{text}");
    }
    for text in [
        r"PASSWORD=C:\new\folder\q7Zr2Kx9Vb4",
        r#""api_key = \"<VALUE>\"\n""#,
        r#""api_key = \"${VALUE}\"\n""#,
    ] {
        assert!(!found(text), "{text}");
    }
}

#[test]
fn an_encoded_private_key_may_have_lines() {
    for begins in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let dashes = "-----";
        let pem = format!(
            "{dashes}BEGIN {begins}{dashes}\n{}\n{dashes}END",
            key("", 64)
        );
        let encoded = STANDARD.encode(pem);
        let lines = |width: usize, end: &str| {
            let lines = encoded.as_bytes().chunks(width);
            let lines: Vec<_> = lines
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            lines.join(end)
        };
        for text in [
            encoded.clone(),
            lines(64, "\n"),
            lines(76, "\r\n    "),
            lines(64, "\\n"),
            lines(64, "\"\n  \""),
        ] {
            assert_eq!(what(&text), Some("a private key"), "{text}");
        }
    }
    let public = STANDARD.encode(format!("-----BEGIN PUBLIC KEY-----\n{}\n", key("", 64)));
    assert_eq!(what(&public), None);
    assert_eq!(what("grep LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t"), None);
}
