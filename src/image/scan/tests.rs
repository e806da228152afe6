mod chance;
mod dockerfile;
mod keys;
mod written;

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
        ".my.cnf",
        "ops/terraform.tfvars",
        "terraform.tfstate",
        ".kube/config",
        "Service-Account.json",
        "server.key",
        "home/.ssh/work",
        ".ssh/id_ed25519_old",
        "id_rsa.bak",
        "a/id_ed25519~",
        ".env.bak",
        "home/.s3cfg",
        ".boto",
        ".databrickscfg.bak",
        ".terraform.d/credentials.tfrc.json",
        "credentials.json.old",
        "private_key.der",
        "app.pk8",
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
        "archive.gpg.key",
        "public.key",
        ".npmrc",
        ".ssh/known_hosts",
        ".ssh/known_hosts.old",
        ".ssh/authorized_keys",
        ".ssh/config",
        ".ssh/work.pub",
        "id_rsa.pub.bak",
        "ca.der",
        "public_key.der",
        "src/id_rsa.rs",
    ];
    for path in plain {
        assert_eq!(by_name(path), None, "{path}");
    }
}

/// How each begins, how many characters follow, and what it is.
const SERVICES: [(&str, usize, &str); 46] = [
    ("ghp_", 36, "a token of GitHub"),
    ("gho_", 36, "a token of GitHub"),
    ("ghs_", 36, "a token of GitHub"),
    ("github_pat_", 82, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 50, "a token of Slack"),
    ("xoxp-", 70, "a token of Slack"),
    ("xapp-1-", 90, "a token of Slack"),
    (
        "https://hooks.slack.com/services/T",
        40,
        "a webhook of Slack",
    ),
    ("sk_live_", 24, "a key of Stripe"),
    ("rk_live_", 24, "a key of Stripe"),
    ("whsec_", 32, "a secret of Stripe"),
    ("sk-ant-api03-", 95, "a key of Anthropic"),
    ("sk-proj-", 120, "a key of OpenAI"),
    ("sk-svcacct-", 120, "a key of OpenAI"),
    ("sk-", 48, "a key of OpenAI"),
    ("AIza", 35, "a key of Google"),
    ("GOCSPX-", 28, "a client's secret of Google"),
    ("hf_", 34, "a token of Hugging Face"),
    ("npm_", 36, "a token of npm"),
    ("pypi-AgEIcHlwaS5vcmc", 150, "a token of PyPI"),
    ("SG.", 66, "a key of SendGrid"),
    ("eyJhbGciOi", 120, "a JSON Web Token"),
    ("eyJ0eXAiOi", 120, "a JSON Web Token"),
    ("hvs.", 90, "a token of Vault"),
    ("dckr_pat_", 27, "a token of Docker Hub"),
    ("gsk_", 52, "a key of Groq"),
    ("xai-", 80, "a key of xAI"),
    ("pplx-", 48, "a key of Perplexity"),
    ("r8_", 37, "a token of Replicate"),
    ("sk-or-v1-", 64, "a key of OpenRouter"),
    ("lsv2_pt_", 43, "a key of LangSmith"),
    ("lsv2_sk_", 43, "a key of LangSmith"),
    ("pcsk_", 70, "a key of Pinecone"),
    ("tvly-", 32, "a key of Tavily"),
    ("nvapi-", 64, "a key of NVIDIA"),
    ("dop_v1_", 64, "a token of DigitalOcean"),
    ("shpat_", 32, "a token of Shopify"),
    ("glrt-", 20, "a token of GitLab"),
    ("ya29.", 120, "a token of Google"),
    ("dapi", 32, "a token of Databricks"),
    ("https://", 40, "a URL with a token"),
    ("amqps://", 24, "a URL with a token"),
    ("AGE-SECRET-KEY-1", 58, "a private key"),
    ("postgres://app:", 9, "a URL with a password"),
    ("redis://:", 24, "a URL with a password"),
];

#[test]
fn keys_of_services_are_found() {
    for (start, length, said) in SERVICES {
        let end = if said.contains("URL") {
            "@db:5432/x"
        } else {
            ""
        };
        let key = key(start, length) + end;
        for text in [key.clone(), format!("x = \"{key}\""), format!("[{key}]")] {
            assert_eq!(what(&format!("{text}\n")), Some(said), "{text}");
        }
    }
    let aws = "AKIA".to_owned() + "Q7ZR2KX9VB4MN8LC";
    assert_eq!(what(&format!("id: {aws}\n")), Some("an access key of AWS"));
}

#[test]
fn what_is_too_short_or_part_of_a_longer_name_is_no_key() {
    for (start, length, _) in SERVICES {
        if start.contains("://") {
            continue;
        }
        let short = key(start, 9);
        let longer = format!("x{}", key(start, length));
        let pointless = format!("{start}{}", "x".repeat(length));
        for text in [short, longer, pointless] {
            assert_eq!(what(&format!("{text}\n")), None, "{text}");
        }
    }
}

