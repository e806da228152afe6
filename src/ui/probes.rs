//! What probes came to: for people, and as CI systems read it.

use super::words;
use crate::analysis::Probed;
use crate::release::ReleaseId;

/// A line for each, and how many passed.
pub(crate) fn probed(release: ReleaseId, all: &[Probed]) -> String {
    let wide = all.iter().map(|probed| probed.name.chars().count()).max();
    let wide = wide.unwrap_or(0);
    let lines = all.iter().map(|probed| line(probed, wide));
    let passed = all.iter().filter(|probed| probed.failure.is_none()).count();
    let sum = match passed == all.len() {
        true => format!(
            "{} passed on {release}",
            words::some(passed as u64, "probe")
        ),
        false => format!(
            "{passed} of {} passed on {release}",
            words::some(all.len() as u64, "probe")
        ),
    };
    lines.chain([sum]).collect::<Vec<_>>().join("\n")
}

fn line(probed: &Probed, wide: usize) -> String {
    let (glyph, why) = match &probed.failure {
        None => ("✓", String::new()),
        Some(failure) => ("✗", format!("  {failure}")),
    };
    format!("{glyph} {:wide$}  {} ms{why}", probed.name, probed.millis)
}

/// JUnit's XML, one test case for each probe.
pub(crate) fn junit(agent: &str, all: &[Probed]) -> String {
    let failed = all.iter().filter(|probed| probed.failure.is_some()).count();
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">\n",
        escaped(agent),
        all.len()
    );
    let cases: String = all.iter().map(case).collect();
    format!("{head}{cases}</testsuite>\n")
}

fn case(probed: &Probed) -> String {
    let head = format!(
        "  <testcase classname=\"{}\" name=\"{}\" time=\"{}.{:03}\"",
        escaped(probed.suite.as_deref().unwrap_or("probes")),
        escaped(&probed.name),
        probed.millis / 1000,
        probed.millis % 1000
    );
    match &probed.failure {
        None => format!("{head}/>\n"),
        Some(failure) => format!(
            "{head}>\n    <failure message=\"{}\"/>\n  </testcase>\n",
            escaped(failure)
        ),
    }
}

/// XML has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes() -> Vec<Probed> {
        let probed = |name: &str, suite: Option<&str>, failure: Option<&str>| Probed {
            name: name.to_owned(),
            suite: suite.map(str::to_owned),
            millis: 1_204,
            failure: failure.map(str::to_owned),
        };
        vec![
            probed("GET /", None, None),
            probed(
                "refund",
                Some("smoke"),
                Some("r2-1 answered <nothing> & \"less\""),
            ),
        ]
    }

    #[test]
    fn for_people() {
        let text = probed(ReleaseId(2), &probes());
        assert_eq!(
            text,
            "✓ GET /   1204 ms\n✗ refund  1204 ms  r2-1 answered <nothing> & \"less\"\n1 of 2 probes passed on r2"
        );
    }

    #[test]
    fn for_ci() {
        assert_eq!(
            junit("bot", &probes()),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="bot" tests="2" failures="1">
  <testcase classname="probes" name="GET /" time="1.204"/>
  <testcase classname="smoke" name="refund" time="1.204">
    <failure message="r2-1 answered &lt;nothing&gt; &amp; &quot;less&quot;"/>
  </testcase>
</testsuite>
"#
        );
    }
}
