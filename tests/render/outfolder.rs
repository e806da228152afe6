//! A folder that is rendered into may hold what others wrote.

use crate::support::Place;

pub(super) fn place() -> Place {
    let place = Place::empty();
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n",
    );
    place
}

#[test]
fn foreign_files_stay_as_they_are() {
    let place = place();
    place.write("k8s/deployment.yaml", "mine\n");
    place.write("k8s/other.yaml", "mine too\n");
    place.run(&["render", "kubernetes", "-o", "k8s"]).exactly(
        2,
        "",
        "error: k8s/deployment.yaml is not as agentctl wrote it\n\
             hint: keep it by another name, or overwrite it with --force\n",
    );
    assert!(
        !place.path("k8s/service.yaml").exists(),
        "nothing was written"
    );
    place
        .run(&["render", "kubernetes", "-o", "k8s", "--force"])
        .ends(0);
    assert!(
        place
            .read("k8s/deployment.yaml")
            .contains("kind: Deployment")
    );
    assert_eq!(place.read("k8s/other.yaml"), "mine too\n");
}

#[test]
fn what_it_wrote_itself_is_written_anew_and_taken_away() {
    let place = place();
    let render = || place.run(&["render", "kubernetes", "-o", "k8s"]).ends(0);
    render();
    let first = place.read("k8s/deployment.yaml");
    render();
    assert_eq!(
        place.read("k8s/deployment.yaml"),
        first,
        "the same input, the same bytes"
    );
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\nkind = \"worker\"\n[image]\nimage = \"bot:2\"\n",
    );
    let ran = render();
    assert!(ran.stderr.contains("\nremoved "), "{}", ran.stderr);
    assert!(place.read("k8s/deployment.yaml").contains("bot:2"));
    assert!(
        !place.path("k8s/service.yaml").exists(),
        "a worker has none"
    );
}

#[test]
fn one_thing_takes_nothing_of_another_away() {
    let place = place();
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\n[build]\nruntime = \"python\"\n\
         [image]\nrepository = \"r.example.com/bot\"\n",
    );
    place.write("app.py", "");
    let render = |what: &[&str]| {
        let words = [&["render"], what, &["-o", "."]].concat();
        let ran = place.run(&words).ends(0);
        assert!(!ran.stderr.contains("removed"), "{}", ran.stderr);
    };
    render(&["dockerfile"]);
    let made = place.read("Dockerfile");
    render(&["ci", "--for", "github"]);
    render(&["compose"]);
    render(&["dockerfile"]);
    render(&["ci", "--for", "github"]);
    assert_eq!(place.read("Dockerfile"), made);
    assert!(place.path(".dockerignore").exists());
    assert!(place.path("compose.yaml").exists());
}

#[test]
fn an_edited_file_is_not_lost() {
    let place = place();
    place.run(&["render", "kubernetes", "-o", "k8s"]).ends(0);
    place.write("k8s/service.yaml", "edited\n");
    place.run(&["render", "kubernetes", "-o", "k8s"]).ends(2);
    assert_eq!(place.read("k8s/service.yaml"), "edited\n");
}

#[test]
fn a_list_that_leads_out_of_the_folder_is_refused() {
    let place = place();
    place.write("mine.txt", "mine\n");
    place.run(&["render", "kubernetes", "-o", "k8s"]).ends(0);
    for path in ["../mine.txt", place.path("mine.txt").to_str().unwrap()] {
        let list = format!("{{\"kubernetes\": {{\"{path}\": \"00\"}}}}");
        place.write("k8s/.agentctl-rendered", list);
        let ran = place.run(&["render", "kubernetes", "-o", "k8s", "--force"]);
        assert!(
            ran.ends(2).stderr.contains("is not in the folder"),
            "{path} is refused"
        );
        assert_eq!(place.read("mine.txt"), "mine\n");
    }
}