#[test]
fn a_few_letters_in_a_row_make_no_example() {
    for row in ["abcdefgh", "12345678", "todo", "00000"] {
        let text = format!("{}{row}{}", key("ghp_", 18), key("", 18));
        assert!(what(&format!("{text}\n")).is_some(), "{text}");
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
        format!("AWS_SECRET_ACCESS_KEY={value}"),
        format!("DefaultEndpointsProtocol=https;AccountKey={value}{value}=="),
        format!("SharedAccessKey={value}="),
        format!("AZURE_CLIENT_SECRET=\"{}~{value}\"", key("", 3)),
        format!("\"private_key_token\": \"{value}\""),
        format!("client_secret: {value}"),
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
        &format!("postgres://app:{}@localhost/x", key("", 9)),
        &format!("postgres://app:{}@db.example.com/x", key("", 9)),
        "https://user:secretword@site.net/",
        &format!("\"NextToken\": \"{}\"", key("", 24)),
        &format!("\"AWS::ApiGateway::ApiKey\": \"{}\"", key("", 24)),
        "arn:aws:secretsmanager:us-west-2:1:secret:MySecret3-a1b2c3",
        "let a_private_key: Curve25519SeedBin<'_> = private_key",
        "generate_private_key: x25519_generate_private_key,",
        "SYS_memfd_secret: c_long = __X32_SYSCALL_BIT + 447",
        "token = \"1234567890abcdef1234567890\"",
        "\"-----BEGIN PRIVATE KEY-----\"",
        "-----BEGIN RSA PRIVATE KEY-----\n... (in base64)\n-----END",
        &pem().replacen("q7Zr2", "EXAMPLE", 1),
        &pem().replace("\n", "...\n"),
        &format!("\"integrity\": \"{hash}\""),
        "a disk-0123456789012345678901234567890123456789",
    ] {
        assert_eq!(what(&format!("{text}\n")), None, "{text}");
    }
}

#[test]
fn hosts_that_begin_like_an_example_are_hosts() {
    for host in ["host7.company.net", "hosting", "localhosts", "examples.net"] {
        let text = format!("mysql://app:{}@{host}/x\n", key("", 9));
        assert_eq!(what(&text), Some("a URL with a password"), "{text}");
    }
}

#[test]
fn a_key_in_a_service_account_is_found() {
    let text = format!("{{\"private_key\": \"{}\"}}", pem().replace('\n', "\\n"));
    assert_eq!(what(&text), Some("a private key"));
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
    let token = key("ghp_", 36);
    let binary = format!("\0{token}\n{}{token}", pem());
    let found = scan("f", binary.as_bytes());
    let found: Vec<_> = found.iter().map(|one| (one.line, one.what)).collect();
    assert_eq!(
        found,
        [(None, "a private key"), (None, "a token of GitHub")]
    );
}

/// As Python and SQLite write them: behind a length, right behind another text, before the next.
#[test]
fn keys_are_found_in_binary_files() {
    let found = |text: &[u8]| {
        let found = scan("f", &[b"\0", text].concat());
        assert!(found.iter().all(|finding| finding.line.is_none()));
        found.first().map(|finding| finding.what)
    };
    for (start, length, said) in SERVICES {
        let end = if said.contains("URL") {
            "@db:5432/x\0"
        } else {
            "\0"
        };
        let key = key(start, length);
        let text = [key.as_bytes(), end.as_bytes()].concat();
        assert_eq!(found(&text), Some(said), "{start}");
        let counted = [&[b'Z', key.len() as u8], key.as_bytes(), b"N"].concat();
        if !said.contains("URL") && !said.contains("webhook") {
            assert_eq!(found(&counted), Some(said), "{start}");
        }
    }
    let token = key("ghp_", 36);
    assert!(found(format!("anna{token}\x01").as_bytes()).is_some());
    for plain in [
        format!("PASSWORD={}", key("", 24)),
        format!("di{}", key("sk-", 48)),
        key("ghp_", 12),
    ] {
        assert_eq!(found(plain.as_bytes()), None, "{plain}");
    }
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
    assert!(refuse(Vec::new(), "Dockerfile").is_ok());
    let many: Vec<_> = (0..23)
        .map(|number| finding(&format!("{number}.pem")))
        .collect();
    let error = refuse(many, "Dockerfile").unwrap_err();
    let said = error.to_string();
    let is_cut = said.contains("0.pem:3: a private key") && said.ends_with("and 3 more");
    assert!(is_cut, "{said}");
    assert_eq!(error.downcast_ref::<Leaks>().unwrap().0.len(), 23);
}

#[test]
fn what_helps_is_said_for_files_and_for_the_dockerfile() {
    let hint = |paths: &[&str]| {
        let findings = paths.iter().map(|path| finding(path)).collect();
        let error = refuse(findings, "ops/Dockerfile").unwrap_err();
        crate::advice::hint(&error).unwrap().to_owned()
    };
    for (paths, ignore, mount) in [
        (&["a.pem"][..], true, false),
        (&["ops/Dockerfile"], false, true),
        (&["build.args.URL"], false, true),
        (&["Dockerfile", "ops/Dockerfile"], true, true),
    ] {
        let hint = hint(paths);
        assert_eq!(hint.contains(".dockerignore"), ignore, "{hint}");
        assert_eq!(hint.contains("--mount=type=secret"), mount, "{hint}");
        assert!(hint.contains(&format!("path = \"{}\"", paths[0])), "{hint}");
    }
}

#[test]
fn a_name_forges_no_line() {
    let error = refuse(vec![finding("e\u{1b}[31mX\nY.key")], "Dockerfile").unwrap_err();
    let said = format!("{error} {}", crate::advice::hint(&error).unwrap());
    assert!(
        said.contains("e\\u{1b}[31mX\\nY.key:3: a private key"),
        "{said}"
    );
    assert!(said.contains("path = \"e?[31mX?Y.key\""), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}
