//! Names that others give meaning to: registries, clusters, networks, clocks. Each is held to the
//! rules of whoever reads it, so that nothing is refused there for the first time.

use std::net::IpAddr;

/// Why `text` does not have `format`; formats that only describe are never broken.
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    let Some((holds, wanted)) = rule(format) else {
        return Ok(());
    };
    match holds(text) {
        true => Ok(()),
        false => Err(format!("\"{}\" is not {wanted}", short(text))),
    }
}

/// The line itself is shown below.
fn short(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An image as it may stand in agent.toml, and in an argument.
pub(crate) fn image_name(text: &str) -> Result<String, String> {
    check("image", text).map(|()| text.to_owned())
}

type Rule = (fn(&str) -> bool, &'static str);

fn rule(format: &str) -> Option<Rule> {
    Some(match format {
        "image" => (
            is_image,
            "an image like \"registry.example.com/team/name:1.4\"",
        ),
        "repository" => (
            is_repository,
            "a repository like \"registry.example.com/team/name\"",
        ),
        "tag" => (
            is_tag,
            "1 to 128 letters, digits, - _ and ., with a letter or digit first",
        ),
        "tag-pattern" => (
            is_tag_pattern,
            "a tag, in which {version}, {git_sha}, {branch} and {date} may stand",
        ),
        "package" => (is_package, "the name of a Debian package, or name=version"),
        "pattern" => (
            is_pattern,
            "a pattern as in .dockerignore, below the context and without !",
        ),
        "platform" => (is_platform, "a platform like \"linux/amd64\""),
        "absolute-path" => (
            is_absolute,
            "a path that begins with / and goes through no ..",
        ),
        "object-name" => (is_object, "a name as Kubernetes has it: a-z, 0-9, - and ."),
        "namespace" => (
            is_namespace,
            "1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends",
        ),
        "object-path" => (is_object_path, "a name, or namespace/name"),
        "qualified-name" => (
            is_qualified,
            "a name like \"disktype\" or \"example.com/disktype\"",
        ),
        "secret-key" => (is_secret_key, "name/key"),
        "vault-path" => (is_vault_path, "path#field"),
        "annotation" => (fits_an_annotation, "at most 100 KiB long"),
        "hostname" => (
            is_dns_name,
            "the name of a host, like \"support.example.com\"",
        ),
        "endpoint" => (
            is_endpoint,
            "host:port, like \"api.example.com:443\" or \"10.0.0.0/8:5432\"",
        ),
        "http-url" => (
            is_http_url,
            "the address of a server, like \"http://prometheus:9090\"",
        ),
        "url" => (is_url, "a URL like \"https://example.com\""),
        "otel" => (is_otel, "\"off\", \"sidecar\" or the URL of a collector"),
        "cron" => (
            is_cron,
            "five fields as in cron, like \"0 6 * * *\"; Sunday is 0",
        ),
        "time-zone" => (
            is_time_zone,
            "a time zone like \"UTC\" or \"Europe/Berlin\"",
        ),
        "kubernetes-version" => (is_kubernetes, "a version from \"1.20\" on"),
        _ => return None,
    })
}

fn all(text: &str, others: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn lower(text: &str, others: &str) -> bool {
    all(text, others) && !text.chars().any(|c| c.is_ascii_uppercase())
}

fn ends_well(text: &str) -> bool {
    let good = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    good(text.as_bytes().first()) && good(text.as_bytes().last())
}

fn is_tag(text: &str) -> bool {
    let first = text.bytes().next();
    text.len() <= 128 && all(text, "-_.") && first.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn is_tag_pattern(text: &str) -> bool {
    let places = ["{version}", "{git_sha}", "{branch}", "{date}"];
    is_tag(
        &places
            .iter()
            .fold(text.to_owned(), |text, place| text.replace(place, "x")),
    )
}

/// The nearest one, or `None` where nothing of `text` could be one.
pub(super) fn to_tag(format: &str, text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.{}".contains(c);
    let words: Vec<&str> = text.split(|c| !fits(c)).collect();
    let tag = words.join("-").trim_matches(['-', '.', '_']).to_owned();
    check(format, &tag).is_ok().then_some(tag)
}

/// `[host[:port]/]part[/part…]`
fn is_repository(text: &str) -> bool {
    let (host, path) = match text.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host), path)
        }
        _ => (None, text),
    };
    let part = |part: &str| lower(part, "-_.") && ends_well(part);
    text.len() <= 255 && host.is_none_or(is_authority) && path.split('/').all(part)
}

