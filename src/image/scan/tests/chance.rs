//! Values by chance, and what was never one.

use super::*;

const DIGITS: &str = "0123456789";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SIGNS: &str = "!@#%^&*-_=+";

/// The same in every run.
fn by_chance(letters: &str, length: usize) -> impl Iterator<Item = String> {
    let letters: Vec<_> = letters.chars().collect();
    let mut stream = blake3::Hasher::new().finalize_xof();
    std::iter::from_fn(move || {
        let mut value = String::new();
        while value.len() < length {
            let mut byte = [0];
            stream.fill(&mut byte);
            let most = 256 / letters.len() * letters.len();
            let letter = Some(usize::from(byte[0])).filter(|at| *at < most);
            value.extend(letter.map(|at| letters[at % letters.len()]));
        }
        Some(value)
    })
}

/// The figures in docs/images.md: `cargo test --lib by_chance -- --nocapture`.
#[test]
fn values_by_chance_are_found() {
    let base62 = [DIGITS, SMALL, CAPITALS].concat();
    let signs = [&base62, SIGNS].concat();
    let hexadecimal = &[DIGITS, &SMALL[..6]].concat();
    let base32 = &[CAPITALS, &DIGITS[2..8]].concat();
    let quoted = ("password = \"", "\"");
    let bare = ("DB_PASSWORD=", "");
    let of_key = ("STRIPE_KEY=", "");
    let option = ("x --password ", "");
    let in_json = ("{\"a\": \"{\\\"password\\\": \\\"", "\\\"}\"}");
    let mut reader = Reader::new().unwrap();
    for ((before, after), letters, length, most) in [
        (quoted, &base62, 12, 10),
        (quoted, &base62, 16, 3),
        (quoted, &base62, 24, 0),
        (bare, &base62, 12, 10),
        (bare, &base62, 16, 3),
        (bare, &base62, 24, 0),
        (quoted, &signs, 20, 10),
        // One that begins with `=` is read as a comparison, one with `&a=` as of a URL.
        (bare, &signs, 20, 40),
        (quoted, &[SMALL, CAPITALS].concat(), 32, 0),
        (quoted, &SMALL.to_owned(), 20, 30),
        (quoted, hexadecimal, 16, 30),
        (quoted, hexadecimal, 32, 0),
        (of_key, &base62, 16, 3),
        (of_key, &base62, 32, 0),
        (option, &base62, 16, 3),
        (in_json, &base62, 16, 3),
        (("hf_", ""), &[SMALL, CAPITALS].concat(), 34, 0),
        (("glpat-", ""), &base62, 20, 3),
        (("sk_live_", ""), &base62, 24, 0),
        (("AKIA", ""), base32, 16, 5),
    ] {
        let missed = by_chance(letters, length).take(1000).filter(|value| {
            let text = [before, value, after, "\n"].concat();
            let found = reader.read("f", &mut text.as_bytes(), |_| ());
            found.unwrap().is_empty()
        });
        let missed: Vec<_> = missed.collect();
        let count = missed.len();
        println!("{before}…{after}  {length} of {}: {count}", letters.len());
        assert!(count <= most, "{before} {length}: {missed:?}");
    }
}

#[test]
fn names_words_and_paths_are_no_values() {
    for value in [
        "AWSSecretAccessKey",
        "HpkePrivateKey",
        "SSHCertPrivateKeyTypes",
        "LastEvaluatedBackupArn",
        "V1SecretVolumeSource",
        "V1beta1TokenReviewSpec",
        "xmlHttpRequestFactory2",
        "pbkdf2-with-hmac-sha256",
        "AES256_GCM_SHA384",
        "my-very-long-secret-name-2",
        "projects/demo/secrets/api-key/versions/2",
        "CLOUDSDK_PROXY_PASSWORD_value",
        "correct-horse-battery-staple",
        "thisisnotasecret",
        "CHANGEME1234567",
        "your-api-key-here",
        "xxxxxxxxxxxxxxxxxxxxx",
        "1234567890123456",
        "2026-11-30T16:43:22",
        "$(openssl_rand_16_q7Zr2Kx9)",
        "${q7Zr2Kx9Vb4Mn8Lc1Ws6}",
        "%{q7Zr2Kx9Vb4Mn8Lc1Ws6}",
        "%q7Zr2Kx9Vb4Mn8Lc1Ws6%",
        "AWSAccessKeyId",
        "<q7Zr2Kx9Vb4Mn8Lc1Ws6>",
        "/etc/ssl/private/db-client.pem",
        "https://vault.internal:8200/v1/kv2",
        "C:\\Users\\app\\secret.txt",
        "self.config.secret_value_2",
        "os.environ[\"API_KEY_2\"]",
        "settings.tokens[idx]",
    ] {
        for text in [
            format!("API_TOKEN={value}"),
            format!("  password: {value}"),
            format!("password = \"{value}\""),
        ] {
            assert_eq!(what(&format!("{text}\n")), None, "{text}");
        }
    }
    let long = "hf_dissector_of_the_protocol_by_name hf_conversationIdentificationNumbersAB";
    assert_eq!(what(long), None);
}

#[test]
fn a_value_without_quotes_may_have_signs() {
    for (name, value) in [
        ("DB_PASSWORD=", "q7Z!r2Kx9@Vb4#Mn"),
        ("  password: ", "kT%9w^Lm&2Qx*z~R"),
        ("DB_PASSWORD=", "Xq.mT:wz?RkPjBnV"),
        ("DB_PASSWORD=", "%q7Z!r2Kx9@Vb4Mn"),
        ("/login?token=", "q7Zr2Kx9Vb4Mn&page=2"),
    ] {
        assert!(what(&format!("{name}{value}\n")).is_some(), "{value}");
    }
    assert_eq!(what("/chat?token=abc&tok%65n=cde&q=1\n"), None);
}
