//! The formats that services give their keys, so that they can be found.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::chance::{distinct, surprises};
use super::value::is_placeholder;

pub(super) struct Format {
    pub(super) start: &'static str,
    /// Characters behind the start: so many at least, and at most.
    length: (usize, usize),
    /// Beside letters and digits.
    others: &'static [u8],
    what: &'static str,
}

const fn of(
    start: &'static str,
    length: (usize, usize),
    others: &'static [u8],
    what: &'static str,
) -> Format {
    Format {
        start,
        length,
        others,
        what,
    }
}

const ANY: usize = 400;

/// One that begins with another stands before it.
pub(super) const FORMATS: [Format; 50] = [
    of("AKIA", (16, 16), b"", "an access key of AWS"),
    of("ASIA", (16, 16), b"", "an access key of AWS"),
    of("ghp_", (36, ANY), b"", "a token of GitHub"),
    of("gho_", (36, ANY), b"", "a token of GitHub"),
    of("ghu_", (36, ANY), b"", "a token of GitHub"),
    of("ghs_", (36, ANY), b"", "a token of GitHub"),
    of("ghr_", (36, ANY), b"", "a token of GitHub"),
    of("github_pat_", (50, ANY), b"_", "a token of GitHub"),
    of("glpat-", (20, ANY), b"_-.", "a token of GitLab"),
    of("xoxb-", (20, ANY), b"-", "a token of Slack"),
    of("xoxp-", (20, ANY), b"-", "a token of Slack"),
    of("xoxa-", (20, ANY), b"-", "a token of Slack"),
    of("xoxr-", (20, ANY), b"-", "a token of Slack"),
    of("xoxs-", (20, ANY), b"-", "a token of Slack"),
    of("xapp-", (30, ANY), b"-", "a token of Slack"),
    of("sk_live_", (16, ANY), b"", "a key of Stripe"),
    of("rk_live_", (16, ANY), b"", "a key of Stripe"),
    of("sk-ant-", (24, ANY), b"_-", "a key of Anthropic"),
    of("sk-proj-", (24, ANY), b"_-", "a key of OpenAI"),
    of("sk-svcacct-", (24, ANY), b"_-", "a key of OpenAI"),
    of("sk-or-v1-", (40, 80), b"", "a key of OpenRouter"),
    of("sk-", (40, 64), b"", "a key of OpenAI"),
    of("AIza", (35, 35), b"_-", "a key of Google"),
    of("GOCSPX-", (20, 40), b"_-", "a client's secret of Google"),
    of("hf_", (30, 40), b"", "a token of Hugging Face"),
    of("npm_", (36, 36), b"", "a token of npm"),
    of("pypi-AgE", (50, ANY), b"_-", "a token of PyPI"),
    of("SG.", (60, 70), b"._-", "a key of SendGrid"),
    of("AGE-SECRET-KEY-1", (50, 60), b"", "a private key"),
    of("eyJhbGciOi", (60, ANY), b"_-.", "a JSON Web Token"),
    of("eyJ0eXAiOi", (60, ANY), b"_-.", "a JSON Web Token"),
    of("eyJraWQiOi", (60, ANY), b"_-.", "a JSON Web Token"),
    of(
        "hooks.slack.com/services/T",
        (30, 60),
        b"/",
        "a webhook of Slack",
    ),
    of("whsec_", (32, 64), b"+/=", "a secret of Stripe"),
    of("hvs.", (24, ANY), b"_-", "a token of Vault"),
    of("dckr_pat_", (24, 40), b"_-", "a token of Docker Hub"),
    of("gsk_", (48, 60), b"", "a key of Groq"),
    of("xai-", (60, 90), b"", "a key of xAI"),
    of("pplx-", (40, 60), b"", "a key of Perplexity"),
    of("r8_", (37, 40), b"", "a token of Replicate"),
    of("lsv2_pt_", (32, 64), b"_", "a key of LangSmith"),
    of("lsv2_sk_", (32, 64), b"_", "a key of LangSmith"),
    of("pcsk_", (40, 90), b"_", "a key of Pinecone"),
    of("tvly-", (24, 64), b"-_", "a key of Tavily"),
    of("nvapi-", (40, 90), b"_-", "a key of NVIDIA"),
    of("dop_v1_", (64, 64), b"", "a token of DigitalOcean"),
    of("shpat_", (32, 32), b"", "a token of Shopify"),
    of("glrt-", (20, ANY), b"_-.", "a token of GitLab"),
    of("ya29.", (40, ANY), b"_-.", "a token of Google"),
    of("dapi", (32, 34), b"-", "a token of Databricks"),
];

