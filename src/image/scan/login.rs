//! Logins that are written out: in a URL, and in the header of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::chance::looks_random;
use super::content::SHORTEST;
use super::value::is_placeholder;

/// Hosts of examples, and this machine.
const NOWHERE: [&str; 5] = ["host", "hostname", "server", "localhost", "127.0.0.1"];
/// RFC 2606.
const RESERVED: [&str; 6] = [
    "example",
    "example.com",
    "example.org",
    "example.net",
    ".test",
    ".invalid",
];

/// Shorter than what is read ahead, so that what ends with the data ends with the file.
const LONGEST: usize = 300;

/// `postgres://user:password@host`, from behind the `://`.
pub(super) fn url(rest: &[u8]) -> Option<&'static str> {
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"/\"'`<>?#,;()\\[]|{}$*".contains(byte);
    let rest = &rest[..rest.len().min(LONGEST)];
    let end = rest.iter().position(ends);
    let end = end.or((rest.len() < LONGEST).then_some(rest.len()))?;
    let authority = std::str::from_utf8(&rest[..end]).ok()?;
    let (login, host) = authority.rsplit_once('@')?;
    let name = host.split(':').next().unwrap_or_default();
    let nowhere = NOWHERE.contains(&name) || RESERVED.iter().any(|end| name.ends_with(end));
    match login.split_once(':') {
        _ if nowhere => None,
        None => is_token(login, name).then_some("a URL with a token"),
        Some((user, password)) => is_password(user, password).then_some("a URL with a password"),
    }
}

/// What Sentry has there is public.
fn is_token(user: &str, host: &str) -> bool {
    !host.contains("sentry") && looks_random(user.as_bytes(), 20)
}

fn is_password(user: &str, password: &str) -> bool {
    !is_harmless(user, password) && !password.contains(':') && !is_filled_in(password)
}

/// `?sv=…&sig=…` lets whoever has the URL read or write at Azure.
pub(super) fn signature(before: &[u8], rest: &[u8]) -> Option<&'static str> {
    let starts = [&b"?"[..], b"&", b"&amp;", b"u0026"];
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || b"%+/=".contains(byte);
    let length = rest.iter().take(128).take_while(belongs).count();
    let is_parameter = starts.iter().any(|start| before.ends_with(start));
    (is_parameter && looks_random(&rest[..length], 40)).then_some("a signed URL of Azure")
}

/// `%s`, and not `%40`, which is how a URL says `@`.
fn is_filled_in(password: &str) -> bool {
    let is_code = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    password.split('%').skip(1).any(|rest| !is_code(rest))
}

/// The client's password of all examples in RFC 6749, which many documents repeat.
const OF_OAUTH: &str = "gX1fBat3bV";

fn is_harmless(user: &str, password: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b' ';
    let is_weak = password.len() < 12 && password.bytes().all(plain);
    let is_known = password == user || password == OF_OAUTH;
    is_weak || is_known || password.len() < 5 || is_placeholder(password.as_bytes())
}

/// `curl -u user:password`, from behind the program's name; its line may go on behind a backslash.
pub(super) fn command(rest: &[u8]) -> Option<&'static str> {
    let mut words = words(&rest[..rest.len().min(LONGEST)]);
    words.find(|word| is_user(word))?;
    let login = std::str::from_utf8(words.next()?).ok()?;
    let login = login.trim_matches(['"', '\'', '\\', ',']);
    let (user, password) = login.split_once(':')?;
    let is_filled_in = password.contains(|c| "$`{}<>()[]".contains(c));
    let is_secret = !is_filled_in && !is_harmless(user, password);
    (is_secret && looks_random(password.as_bytes(), SHORTEST)).then_some("a login in a command")
}

/// Of one command.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut goes_on = true;
    let lines = line.split(|byte| *byte == b'\n').take_while(move |line| {
        let next = line.trim_ascii_end().ends_with(b"\\");
        std::mem::replace(&mut goes_on, next)
    });
    let words = lines.flat_map(|line| line.split(u8::is_ascii_whitespace));
    words.filter(|word| !word.is_empty() && *word != b"\\")
}

/// `-u`, also as the last of several letters, and `--user`.
fn is_user(word: &[u8]) -> bool {
    let letters = word
        .strip_prefix(b"-")
        .and_then(|word| word.strip_suffix(b"u"));
    let is_short = letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_alphabetic));
    is_short || word == b"--user"
}

/// How a request says who sends it, without the first letter, which may be small or not. Elsewhere
/// these are words like others.
pub(super) const SCHEMES: [&str; 2] = ["earer ", "asic "];
/// Between the header's name and this, in bytes.
const NEAR: usize = 48;

/// `Authorization: Bearer …`, however the two are put together; `rest` begins behind the scheme.
pub(super) fn header(before: &[u8], scheme: &str, rest: &[u8]) -> Option<&'static str> {
    let near = before[before.len().saturating_sub(NEAR)..].to_ascii_lowercase();
    memmem::find(&near, b"authorization")?;
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = rest.iter().take(512).take_while(belongs).count();
    let value = &rest[..length];
    let is_secret = match scheme {
        "earer " => looks_random(value, 16),
        _ => login(value) == Some(true),
    };
    is_secret.then_some("a login in a header")
}

/// Whether a user and a password in Base64, if it is these, are real ones.
pub(super) fn login(value: &[u8]) -> Option<bool> {
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(!is_harmless(user, password))
}