#[test]
fn no_link_leads_out_of_the_folder() {
    for (link, to) in [("k8s/service.yaml", "../gone.yaml"), ("k8s/base", "..")] {
        let place = place();
        place.write("k8s/note.txt", "mine\n");
        std::os::unix::fs::symlink(to, place.path(link)).unwrap();
        for force in [None, Some("--force")] {
            let layout = if link.ends_with("base") {
                "kustomize"
            } else {
                "flat"
            };
            let words = ["render", "kubernetes", "--layout", layout, "-o", "k8s"];
            let words: Vec<&str> = words.into_iter().chain(force).collect();
            place.run(&words).exactly(
                2,
                "",
                &format!(
                    "error: {link} is a link, and may lead out of the folder\n\
                     hint: take it away, or name another folder with -o\n"
                ),
            );
        }
        assert!(!place.path("gone.yaml").exists());
        assert!(!place.path("service.yaml").exists());
    }
}

#[test]
fn a_template_is_ejected_and_then_used() {
    let place = place();
    place
        .run(&["render", "--eject", "kubernetes/service.yaml"])
        .exactly(
            0,
            "",
            "wrote templates/kubernetes/service.yaml; it stands for the built-in one from now on\n",
        );
    let own = place.read("templates/kubernetes/service.yaml") + "  sessionAffinity: ClientIP\n";
    place.write("templates/kubernetes/service.yaml", own);
    let ran = place.run(&["render", "kubernetes"]).ends(0);
    assert!(
        ran.stdout.contains("sessionAffinity: ClientIP"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr
            .contains("templates/kubernetes/service.yaml stands for the built-in one"),
        "{}",
        ran.stderr
    );
}

/// As whoever took a copy before there was such a line has it.
#[test]
fn a_template_that_leaves_out_variables_is_refused() {
    let place = place();
    let spec = place.read("agent.toml") + "\n[run.env]\nLOG = \"info\"\n";
    place.write("agent.toml", spec);
    place
        .run(&["render", "--eject", "kubernetes/container.yaml"])
        .ends(0);
    place.run(&["render", "kubernetes"]).ends(0);
    let path = "templates/kubernetes/container.yaml";
    let old = place.read(path).replace("envFrom: {{ env_from }}\n", "");
    place.write(path, old);
    place
        .run(&["render", "kubernetes"])
        .ends(2)
        .says("templates/kubernetes/container.yaml leaves out variables of run.env");
}

#[test]
fn agents_of_one_namespace_have_no_name_in_common() {
    let place = Place::empty();
    for agent in ["one", "two"] {
        let spec = format!(
            "[agent]\nname = \"{agent}\"\n[image]\nimage = \"a:1\"\n[services.state]\npreset = \"redis\"\n"
        );
        place.write(&format!("{agent}/agent.toml"), spec);
    }
    place
        .run(&[
            "render",
            "kubernetes",
            "-f",
            "one/agent.toml",
            "two/agent.toml",
        ])
        .exactly(
            2,
            "",
            "error: two of the files want the name state\n\
             hint: give each agent, service and tool of one namespace a name of its own\n",
        );
}

#[test]
fn a_template_that_stands_for_none_is_told() {
    let place = place();
    place.write("templates/kubernetes/srvice.yaml", "kind: Service\n");
    let ran = place.run(&["render", "kubernetes"]).ends(0);
    let told = "templates/kubernetes/srvice.yaml stands for no built-in one";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_link_is_no_prompt() {
    let place = place();
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\n[config]\nprompts = \"prompts\"\n[image]\nimage = \"bot:1\"\n",
    );
    place.write("prompts/a.md", "hello\n");
    std::os::unix::fs::symlink("/etc/hostname", place.path("prompts/b.md")).unwrap();
    place.run(&["render", "kubernetes"]).exactly(
        2,
        "",
        "error: ./prompts/b.md is a link, and prompts are files\nhint: put the file or folder itself there\n",
    );
    std::fs::rename(place.path("prompts"), place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.path("prompts")).unwrap();
    place
        .run(&["render", "kubernetes"])
        .ends(2)
        .says("error: ./prompts is a link");
}

#[test]
fn an_image_that_is_none_is_refused() {
    let ran = place()
        .run(&["render", "kubernetes", "--image", "BAD IMAGE"])
        .ends(2);
    assert!(
        ran.stderr.contains("\"BAD IMAGE\" is not an image like"),
        "{}",
        ran.stderr
    );
}
