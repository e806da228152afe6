//! The ways in which values are written down.

use super::*;

#[test]
fn text_of_two_bytes_a_letter_is_text() {
    let text = format!("é\r\nПароль\r\nPASSWORD={}\r\n", key("", 24));
    let wide = |bytes: fn(u16) -> [u8; 2]| {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(bytes).collect::<Vec<_>>()
    };
    for bytes in [wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
        let found = scan("f", &bytes);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, Some(3));
        let mut hashed = Vec::new();
        let mut reader = Reader::new().unwrap();
        let mut slow = std::io::Read::chain(&bytes[..7], &bytes[7..]);
        let found = reader.read("f", &mut slow, |bytes| hashed.extend(bytes));
        assert_eq!((found.unwrap().len(), &hashed), (1, &bytes));
    }
}

#[test]
fn text_of_two_bytes_a_letter_may_have_no_mark() {
    let text = format!("# of the database\nPASSWORD={}\n", key("", 24));
    let lines = |bytes: fn(u16) -> [u8; 2]| {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
        scan("f", &bytes).first().map(|finding| finding.line)
    };
    assert_eq!(lines(u16::to_le_bytes), Some(Some(2)));
    assert_eq!(lines(u16::to_be_bytes), Some(Some(2)));
}

#[test]
fn a_value_may_stand_below_its_name() {
    let value = key("", 24);
    for text in [
        format!("password: |\n  {value}"),
        format!("  password: >-\n    {value}"),
        format!("password: |2\r\n  {value}"),
        format!("password:\n  {value}"),
        format!("{{\"password\":\n  \"{value}\"}}"),
        format!("API_KEY = (\n    \"{value}\"\n)"),
        format!("API_KEY = \\\n    '{value}'"),
        format!("const apiKey =\n    '{value}';"),
        format!("- name: DB_PASSWORD\n  value: {value}"),
        format!("- name: \"DB_PASSWORD\"\n  value: \"{value}\""),
        format!("- {{name: DB_PASSWORD, value: {value}}}"),
        format!("{{\"name\": \"DB_PASSWORD\",\n   \"value\": \"{value}\"}}"),
        format!("{{\"Name\":\"API_TOKEN\",\"Value\":\"{value}\"}}"),
        format!("<add key=\"DbPassword\" value=\"{value}\"/>"),
    ] {
        let found = scan("f", format!("\n{text}\n").as_bytes());
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].line, Some(2), "{text}");
    }
    for text in [
        format!("API_KEY=\nDB_ID={value}"),
        format!("  API_KEY=\n  id={value}"),
        format!("password:\nid: {value}"),
        format!("password:\n  id: {value}"),
        format!("password: |\n{value}"),
        "password: |\n  changeme-1234567890".to_owned(),
        "password: |\n  ${DB_PASSWORD_12345}".to_owned(),
        "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231346132".to_owned(),
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db-password-1a2b3c4d5e"
            .to_owned(),
        "- name: DB_PASSWORD\n  value: $(PASSWORD_FROM_12)".to_owned(),
        "- name: DB_PASSWORD\n  value: your-password-12345".to_owned(),
        format!("- name: DB_PASSWORD\n- name: HASH\n  value: {value}"),
    ] {
        assert_eq!(what(&format!("{text}\n")), None, "{text}");
    }
}

#[test]
fn logins_in_headers_are_found() {
    let token = key("", 24);
    let said = Some("a login in a header");
    // hunter2-hunter3 of anna
    let basic = "YW5uYTpodW50ZXIyLWh1bnRlcjM=";
    for text in [
        format!("Authorization: Bearer {token}"),
        format!("curl -H 'authorization: bearer {token}'"),
        format!("{{\"Authorization\": \"Bearer {token}\"}}"),
        format!("request.header(\"Authorization\", \"Bearer {token}\")"),
        format!("AUTHORIZATION=Bearer {token}"),
        format!("Authorization: Basic {basic}"),
        format!("'Proxy-Authorization' => 'Basic {basic}'"),
    ] {
        assert_eq!(what(&format!("{text}\n")), said, "{text}");
    }
    for text in [
        &format!("Bearer {token}"),
        "Authorization: Bearer <token>",
        "Authorization: Bearer ${TOKEN_1}",
        "Authorization: Bearer YOUR-TOKEN-1234-abcd-5678",
        "Authorization: Bearer mF_9.B5f-4.1JqM",
        "Authorization: Bearer xxxxxxxxxxxxxxxxxxxx12",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        "Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        "Authorization: Basic <credentials>",
        "Authorization: Basic usage",
    ] {
        assert_eq!(what(&format!("{text}\n")), None, "{text}");
    }
}

