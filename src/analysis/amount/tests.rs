use serde_json::json;

use super::*;

#[test]
fn the_management_plugin_by_every_address() {
    let cases = [
        (
            "rabbit:5672",
            "http://guest:guest@rabbit:15672/api/queues/%2F/jobs",
        ),
        (
            "amqp://rabbit",
            "http://guest:guest@rabbit:15672/api/queues/%2F/jobs",
        ),
        (
            "amqp://anna:p%40ss@rabbit:5672/shop",
            "http://anna:p%40ss@rabbit:15672/api/queues/shop/jobs",
        ),
        (
            "amqps://anna:pw@rabbit/%2Fshop",
            "https://anna:pw@rabbit:15671/api/queues/%2Fshop/jobs",
        ),
        (
            "http://anna:pw@rabbit:8080/",
            "http://anna:pw@rabbit:8080/api/queues/%2F/jobs",
        ),
        (
            "https://anna:pw@rabbit/behind/shop",
            "https://anna:pw@rabbit/behind/api/queues/shop/jobs",
        ),
    ];
    for (address, place) in cases {
        let found = rabbitmq::place(address, "jobs").unwrap();
        assert_eq!(found.as_str(), place, "{address}");
    }
    let found = rabbitmq::place("amqp://rabbit", "a/b c").unwrap();
    assert!(found.path().ends_with("/a%2Fb%20c"), "{found}");
    assert!(rabbitmq::place("redis://rabbit", "jobs").is_err());
}

#[test]
fn one_number_or_none() {
    let vector = |values: &[&str]| {
        let series = values
            .iter()
            .map(|value| json!({ "metric": {}, "value": [1, value] }));
        json!({ "resultType": "vector", "result": series.collect::<Vec<_>>() })
    };
    assert_eq!(prometheus::one(&vector(&["12.5"])).unwrap(), 12.5);
    let scalar = json!({ "resultType": "scalar", "result": [1, "3"] });
    assert_eq!(prometheus::one(&scalar).unwrap(), 3.0);
    let cases = [
        (vector(&[]), "the query has no value now"),
        (
            vector(&["1", "2"]),
            "the query has 2 values: sum() makes them one",
        ),
        (vector(&["NaN"]), "the query's value is NaN"),
        (vector(&["+Inf"]), "the query's value is inf"),
        (vector(&["-1"]), "the query's value is -1"),
        (
            json!({ "resultType": "matrix", "result": [] }),
            "the query has no value that is a number",
        ),
        (json!(null), "the query has no value that is a number"),
    ];
    for (data, says) in cases {
        let error = prometheus::one(&data).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn no_password_in_what_is_said() {
    let source = Source::Rabbitmq {
        address: "amqp://anna:secret@rabbit/".to_owned(),
        queue: "jobs".to_owned(),
    };
    assert_eq!(source.who(), "RabbitMQ at rabbit/");
}
