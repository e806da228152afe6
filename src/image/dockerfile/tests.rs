use std::collections::BTreeMap;

use super::Dockerfile;

type Parts = &'static [(usize, &'static str, &'static str)];
type Pairs = &'static [(&'static str, &'static str)];
type Images = &'static [(usize, &'static str)];

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs.map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

#[test]
fn instructions_begin_where_they_begin() {
    let cases: [(&str, Parts); 12] = [
        ("", &[]),
        ("# only\n\n", &[]),
        ("from a\n", &[(1, "FROM", "a")]),
        ("FROM a\r\nRUN b\r\n", &[(1, "FROM", "a"), (2, "RUN", "b")]),
        (
            "RUN a \\\n    b\n\nENV C=d",
            &[(1, "RUN", "a     b"), (4, "ENV", "C=d")],
        ),
        (
            "RUN a \\\n# said\n\n  b\nRUN c",
            &[(1, "RUN", "a   b"), (5, "RUN", "c")],
        ),
        ("RUN a \\  \n b", &[(1, "RUN", "a  b")]),
        ("RUN a\\\\\nRUN b", &[(1, "RUN", "a\\\\"), (2, "RUN", "b")]),
        (
            "# escape=`\nRUN a `\n b\nRUN c\\\nRUN d",
            &[(2, "RUN", "a  b"), (4, "RUN", "c\\"), (5, "RUN", "d")],
        ),
        ("\n# escape=`\nRUN a \\\n b", &[(3, "RUN", "a  b")]),
        (
            "RUN <<EOF\nFROM x\nEOF\nENV A=1",
            &[(1, "RUN", "<<EOF\nFROM x"), (4, "ENV", "A=1")],
        ),
        (
            "COPY <<-\"A\" <<'B' /to/\n\tone\n\tA\ntwo\n\tB\nB\nUSER 1",
            &[
                (1, "COPY", "<<-\"A\" <<'B' /to/\n\tone\ntwo\n\tB"),
                (7, "USER", "1"),
            ],
        ),
    ];
    for (text, wanted) in cases {
        let found = Dockerfile::parse(text).instructions;
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.line, one.keyword.as_str(), one.text.as_str()))
            .collect();
        assert_eq!(found, wanted, "{text:?}");
    }
}

#[test]
fn two_angles_are_a_heredoc_only_where_one_may_be() {
    for text in [
        "ENV A=<<EOF\nFROM x",
        "RUN echo \"<<EOF\"\nFROM x",
        "RUN cat <<<EOF\nFROM x",
        "RUN echo $((1<<2))\nFROM x",
    ] {
        assert_eq!(Dockerfile::parse(text).instructions.len(), 2, "{text:?}");
    }
}

