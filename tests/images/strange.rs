//! Trees and images that are not what they seem.

use std::fs;
use std::os::unix::fs::symlink;

use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::Wanted;

#[test]
fn a_dockerfile_or_dockerignore_that_leads_elsewhere() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["Dockerfile", ".dockerignore"] {
        let (here, there) = (shop.place.path(name), elsewhere.path().join(name));
        fs::rename(&here, &there).unwrap();
        symlink(&there, &here).unwrap();
        let ran = shop.run(&["build"]);
        ran.ends(2)
            .says(&format!("error: {name} leads out of the context\n"))
            .says(&format!("caused by: it is a link to {}\n", there.display()))
            .says("hint: put a copy in its place: cp --remove-destination ");
        fs::remove_file(&here).unwrap();
        fs::rename(&there, &here).unwrap();
    }
    fs::remove_file(shop.place.path(".dockerignore")).unwrap();
    symlink("gone", shop.place.path(".dockerignore")).unwrap();
    let broken = "\
error: could not read .dockerignore
  caused by: No such file or directory (os error 2)
hint: it has to be a file of text in UTF-8, with a pattern in each line
";
    shop.run(&["build"]).exactly(2, "", broken);
    shop.nothing_was_made();
}

#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    for name in ["Dockerfile", ".dockerignore", "agent.lock"] {
        let here = shop.place.path(name);
        let before = fs::read(&here).ok();
        let _ = fs::remove_file(&here);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &here, kind, rustix::fs::Mode::RWXU, 0).unwrap();
        let ran = shop.run(&["build"]).ends(2);
        let ran = ran.says(&format!("error: could not read {name}"));
        ran.says("caused by: it is a pipe, no file").says("hint: ");
        fs::remove_file(&here).unwrap();
        if let Some(before) = before {
            fs::write(&here, before).unwrap();
        }
    }
    shop.nothing_was_made();
}

/// By hand, in the engine: what agentctl's own label does not say is not believed.
#[test]
fn an_image_with_the_tag_of_another_is_built_anew() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let text = shop.unique(1);
    shop.place.write("text", &text);
    shop.run(&["build", "-q"]).ends(0).says("built ");
    let ours = shop.in_engine().remove(0);
    shop.place.write("text", shop.unique(2));
    shop.run(&["build", "-q"]).ends(0);
    let other = shop.in_engine().into_iter().find(|name| *name != ours);
    engine::docker(&["tag", &other.unwrap(), &ours]).unwrap();
    shop.place.write("text", &text);
    shop.run(&["build", "-q"]).ends(0).says("built ");
    let label = "{{index .Config.Labels \"dev.agentctl.content\"}}";
    let content = engine::docker(&["inspect", "-f", label, &ours]).unwrap();
    assert!(ours.ends_with(content.trim()), "{ours} {content}");
    shop.run(&["build", "-q"]).ends(0).says("nothing to build");
}

/// Put together here, so that nobody's scanner takes this file for a leak.
#[test]
fn a_file_without_lines_may_hold_several_secrets() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let letters = "q7Zr2Kx9Vb4Mn8Lc1Ws6Tg3Yh5Pj0Dfq7Zr2";
    let text = format!(
        "\0anna{}_{letters}\u{1}AKIA{}",
        "ghp",
        &letters[..16].to_uppercase()
    );
    shop.place.write("text", text);
    let refused = "\
error: these files would take secrets into the image:
  text: a token of GitHub
  text: an access key of AWS
hint: list them in .dockerignore; for one that is no secret: [[build.allow]] with path = \"text\" and a reason
";
    shop.run(&["build"]).exactly(2, "", refused);
    shop.nothing_was_made();
}
