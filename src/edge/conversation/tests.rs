use hyper::Request;

use super::*;

fn keys() -> Vec<Key> {
    vec![
        Key::Header("X-Conversation-Id".into()),
        Key::Cookie("conversation".into()),
        Key::Query("thread_id".into()),
        Key::Json("message.contextId".into()),
    ]
}

fn of(uri: &str, headers: &[(&str, &str)]) -> Option<ConversationId> {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    in_head(&keys(), &request.body(()).unwrap().into_parts().0)
}

#[test]
fn a_conversation_is_found_where_the_keys_say() {
    let header = ConversationId::new("header", "X-Conversation-Id", b"a");
    let cookie = ConversationId::new("cookie", "conversation", b"a");
    let query = ConversationId::new("query", "thread_id", b"a");
    for (uri, headers, expected) in [
        ("/", &[("x-conversation-id", "a")][..], Some(header)),
        ("/", &[("x-conversation-id", "")], None),
        ("/", &[("cookie", "x=1; conversation=a")], Some(cookie)),
        (
            "/",
            &[("cookie", "x=1"), ("cookie", "conversation=a;y=2")],
            Some(cookie),
        ),
        ("/", &[("cookie", "conversation2=a; conversation=")], None),
        ("/?x=1&thread_id=a", &[], Some(query)),
        ("/?thread_id", &[], None),
        ("/?thread_id=a", &[("x-conversation-id", "a")], Some(header)),
        ("/", &[], None),
    ] {
        assert_eq!(of(uri, headers), expected, "{uri} {headers:?}");
    }
}

#[test]
fn a_conversation_is_found_in_a_json_body() {
    let id = |value: &str| ConversationId::new("json", "message.contextId", value.as_bytes());
    for (body, expected) in [
        (r#"{"message":{"contextId":"a"}}"#, Some(id("a"))),
        (r#"{"message":{"contextId":7}}"#, Some(id("7"))),
        (r#"{"message":{"contextId":""}}"#, None),
        (r#"{"message":{"contextId":null}}"#, None),
        (r#"{"message":7}"#, None),
        ("{", None),
    ] {
        assert_eq!(in_body(&keys(), body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn a_reply_names_it_by_header_or_cookie_as_later_requests_will() {
    let mut headers = HeaderMap::new();
    assert_eq!(in_reply(&keys(), &headers), None);
    headers.insert(
        SET_COOKIE,
        "conversation=a; Path=/; HttpOnly".parse().unwrap(),
    );
    assert_eq!(
        in_reply(&keys(), &headers),
        of("/", &[("cookie", "conversation=a")])
    );
}

#[test]
fn an_id_reads_back_from_its_text() {
    let id = ConversationId::new("header", "x", b"secret");
    let text = serde_json::to_string(&id).unwrap();
    assert!(!text.contains("secret"));
    assert_eq!(serde_json::from_str::<ConversationId>(&text).unwrap(), id);
}