#[test]
fn bases_are_images_and_neither_stages_nor_nothing() {
    let cases: [(&str, Pairs, Images); 16] = [
        ("FROM a", &[], &[(1, "a")]),
        (
            "FROM a:1 AS x\nFROM X\nFROM scratch\nFROM x AS y",
            &[],
            &[(1, "a:1")],
        ),
        ("FROM x AS y\nFROM a AS x", &[], &[(1, "x"), (2, "a")]),
        ("FROM --platform=$BUILDPLATFORM a as b", &[], &[(1, "a")]),
        ("ARG B=a:1\nFROM $B", &[], &[(2, "a:1")]),
        ("ARG B=a:1\nFROM ${B}", &[("B", "c")], &[(2, "c")]),
        ("ARG V='1 2' W=\"3\"\nFROM a:$W", &[], &[(2, "a:3")]),
        ("ARG V=1\nARG I=a:${V}-x\nFROM $I", &[], &[(3, "a:1-x")]),
        ("FROM ${B:-a:1}", &[("B", "not declared")], &[(1, "a:1")]),
        ("ARG B\nARG V\nFROM ${B:-a:${V:-2}}", &[], &[(3, "a:2")]),
        ("ARG S=1\nFROM a${S:+-slim}", &[], &[(2, "a-slim")]),
        ("FROM a\nARG B=b\nFROM x$B", &[], &[(1, "a"), (3, "x")]),
        (
            "FROM a AS one\nCOPY --from=0 x y\nCOPY --chown=1 --from=ONE x y\nCOPY --from=b:1 x y",
            &[],
            &[(1, "a"), (4, "b:1")],
        ),
        (
            "FROM a\nRUN --mount=type=bind,from=b,target=/b c --from=d\nCOPY --from=$C x y",
            &[],
            &[(1, "a"), (2, "b")],
        ),
        (
            "FROM a\nCOPY --from=z x y\nFROM b AS z",
            &[],
            &[(1, "a"), (2, "z"), (3, "b")],
        ),
        (
            "FROM a-$TARGETARCH",
            &[("TARGETARCH", "arm64")],
            &[(1, "a-arm64")],
        ),
    ];
    for (text, args, wanted) in cases {
        let found = Dockerfile::parse(text).bases(&map(args));
        let found: Vec<_> = found
            .iter()
            .map(|base| (base.line, base.image.as_str()))
            .collect();
        assert_eq!(found, wanted, "{text:?}");
    }
}

#[test]
fn the_last_base_is_found_through_stages() {
    let cases = [
        ("FROM a\nFROM b", Some("b")),
        ("FROM a AS x\nFROM b AS y\nFROM x", Some("a")),
        ("FROM a\nFROM scratch", None),
        ("FROM a AS x\nFROM x AS x\nFROM x", Some("a")),
        ("", None),
    ];
    for (text, wanted) in cases {
        let found = Dockerfile::parse(text).last_base(&BTreeMap::new());
        assert_eq!(found.map(|base| base.image).as_deref(), wanted, "{text:?}");
    }
}

#[test]
fn pins_change_nothing_else() {
    let digests = map(&[("a:1", "sha256:aa"), ("b", "sha256:bb")]);
    let cases = [
        ("FROM a:1\r\nRUN x\r\n", "FROM a:1@sha256:aa\r\nRUN x\r\n"),
        (
            "# a:1\nFROM  --platform=x  a:1  AS b # no\nFROM b\nFROM c\n\tfrom \\\n  a:1",
            "# a:1\nFROM  --platform=x  a:1@sha256:aa  AS b # no\nFROM b\nFROM c\n\tfrom \\\n  a:1@sha256:aa",
        ),
        (
            "ARG B=a:1\nFROM ${B} AS x\nFROM b\nCOPY --from=x /é /b",
            "ARG B=a:1\nFROM a:1@sha256:aa AS x\nFROM b@sha256:bb\nCOPY --from=x /é /b",
        ),
        ("FROM a:\\\n1\nRUN y", "FROM a:1@sha256:aa\nRUN y"),
        (
            "FROM b\nCOPY --from=a:1 /x \\\n  /y\nRUN --mount=from=b,target=/b true",
            "FROM b@sha256:bb\nCOPY --from=a:1@sha256:aa /x \\\n  /y\nRUN --mount=from=b@sha256:bb,target=/b true",
        ),
        ("FROM a:1@sha256:00", "FROM a:1@sha256:00"),
        ("FROM\nFROM $", "FROM\nFROM $"),
    ];
    for (text, wanted) in cases {
        let pinned = Dockerfile::parse(text).pinned(&BTreeMap::new(), &digests);
        assert_eq!(pinned, wanted, "{text:?}");
    }
}

#[test]
fn a_dockerfile_says_which_arguments_it_takes() {
    let dockerfile = Dockerfile::parse("ARG A B=\"x y\"\nFROM a\nARG C=\"\"\nENV D=1");
    let takes = ["A", "B", "C", "D"].map(|name| dockerfile.takes(name));
    assert_eq!(takes, [true, true, true, false]);
}