#[test]
fn a_url_may_end_with_the_file() {
    let url = format!("postgres://app:{}@db.company.net", key("", 12));
    let said = [Some("a URL with a password"), None];
    let long = format!("{url}{}", "m".repeat(400));
    assert_eq!([what(&url), what(&long)], said);
}

/// Wherever a piece ends, a value is neither cut nor seen twice.
#[test]
fn pieces_may_end_within_a_value() {
    let password = key("", 12);
    let harmless = "postgres://app:app@db.company.net";
    for end in ["", "\n", "@db.company.net", "@localhost:5432/x"] {
        let text = format!("postgres://app:{password}{end}");
        let wanted = usize::from(end.contains("company"));
        for space in (126 << 10..(128 << 10) + 2).step_by(17) {
            let padded = " ".repeat(space) + &text;
            assert_eq!(scan("f", padded.as_bytes()).len(), wanted, "{space} {end}");
        }
        let mut reader = Reader::new().unwrap();
        for at in 0..text.len() {
            let (first, rest) = text.as_bytes().split_at(at);
            let mut slow = std::io::Read::chain(first, rest);
            let found = reader.read("f", &mut slow, |_| ()).unwrap();
            assert_eq!(found.len(), wanted, "{at} {end}");
        }
    }
    assert_eq!(what(harmless), None);
}

#[test]
fn short_names_are_names_where_they_stand_alone() {
    let value = key("", 24);
    // hunter2-hunter3 of anna
    let basic = "YW5uYTpodW50ZXIyLWh1bnRlcjM=";
    for text in [
        format!("DB_PASS={value}"),
        format!("pass: \"{value}\""),
        format!("DbPass = '{value}'"),
        format!("MYSQL_PWD={value}"),
        format!("pwd={value}"),
        format!("auth = \"{value}\""),
        format!("proxyAuth: '{value}'"),
        format!("credential: {value}"),
        format!("Credentials=\"{value}\""),
        format!("CREDENTIALS={value}"),
        format!("define('DB_PASSWORD', '{value}');"),
        format!("define( \"API_KEY\", \"{value}\" );"),
        format!("//registry.company.net/:_authToken={value}"),
        format!("//registry.company.net/:_auth={basic}"),
        format!("{{\"auths\": {{\"a.io\": {{\"auth\": \"{basic}\"}}}}}}"),
    ] {
        assert!(what(&format!("{text}\n")).is_some(), "{text}");
    }
    for text in [
        format!("bypass = \"{value}\""),
        format!("COMPASS={value}"),
        format!("author: {value}"),
        format!("oauth_nonce = \"{value}\""),
        format!("['password', 'other', '{value}']"),
        "PWD=/home/app/projects/agent-2".to_owned(),
        "{\"auths\": {\"a.io\": {\"auth\": \"dXNlcjpwYXNzd29yZA==\"}}}".to_owned(),
        "credentials: 'same-origin-with-all'".to_owned(),
    ] {
        assert_eq!(what(&format!("{text}\n")), None, "{text}");
    }
}

#[test]
fn what_stands_around_a_key_tells_what_it_is() {
    let bot = format!("123456789:AA{}", key("", 33));
    let signature = format!("{}%3D", key("", 43));
    let sentry = format!("https://{}@o1.ingest.sentry.io/1", key("", 32));
    for (text, said) in [
        (bot.clone(), Some("a token of Telegram")),
        (
            format!("https://api.telegram.org/bot{bot}/getMe"),
            Some("a token of Telegram"),
        ),
        (format!("1{bot}0"), None),
        (format!("a{bot}"), None),
        (
            format!("https://a.io/b?sp=r&sig={signature}"),
            Some("a signed URL of Azure"),
        ),
        (
            format!("https://a.io/b?sig={signature}&sp=r"),
            Some("a signed URL of Azure"),
        ),
        (format!("sig={signature}"), None),
        (sentry, None),
        (
            "https://organisation-of-many-people@github.com/x".to_owned(),
            None,
        ),
        (format!("https://{}@localhost/x", key("", 32)), None),
    ] {
        assert_eq!(what(&format!("{text}\n")), said, "{text}");
    }
}
