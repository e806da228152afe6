use super::SMALL;
use crate::spec::{Percent, Period, Spec, Template};

#[test]
fn templates_read_back_as_they_are_written() {
    for text in [
        "",
        "a",
        "${A}",
        "a${A}b${secret:B_1}",
        "$${A}",
        "$$${A}",
        "$",
        "a$b",
        "$$",
    ] {
        let template = Template::parse(text).unwrap();
        assert_eq!(
            Template::parse(&template.to_string()),
            Ok(template),
            "{text}"
        );
    }
    for text in [
        "${",
        "${}",
        "${1}",
        "${a b}",
        "${secret:}",
        "${Secret:A}",
        "${${A}}",
        "\0",
    ] {
        assert!(Template::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_value_that_ends_in_a_dollar_is_not_glued_to_a_reference() {
    let text = SMALL.replace("./a", "${A}${PORT}");
    let dollar = |_: &str| Some("a$".to_owned());
    let problems = Spec::load(&text, "agent.toml", None, &dollar).unwrap_err();
    assert!(problems.to_string().starts_with("a $ directly before"));
    let braces = |_: &str| Some("${X}".to_owned());
    let spec = Spec::load(&text, "agent.toml", None, &braces).unwrap().spec;
    assert_eq!(spec.run.command[0].to_string(), "$${X}${PORT}");
}

#[test]
fn periods_read_back_as_they_are_written() {
    for (text, millis) in [
        ("30s", 30_000),
        ("1h 30m", 5_400_000),
        ("500ms", 500),
        ("0s", 0),
    ] {
        let period = Period::parse(text).unwrap();
        assert_eq!(period.as_millis(), millis);
        assert_eq!(Period::parse(&period.to_string()), Ok(period));
    }
    for text in [
        "",
        "30",
        "s",
        "-1s",
        "400days",
        "99999999999999999999s",
        "1 fortnight",
    ] {
        assert!(Period::parse(text).is_err(), "{text}");
    }
}

#[test]
fn percentages_are_exact_to_a_hundredth() {
    assert_eq!(Percent::new(50.5).map(Percent::hundredths), Some(5050));
    for outside in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Percent::new(outside), None);
    }
    assert_eq!(Percent::new(33.0).map(|share| share.ceil_of(4)), Some(2));
    assert_eq!(Percent::of(1, 0), Percent::ZERO);
}