/// In text nothing may stand right before it. A binary file puts one string behind another, so that
/// only the shortest starts have to be alone there; or it says its length first.
pub(super) fn format(
    format: &Format,
    before: &[u8],
    rest: &[u8],
    is_binary: bool,
) -> Option<&'static str> {
    let before = before.last();
    let start = format.start.len();
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || format.others.contains(byte);
    let length = rest.iter().take(ANY).take_while(belongs).count();
    let told = before.and_then(|byte| usize::from(*byte).checked_sub(start));
    let told = told.filter(|told| is_binary && *told <= length);
    let goes_on =
        before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let alone = (!goes_on || is_binary && start > 3).then_some(length);
    let is_key = |length| is_key(format, &rest[..length]);
    told.into_iter()
        .chain(alone)
        .any(is_key)
        .then_some(format.what)
}

/// All have many different characters. Most have digits; one without may be a long name instead.
fn is_key(format: &Format, key: &[u8]) -> bool {
    let (least, most) = format.length;
    (least..=most).contains(&key.len())
        && distinct(key) >= 8
        && (key.iter().any(u8::is_ascii_digit) || surprises(key))
        && !is_placeholder(key)
}

/// Telegram's, from behind its `:AA`: a bot's number stands before that.
pub(super) fn bot(before: &[u8], rest: &[u8]) -> Option<&'static str> {
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let digits = digits.take(11).count();
    let before = &before[..before.len() - digits];
    let goes_on = before.last().is_some_and(u8::is_ascii_alphanumeric);
    let alone = !goes_on || before.ends_with(b"bot");
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = rest.iter().take(34).take_while(belongs).count();
    let is_key = (8..=10).contains(&digits) && length == 33 && surprises(&rest[..length]);
    (is_key && alone).then_some("a token of Telegram")
}

/// A header alone is no key: programs that read keys have it too, and documents leave parts out.
pub(super) fn private_key(rest: &[u8]) -> Option<&'static str> {
    let head = &rest[..rest.len().min(64)];
    let end = memchr::memmem::find(head, b"PRIVATE KEY")?;
    let body = &rest[end..rest.len().min(1 << 10)];
    let body = &body[..memchr::memmem::find(body, b"-----END").unwrap_or(body.len())];
    let holds = |word: &[u8]| memchr::memmem::find(body, word).is_some();
    let in_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut runs = body.split(|byte| !in_base64(byte));
    let has_key = runs.any(|run| run.len() >= 40 && distinct(run) >= 16);
    (has_key && !holds(b"...") && !holds(b"EXAMPLE")).then_some("a private key")
}

/// Cut wherever it may be.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// As kubeconfigs and Secrets of a cluster have it: the file, in base64, in one line or many.
pub(super) fn encoded_key(rest: &[u8]) -> Option<&'static str> {
    let mut letters = Vec::new();
    let mut all = rest.iter().take(1 << 10);
    while let Some(byte) = all.next() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => letters.push(*byte),
            // A line's end as it is written in JSON.
            b'\\' => drop(all.next()),
            b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' => {}
            _ => break,
        }
    }
    letters.truncate(letters.len() / 4 * 4);
    private_key(&LENIENT.decode(letters).ok()?)
}
