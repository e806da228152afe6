//! What a registry asks for before it answers, and the answer to that.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Client, Request, Response, Url};
use serde::Deserialize;

use super::{Credentials, Repository};
use crate::advice::because;

/// What we want to do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Pull,
    Push,
    Delete,
}

impl Act {
    fn words(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
            Self::Delete => "pull,push,delete",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        /// What the registry itself says is needed.
        scope: Option<String>,
    },
}

/// Its name depends on how it is asked for; some registries say both.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Challenge {
    /// A token is asked for before a password, where there is a choice.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let all = headers.get_all(WWW_AUTHENTICATE).iter();
        let all: Vec<_> = all.filter_map(|value| value.to_str().ok()).collect();
        let mut known: Vec<_> = all.iter().filter_map(|text| Self::parse(text)).collect();
        known.sort_by_key(|challenge| *challenge == Self::Basic);
        known.into_iter().next().ok_or_else(|| unknown(&all))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parts = parameters(rest);
        let part = |name: &str| {
            let found = parts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Some(Self::Bearer {
            realm: part("realm")?,
            service: part("service"),
            scope: part("scope"),
        })
    }
}

fn unknown(asked: &[&str]) -> anyhow::Error {
    let schemes = asked.iter().filter_map(|text| text.split(' ').next());
    let schemes: Vec<_> = schemes.filter(|scheme| !scheme.is_empty()).collect();
    let cause = match schemes.is_empty() {
        true => "it says nothing of which".to_owned(),
        false => format!("it wants {}", schemes.join(" or ")),
    };
    because(
        "the registry wants a login of a kind that agentctl does not know",
        cause,
        "agentctl knows Basic and Bearer, as docker does: ask whoever runs the registry for one of them",
    )
}

/// The token was good, and did not allow as much.
pub(super) fn is_about_rights(headers: &HeaderMap) -> bool {
    let all = headers.get_all(WWW_AUTHENTICATE).iter();
    let mut texts = all.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.contains("insufficient_scope"))
}

/// `a="b",c="d,e"`
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, further) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        let name = name.trim_matches([',', ' ']);
        found.push((name.to_owned(), value.to_owned()));
        rest = further;
    }
    found
}

/// The value of `Authorization`; `None`: there is nothing to say.
pub(super) async fn answer(
    http: &Client,
    challenge: Challenge,
    credentials: &Credentials,
    repository: &Repository,
    act: Act,
) -> Result<Option<String>> {
    match (challenge, credentials) {
        (Challenge::Basic, Credentials::Basic(user, password)) => Ok(Some(basic(user, password))),
        (Challenge::Basic, _) => Ok(None),
        (
            Challenge::Bearer {
                realm,
                service,
                scope,
            },
            _,
        ) => {
            let realm = trusted(&realm, repository)?;
            let usual = || format!("repository:{}:{}", repository.path, act.words());
            let scope = scope.unwrap_or_else(usual);
            let request = asking(realm, service.as_deref(), &scope, credentials);
            let answer = http.execute(request).await?;
            token(answer).await
        }
    }
}

/// The password goes there, so it is not said in the open.
fn trusted(realm: &str, repository: &Repository) -> Result<Url> {
    let url = Url::parse(realm).context("the registry names no place to log in at")?;
    match url.scheme() == "https" || repository.is_loopback() {
        true => Ok(url),
        false => bail!("the registry wants the login at {realm}, which is not TLS"),
    }
}

fn asking(
    mut realm: Url,
    service: Option<&str>,
    scope: &str,
    credentials: &Credentials,
) -> Request {
    let service = service.map(|service| ("service", service));
    let asked = service.into_iter().chain([("scope", scope)]);
    if let Credentials::Identity(token) = credentials {
        let form = asked.chain([
            ("grant_type", "refresh_token"),
            ("client_id", "agentctl"),
            ("refresh_token", token),
        ]);
        return posted(realm, form);
    }
    realm.query_pairs_mut().extend_pairs(asked);
    let mut request = Request::new(reqwest::Method::GET, realm);
    if let Credentials::Basic(user, password) = credentials
        && let Ok(value) = basic(user, password).parse()
    {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

fn posted<'a>(realm: Url, form: impl Iterator<Item = (&'a str, &'a str)>) -> Request {
    let mut encoded = realm.clone();
    encoded.query_pairs_mut().clear().extend_pairs(form);
    let mut request = Request::new(reqwest::Method::POST, realm);
    let body = encoded.query().unwrap_or_default().to_owned();
    *request.body_mut() = Some(body.into());
    let kind = reqwest::header::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    request
}

/// A refused login gives none, and the registry's own answer says the rest.
async fn token(answer: Response) -> Result<Option<String>> {
    let status = answer.status();
    if matches!(status.as_u16(), 400 | 401 | 403) {
        return Ok(None);
    }
    let answer = answer.error_for_status().context("no token was given")?;
    let body = answer.bytes().await.context("no token was given")?;
    let given: Token = serde_json::from_slice(&body).context("no token was given")?;
    let token = given.token.or(given.access_token);
    let token = token.context("no token was given")?;
    Ok(Some(format!("Bearer {token}")))
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
