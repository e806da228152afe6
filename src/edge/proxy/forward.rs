//! What a proxy changes in the heads that it passes on.

use super::copy::SHADOW;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, Uri, Version};

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Headers that are about one connection only, beside `Connection` and what that names.
static HOP_BY_HOP: [HeaderName; 6] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-authorization"),
    TE,
    UPGRADE,
];

pub(super) fn asks_upgrade(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && request.headers().contains_key(UPGRADE)
        && names(request.headers(), "upgrade")
}

pub(super) fn to_replica(head: &mut Parts, client: &HeaderValue) {
    let upgrade = head.headers.get(UPGRADE).cloned();
    let upgrade = upgrade.filter(|_| head.version == Version::HTTP_11);
    let upgrade = upgrade.filter(|_| names(&head.headers, "upgrade"));
    let trailers = head.headers.get(TE).is_some_and(takes_trailers);
    strip(&mut head.headers);
    // The edge says "100 Continue" itself, as soon as the replica's connection takes the body.
    head.headers.remove(EXPECT);
    head.headers.remove(&SHADOW);
    if let Some(upgrade) = upgrade {
        keep_upgrade(&mut head.headers, upgrade);
    }
    if trailers {
        head.headers
            .insert(TE, HeaderValue::from_static("trailers"));
    }
    to_origin(head);
    say_who_asks(&mut head.headers, client);
    head.version = Version::HTTP_11;
    head.extensions.clear();
}

pub(super) fn to_client<B>(reply: &mut Response<B>) {
    strip(reply.headers_mut());
    *reply.version_mut() = Version::HTTP_11;
}

pub(super) fn to_client_switching<B>(reply: &mut Response<B>) {
    let upgrade = reply.headers().get(UPGRADE).cloned();
    strip(reply.headers_mut());
    if let Some(upgrade) = upgrade {
        keep_upgrade(reply.headers_mut(), upgrade);
    }
}

fn keep_upgrade(headers: &mut HeaderMap, upgrade: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, upgrade);
}

fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        strip_named(headers);
    }
    // Few heads have any of them, and one pass over the names costs less than a look-up for each.
    if headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        HOP_BY_HOP
            .iter()
            .for_each(|name| drop(headers.remove(name)));
    }
    // A length beside chunks is how requests are smuggled.
    if headers.remove(TRANSFER_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
}

fn strip_named(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers)
        .filter(|token| !token.eq_ignore_ascii_case(b"keep-alive"))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
        .collect();
    headers.remove(CONNECTION);
    for name in named.iter().filter(|name| *name != TRANSFER_ENCODING) {
        headers.remove(name);
    }
}

fn names(headers: &HeaderMap, what: &str) -> bool {
    tokens(headers).any(|token| token.eq_ignore_ascii_case(what.as_bytes()))
}

/// What `Connection` names.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let all = headers.get_all(CONNECTION).into_iter();
    let tokens = all.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    tokens.map(<[u8]>::trim_ascii)
}

fn takes_trailers(te: &HeaderValue) -> bool {
    te.to_str().is_ok_and(|te| te.contains("trailers"))
}

/// A replica is asked for a path; `GET http://host/path` is for proxies.
fn to_origin(head: &mut Parts) {
    let Some(authority) = head.uri.authority() else {
        return;
    };
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        head.headers.insert(HOST, host);
    }
    let path = head.uri.path_and_query().cloned();
    head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
}

/// What a proxy before this one has said of protocol and host is left as it is.
fn say_who_asks(headers: &mut HeaderMap, client: &HeaderValue) {
    let from = match headers.get(&FORWARDED_FOR) {
        None => client.clone(),
        Some(_) => chain(headers, client),
    };
    headers.insert(&FORWARDED_FOR, from);
    if !headers.contains_key(&FORWARDED_PROTO) {
        headers.insert(&FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
    match headers.get(HOST).cloned() {
        // HTTP/1.0 need not tell a host, HTTP/1.1 must.
        None => drop(headers.insert(HOST, HeaderValue::from_static("localhost"))),
        Some(host) if !headers.contains_key(&FORWARDED_HOST) => {
            headers.insert(&FORWARDED_HOST, host);
        }
        Some(_) => {}
    }
}

fn chain(headers: &HeaderMap, client: &HeaderValue) -> HeaderValue {
    let before = headers.get_all(&FORWARDED_FOR).into_iter().chain([client]);
    let all: Vec<&[u8]> = before.map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&all.join(&b", "[..])).unwrap_or_else(|_| client.clone())
}

#[cfg(test)]
mod tests;