fn is_authority(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

/// `repository[:tag][@sha256:digest]`
fn is_image(text: &str) -> bool {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let digest_is_right = digest.is_none_or(|digest| {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let (repository, tag) = match name[last..].split_once(':') {
        Some((end, tag)) => (&name[..last + end.len()], Some(tag)),
        None => (name, None),
    };
    digest_is_right && tag.is_none_or(is_tag) && is_repository(repository)
}

fn is_package(text: &str) -> bool {
    let (name, version) = text.split_once('=').unwrap_or((text, "0"));
    lower(name, "+-.") && ends_well(name.trim_end_matches('+')) && all(version, "+-.:~")
}

fn is_platform(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| lower(part, "_"))
}

/// `tests/*.pem`; a class has to be closed, and a `\\` has to be before something.
fn is_pattern(text: &str) -> bool {
    let mut rest = text.chars();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' if rest.next().is_none() => return false,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    let outside = text.starts_with(['/', '!']) || text.split('/').any(|part| part == "..");
    !text.is_empty() && text.trim() == text && !outside && !in_class
}

/// Also without what a shell, Docker or YAML would give a meaning to.
fn is_absolute(text: &str) -> bool {
    let inside = |c: char| !c.is_control() && !c.is_whitespace() && !"\\\"'`$:,{}".contains(c);
    text.len() > 1
        && text.starts_with('/')
        && !text.contains("//")
        && text.chars().all(inside)
        && !text.split('/').any(|part| part == "..")
}

fn is_object(text: &str) -> bool {
    text.len() <= 253 && lower(text, "-.") && text.split('.').all(ends_well)
}

fn is_namespace(text: &str) -> bool {
    text.len() <= 63 && lower(text, "-") && ends_well(text)
}

fn is_object_path(text: &str) -> bool {
    match text.split_once('/') {
        Some((namespace, name)) => is_namespace(namespace) && is_object(name),
        None => is_object(text),
    }
}

fn is_qualified(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    prefix.is_none_or(is_object) && name.len() <= 63 && all(name, "-_.") && ends_well(name)
}

fn is_secret_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((name, key)) => is_object(name) && key.len() <= 253 && all(key, "-_./"),
        None => false,
    }
}

fn is_vault_path(text: &str) -> bool {
    match text.split_once('#') {
        Some((path, field)) => all(path, "-_./") && all(field, "-_."),
        None => false,
    }
}

/// All of an object's annotations together may have 256 KiB.
fn fits_an_annotation(text: &str) -> bool {
    text.len() <= 100 << 10
}

/// As clusters take it: lower case, and no address.
fn is_dns_name(text: &str) -> bool {
    is_host(text)
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.parse::<IpAddr>().is_err()
}

pub(super) fn is_host(text: &str) -> bool {
    let label = |label: &str| label.len() <= 63 && all(label, "-") && ends_well(label);
    text.len() <= 253 && text.split('.').all(label)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0) && !text.starts_with('+')
}

fn is_endpoint(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) => is_port(port) && (is_host(host) || is_block(host)),
        None => false,
    }
}

/// An address, or a block of them: `10.0.0.0/8`, `[2001:db8::]/32`.
fn is_block(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u8>()) else {
        return false;
    };
    bits <= if address.is_ipv4() { 32 } else { 128 }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    lower(scheme, "+-.") && !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())
}

fn is_http_url(text: &str) -> bool {
    let web = ["http://", "https://"];
    let host = web.iter().find_map(|scheme| text.strip_prefix(scheme));
    is_url(text) && host.is_some_and(|host| !host.starts_with('/'))
}

fn is_otel(text: &str) -> bool {
    matches!(text, "off" | "sidecar") || is_url(text)
}

fn is_time_zone(text: &str) -> bool {
    text.split('/').all(|part| all(part, "-_+"))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_kubernetes(text: &str) -> bool {
    let minor = text.strip_prefix("1.").map(str::parse::<u32>);
    matches!(minor, Some(Ok(20..)))
}

const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
const DAYS: &str = "sun mon tue wed thu fri sat";

fn is_cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let ranges = [
        (0, 59, ""),
        (0, 23, ""),
        (1, 31, ""),
        (1, 12, MONTHS),
        (0, 6, DAYS),
    ];
    let field = |(field, range): (&&str, _)| field.split(',').all(|item| is_cron_item(item, range));
    fields.len() == 5 && fields.iter().zip(ranges).all(field)
}

/// `*`, `7`, `1-5`, `mon-fri`, each perhaps with `/2`.
fn is_cron_item(item: &str, (least, most, words): (u32, u32, &str)) -> bool {
    let (span, every) = item.split_once('/').unwrap_or((item, "1"));
    let number = |text: &str| -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let word = words
            .split(' ')
            .position(|word| !word.is_empty() && word == lower);
        let value = match word {
            Some(at) => at as u32 + least,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (least..=most).contains(&value).then_some(value)
    };
    let spans = match span.split_once('-') {
        Some((from, to)) => {
            matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to)
        }
        None => span == "*" || number(span).is_some(),
    };
    spans
        && every.bytes().all(|byte| byte.is_ascii_digit())
        && every.parse::<u32>().is_ok_and(|n| n > 0)
}

/// `NPM_TOKEN`, and not `MAX_TOKENS` or `TOKEN_LIMIT`; `PWD` alone is the shell's.
pub(crate) fn looks_secret(name: &str) -> bool {
    const ENDS: [&str; 12] = [
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PASSPHRASE",
        "SECRET",
        "CREDENTIAL",
        "CREDENTIALS",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
    ];
    let name = name.to_ascii_uppercase();
    let ends = |end: &&str| match name.strip_suffix(*end) {
        Some(before) => before.is_empty() || before.ends_with('_'),
        None => false,
    };
    ENDS.iter().any(ends) || name.ends_with("_PWD") || name.ends_with("_PW")
}

/// `https://user:password@host`, where the password is written out.
pub(crate) fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${"))
    })
}
