use super::*;

fn tokens(body: &str) -> Option<u64> {
    read(body).tokens
}

fn read(body: &str) -> Usage {
    let mut tail = Tail::default();
    tail.push(&Bytes::copy_from_slice(body.as_bytes()));
    tail.usage()
}

#[test]
fn usage_is_read_as_providers_spell_it() {
    for (body, expected) in [
        (r#"{"usage":{"total_tokens":12}}"#, Some(12)),
        (
            r#"{"usage" : {"prompt_tokens":5,"completion_tokens":7}}"#,
            Some(12),
        ),
        (
            r#"{"usage":{"input_tokens":5,"output_tokens":8}}"#,
            Some(13),
        ),
        (
            r#"{"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":99}}"#,
            Some(99),
        ),
        (
            r#"{"usage":{"output_tokens":8,"details":{"cached":1}}}"#,
            Some(8),
        ),
        (
            "data: {\"usage\":null}\n\ndata: {\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n",
            Some(3),
        ),
        (
            "data: {\"usage\":{\"total_tokens\":3}}\n\ndata: {\"usage\":null}\n\n",
            Some(3),
        ),
        (
            "data: {\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\ndata: {\"usage\":{\"output_tokens\":15}}\n\n",
            Some(40),
        ),
        (r#"{"usage":{"total_tokens":"many"}}"#, None),
        (r#"{"usage":{"total_tokens":-4}}"#, None),
        (r#"{"usage":{"total_tokens":1e300}}"#, Some(MOST)),
        (
            r#"{"usage":{"input_tokens":1e308,"output_tokens":1e308}}"#,
            Some(MOST),
        ),
        (
            r#"{"usage":{"input_tokens":-9,"output_tokens":8}}"#,
            Some(8),
        ),
        (r#"{"usage":{"total_tok"#, None),
        (r#"{"text":"say \"usage\":{\"total_tokens\":9}"}"#, None),
        (r#"{"usage""#, None),
        ("", None),
    ] {
        assert_eq!(tokens(body), expected, "{body}");
    }
}

#[test]
fn cost_is_in_millionths() {
    let usage = read(r#"{"usage":{"total_tokens":1,"cost":0.0123456}}"#);
    assert_eq!(usage.cost_micros, Some(12_346));
}

#[test]
fn only_the_last_bytes_are_kept_and_they_are_enough() {
    let mut tail = Tail::default();
    for chunk in 0..1_000 {
        tail.push(&Bytes::from(vec![b'x'; 1 + chunk * 37 % 40_000]));
        assert!(tail.0.len() <= 2 * TAIL);
    }
    for byte in br#"{"usage":{"total_tokens":4}}"# {
        tail.push(&Bytes::copy_from_slice(&[*byte]));
    }
    assert_eq!(tail.usage().tokens, Some(4));
}

#[test]
fn headers_tell_tokens_and_cost() {
    let mut headers = HeaderMap::new();
    assert_eq!(Usage::in_headers(&headers), Usage::default());
    headers.insert("x-agentctl-tokens", "120".parse().unwrap());
    headers.insert("x-agentctl-cost", "0.5".parse().unwrap());
    let usage = Usage::in_headers(&headers);
    assert_eq!(
        (usage.tokens, usage.cost_micros),
        (Some(120), Some(500_000))
    );
    headers.insert("x-agentctl-cost", "NaN".parse().unwrap());
    assert_eq!(Usage::in_headers(&headers).cost_micros, None);
    for (cost, micros) in [("1e300", Some(MOST)), ("inf", None), ("-1", None)] {
        headers.insert("x-agentctl-cost", cost.parse().unwrap());
        assert_eq!(Usage::in_headers(&headers).cost_micros, micros, "{cost}");
    }
}

#[test]
fn only_json_and_event_streams_are_looked_into() {
    for (kind, encoding, looked) in [
        ("application/json; charset=utf-8", None, true),
        ("application/problem+json", None, true),
        ("text/event-stream", None, true),
        ("text/html", None, false),
        ("application/x-ndjson", None, false),
        ("application/json", Some("gzip"), false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        assert_eq!(Tail::of(&headers).is_some(), looked, "{kind}");
    }
}
