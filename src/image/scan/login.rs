//! Logins that are written out: in a URL, and in the header of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::value::{is_placeholder, looks_random};

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

/// `postgres://user:password@host`, from behind the `://`.
pub(super) fn url(rest: &[u8]) -> Option<&'static str> {
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"/\"'`<>?#,;()\\[]|{}$*".contains(byte);
    let end = rest.iter().take(300).position(ends)?;
    let authority = std::str::from_utf8(&rest[..end]).ok()?;
    let (login, host) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let name = host.split(':').next().unwrap_or_default();
    let nowhere = NOWHERE.contains(&name) || RESERVED.iter().any(|end| name.ends_with(end));
    let harmless = is_harmless(user, password) || password.contains(':') || is_filled_in(password);
    (!nowhere && !harmless).then_some("a URL with a password")
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
        _ => is_login(value),
    };
    is_secret.then_some("a login in a header")
}

fn is_login(value: &[u8]) -> bool {
    let text = STANDARD.decode(value).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once(':'))
        .is_some_and(|(user, password)| !is_harmless(user, password))
}
