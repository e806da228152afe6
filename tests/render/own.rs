//! A user's own templates, and what `check` finds beyond agent.toml.

use std::os::unix::fs::symlink;

use super::outfolder::place;

#[test]
fn a_template_that_fails_says_where_and_with_what() {
    let place = place();
    for (template, told) in [
        (
            "kind: Service\nmetadata: {{ metadata.nam.x }}\n",
            "templates/kubernetes/service.yaml:2: undefined value",
        ),
        (
            "kind: Service\nmetadata: {{ port + metadata }}\n",
            "unsupported types number and map, at port + metadata, where port is 8000 and metadata is {\"name\":\"bot\"",
        ),
        (
            "kind: Service\n{% if %}\n",
            "templates/kubernetes/service.yaml:2: syntax error",
        ),
        (
            "kind: Service\n{% if true %}\nx: 1\n{% endif %}\n- {{ port }}\n",
            "templates/kubernetes/service.yaml:5: not YAML",
        ),
        (
            "kind: Service\nkind: Other\n",
            "templates/kubernetes/service.yaml:2: not YAML: duplicate mapping key",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: 3\n",
            "templates/kubernetes/service.yaml: what it made is no object of a cluster: its metadata.name is no text",
        ),
        (
            "kind: Service\nsize: 123456789012345678901234567890\n",
            "templates/kubernetes/service.yaml: 123456789012345680000000000000 is too large to be kept as it is; put it in quotes",
        ),
        (
            "{{ port }}\n",
            "templates/kubernetes/service.yaml: it should make one YAML mapping, and made \"8000\"",
        ),
        (
            "a: {% for x in range(9999) %}{% for y in range(9999) %}{{ y }}{% endfor %}{% endfor %}\n",
            "templates/kubernetes/service.yaml:1: ",
        ),
    ] {
        place.write("templates/kubernetes/service.yaml", template);
        let ran = place.run(&["render", "kubernetes"]).ends(2);
        assert!(
            ran.stderr.contains("error: could not render bot\n"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(told), "{template}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("Policy"), "{}", ran.stderr);
        let hint =
            "hint: mend templates/kubernetes/service.yaml; without it the one that comes with";
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

/// What stands for a template by its name is one, or a mistake that is said.
#[test]
fn what_is_no_template_is_refused() {
    let place = place();
    place.write("templates/kubernetes/readme.md", "");
    let path = "templates/kubernetes/service.yaml";
    symlink("/nowhere", place.path(path)).unwrap();
    place.run(&["check"]).exactly(
        2,
        "",
        "\
error: ./templates/kubernetes/service.yaml is a link that leads nowhere
hint: mend it, or remove it; without it the template that comes with agentctl is used
",
    );
    std::fs::remove_file(place.path(path)).unwrap();
    std::fs::create_dir(place.path(path)).unwrap();
    place.run(&["render", "kubernetes"]).exactly(
        2,
        "",
        "\
error: ./templates/kubernetes/service.yaml stands for a template, and is no file
hint: agentctl render --eject NAME writes a copy to begin with
",
    );
}

/// Wherever the agent runs: what is meant for a cluster is broken for a process already.
#[test]
fn check_finds_what_lies_beside_the_file() {
    let place = place();
    let usual = place.read("agent.toml");
    place.write("templates/ci/test-go.sh", "ok\n{% if %}\n");
    place.run(&["check"]).exactly(
        2,
        "",
        "\
error: could not render bot
  caused by: templates/ci/test-go.sh:2: syntax error: unexpected end of block, at %}
hint: mend templates/ci/test-go.sh; without it the one that comes with agentctl is used
",
    );
    std::fs::remove_file(place.path("templates/ci/test-go.sh")).unwrap();
    place.write(
        "agent.toml",
        format!("{usual}[config]\nprompts = \"texts\"\n"),
    );
    place.run(&["check"]).exactly(
        2,
        "",
        "\
error: ./texts is no folder
hint: config.prompts names the folder that the prompts lie in
",
    );
    let built = "[agent]\nname = \"bot\"\n[build]\nruntime = \"python\"\ncontext = \"app\"\n\
                 [environments.host.target]\ndocker = {}\n";
    place.write("agent.toml", built);
    place.run(&["check"]).exactly(
        2,
        "",
        "\
error: could not look into ./app
  caused by: No such file or directory (os error 2)
hint: build.context names the folder that the image is made from
",
    );
    place.write("app/bot.py", "");
    place.run(&["check", "-e", "host"]).exactly(
        2,
        "",
        "\
error: could not render bot
  caused by: what the image starts is not given, and nothing in the folder tells
hint: entry = [\"python\", \"server.py\"] under [build]
",
    );
}
