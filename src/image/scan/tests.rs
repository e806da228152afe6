use super::*;

fn scan(path: &str, text: &[u8]) -> Vec<Finding> {
    let mut reader = Reader::new().unwrap();
    reader.read(path, &mut &text[..], |_| ()).unwrap()
}

fn what(text: &str) -> Option<&'static str> {
    scan("f", text.as_bytes())
        .first()
        .map(|finding| finding.what)
}

/// Put together here, so that nobody's scanner takes this file for a leak.
fn key(start: &str, length: usize) -> String {
    let letters = b"q7Zr2Kx9Vb4Mn8Lc1Ws6Tg3Yh5Pj0Df".iter().cycle();
    let rest = letters.take(length).map(|byte| char::from(*byte));
    start.chars().chain(rest).collect()
}

#[test]
fn credentials_are_told_by_name() {
    let secret = [
        ".env",
        "a/.env.production",
        "prod.env",
        "id_rsa",
        "keys/id_ed25519",
        "tls.key",
        "a.p12",
        "credentials.json",
        ".netrc",
        ".docker/config.json",
        "home/.aws/credentials",
        ".htpasswd",
        "terraform.tfstate",
        ".kube/config",
        "Service-Account.json",
    ];
    for path in secret {
        assert!(by_name(path).is_some(), "{path}");
    }
    let plain = [
        ".env.example",
        ".env.sample",
        ".env.template",
        "env.py",
        "id_rsa.pub",
        "config.json",
        "aws/credentials",
        "keyboard.py",
        "monkey",
        "package.json",
        "ca.pem",
        ".npmrc",
    ];
    for path in plain {
        assert_eq!(by_name(path), None, "{path}");
    }
}

#[test]
fn keys_of_services_are_found() {
    let cases = [
        (
            format!("id: {}", "AKIA".to_owned() + "Q7ZR2KX9VB4MN8LC"),
            "an access key of AWS",
        ),
        (key("ghp_", 36), "a token of GitHub"),
        (key("glpat-", 20), "a token of GitLab"),
        (
            format!("x=\"{}\"", key("sk-ant-api03-", 80)),
            "a key of Anthropic",
        ),
        (key("sk-proj-", 60), "a key of OpenAI"),
        (key("sk-", 48), "a key of OpenAI"),
        (key("sk_live_", 24), "a key of Stripe"),
        (key("AIza", 35), "a key of Google"),
        (key("npm_", 36), "a token of npm"),
        (key("SG.", 66), "a key of SendGrid"),
        (key("xoxb-", 40), "a token of Slack"),
        (
            format!("postgres://app:{}@db:5432/x", key("", 9)),
            "a URL with a password",
        ),
    ];
    for (text, said) in cases {
        assert_eq!(what(&format!("{text}\n")), Some(said), "{text}");
    }
}

#[test]
fn values_of_secret_like_names_are_found() {
    let value = key("", 24);
    for text in [
        format!("PASSWORD={value}"),
        format!("password = \"{value}\""),
        format!("  api_key: {value}"),
        format!("{{\"apiKey\": \"{value}\"}}"),
        format!("const clientSecret = '{value}';"),
        format!("os.environ[\"API_TOKEN\"] = \"{value}\""),
        format!("token: str = \"{value}\""),
        format!("let t_token: &str = \"{value}\";"),
        format!("SECRET_KEY_BASE: {value}"),
        format!("'secret' => '{value}',"),
        format!("<password>{value}</password>"),
        format!("//registry.example.com/:_authToken={value}"),
        format!("aws_secret_access_key = {value}"),
    ] {
        assert!(what(&format!("{text}\n")).is_some(), "{text}");
    }
}

#[test]
fn what_only_looks_like_one_is_left_alone() {
    let hash = key("sha512-", 60);
    for text in [
        "password = changeme1234567",
        "API_KEY=your-key-here-1234567",
        "API_KEY=${API_KEY_FROM_VAULT_1}",
        "token = \"<put 1 token 2 here>\"",
        "secret: xxxxxxxxxxxx1234",
        "aws = AKIAIOSFODNN7EXAMPLE",
        "token = get_token(a1, b2)",
        "max_tokens = 4096",
        "token_url = \"https://id.company.test/a1B2c3D4e5\"",
        "if password == \"a1B2c3D4e5F6g7H8\":",
        "secret = self.config.secret_value_2",
        "postgres://user:password@host/db",
        "redis://app:app@redis",
        "https://host/path?a=b:c@d",
        "\"-----BEGIN PRIVATE KEY-----\"",
        "-----BEGIN RSA PRIVATE KEY-----\n... (in base64)\n-----END",
        &format!("\"integrity\": \"{hash}\""),
        "a disk-0123456789012345678901234567890123456789",
    ] {
        assert_eq!(what(&format!("{text}\n")), None, "{text}");
    }
}

fn pem() -> String {
    let dashes = "-----";
    format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n", key("", 64))
}

#[test]
fn a_finding_has_its_line_wherever_blocks_end() {
    for lines in [0, 10, 6553, 6554, 13_000, 40_000] {
        let text = "a line of 20 letters\n".repeat(lines) + &pem();
        let found = scan("f", text.as_bytes());
        let lines: Vec<_> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [Some(text.matches('\n').count() - 1)]);
    }
}

#[test]
fn long_lines_and_binary_files_are_looked_through() {
    let long = "x ".repeat(300_000) + &key("ghp_", 36) + &" x".repeat(300_000);
    assert_eq!(scan("f", long.as_bytes()).len(), 1);
    let binary = format!("\0{} {}", key("ghp_", 36), pem());
    let found = scan("f", binary.as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].what), (None, "a private key"));
}

#[test]
fn a_dockerfile_keeps_no_secret_in_a_variable() {
    let text = "FROM x\nENV A=b \\\n  API_TOKEN=abc99\nARG NPM_TOKEN\nARG B_SECRET=$X\n\
                ENV DB_PASSWORD hunter2\nRUN export X_API_KEY=k1 && make\nENV MAX_TOKENS=5\n";
    let lines: Vec<_> = in_dockerfile("Dockerfile", text)
        .into_iter()
        .map(|finding| finding.line)
        .collect();
    assert_eq!(lines, [Some(2), Some(6), Some(7)]);
}

fn finding(path: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line: Some(3),
        what: "a private key",
    }
}

#[test]
fn what_is_allowed_is_no_finding_and_the_rest_is_listed() {
    let allow = |path: &str| crate::spec::Allow {
        path: path.to_owned(),
        reason: "test keys".to_owned(),
    };
    let all = vec![finding("tests/a.pem"), finding("b.pem")];
    let sorted = sort(all, &[allow("tests/*.pem"), allow("docs")]);
    assert_eq!(sorted.refused, [finding("b.pem")]);
    assert_eq!(sorted.unused, ["docs"]);
    assert!(refuse(&[]).is_ok());
    let many: Vec<_> = (0..23)
        .map(|number| finding(&format!("{number}.pem")))
        .collect();
    let error = refuse(&many).unwrap_err().to_string();
    assert!(
        error.contains("0.pem:3: a private key") && error.ends_with("and 3 more"),
        "{error}"
    );
}
