//! Values that a Dockerfile gives variables.

use super::*;

#[test]
fn a_dockerfile_keeps_no_secret_in_a_variable() {
    let text = "FROM x\nENV A=b \\\n  API_TOKEN=abc99\nARG NPM_TOKEN\nARG B_SECRET=$X\n\
                ENV DB_PASSWORD hunter2\nRUN export X_API_KEY=k1 && make\nENV MAX_TOKENS=5\n";
    let lines: Vec<_> = in_dockerfile("Dockerfile", text)
        .into_iter()
        .map(|finding| finding.line)
        .collect();
    assert_eq!(lines, [Some(3), Some(6), Some(7)]);
}

#[test]
fn a_dockerfile_is_read_as_docker_reads_it() {
    for text in [
        "ENV A=b \\\n\n  DB_PASSWORD=hunter2",
        "ENV A=b \\\n  # said\n\n\n  DB_PASSWORD=hunter2",
        "ENV \"DB_PASSWORD\"=hunter2",
        "ENV 'DB_PASSWORD'='hunter2'",
        "ENV \"DB_PASSWORD=hunter2\"",
        "ONBUILD ENV PASSWORD=hunter2",
        "onbuild env PASSWORD hunter2",
        "ENV PASSWORD=pa\\$1word",
        "ENV PASSWORD='pa$1word'",
        "ENV DB_PASS=hunter2 DB_PWD=hunter3",
        "ARG DB_PWD=hunter3",
        "RUN PASSWORD=hunter2 ./x",
        "RUN export PASSWORD=hunter2",
        "RUN export PASSWORD=hunter2; ./x",
        "RUN a && PASSWORD=\"hunter2\" ./x",
        "RUN --network=none PASSWORD=hunter2 \\\n  ./x",
        "RUN <<EOF\nexport PASSWORD=hunter2\nEOF",
    ] {
        let found = in_dockerfile("Dockerfile", &format!("FROM x\n{text}\n"));
        let lines: Vec<_> = found.iter().map(|finding| finding.line).collect();
        let names = |line: &str| line.contains("PASS") || line.contains("PWD");
        let line = text.lines().position(names).unwrap();
        assert_eq!(lines, [Some(2 + line)], "{text}");
    }
    for text in [
        "ENV PASSWORD=$X",
        "ENV PASSWORD=a-${X:-b}",
        "ENV PASSWORD=changeme",
        "ENV PASSWORD",
        "ENV PASSWORD=",
        "ENV PWD=/app",
        "ENV BYPASS=1",
        "ARG PASSWORD",
        "RUN PASSWORD=$(cat /run/secrets/p) ./x",
        "RUN PASSWORD=`cat /run/secrets/p` ./x",
        "RUN --mount=type=secret,id=PASSWORD ./x",
        "RUN echo \"set PASSWORD=hunter2 first\"",
        "LABEL password=hunter2",
        "# ENV PASSWORD=hunter2",
    ] {
        let found = in_dockerfile("Dockerfile", &format!("FROM x\n{text}\n"));
        assert_eq!(found, [], "{text}");
    }
}

/// What is found both by its name and by its value is listed once.
#[test]
fn a_secret_in_a_dockerfile_stands_where_its_name_does() {
    let value = key("", 24);
    for text in [
        format!("ENV A=1 \\\n  B=2 \\\n  API_TOKEN={value}"),
        format!("RUN a \\\n # said\n && STRIPE_KEY={value} ./x"),
        format!("RUN <<EOF\na\nexport SIGNING_KEY={value}\nEOF"),
        format!("ONBUILD ENV \\\n  A=1 \\\n  API_TOKEN={value}"),
    ] {
        let text = format!("FROM x\n{text}\n");
        let at = |found: Vec<Finding>| found.iter().map(|one| one.line).collect::<Vec<_>>();
        let line = text.lines().position(|line| line.contains(&value)).unwrap();
        let by_name = at(in_dockerfile("Dockerfile", &text));
        assert_eq!(by_name, [Some(line + 1)], "{text}");
        assert_eq!(at(scan("Dockerfile", text.as_bytes())), by_name, "{text}");
    }
}

#[test]
fn a_key_in_a_dockerfile_is_one_if_it_looks_random() {
    let value = key("", 24);
    for text in [
        format!("ENV STRIPE_KEY={value}"),
        format!("ENV STRIPE_KEY {value}"),
        format!("ARG MASTER_KEY=\"{value}\""),
        "ENV DB_PW=hunter2".to_owned(),
    ] {
        let found = in_dockerfile("Dockerfile", &format!("FROM x\n{text}\n"));
        assert_eq!(found.len(), 1, "{text}");
    }
    for text in [
        "ENV SORT_KEY created",
        "ENV STRIPE_KEY=from-the-vault",
        "ENV KEY=abc",
        &format!("ENV CACHE_KEY={value}"),
    ] {
        let found = in_dockerfile("Dockerfile", &format!("FROM x\n{text}\n"));
        assert_eq!(found, [], "{text}");
    }
}
