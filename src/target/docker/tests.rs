//! On this machine's engine, with the program that Cargo builds beside these tests as the edge.

use std::env;

use super::*;
use crate::docker::Place;
use crate::image::engine_fixture::{TINY, clear, skipped, there_is_a_tiny_image};
use crate::release::Image;
use crate::spec::Spec;
use crate::target::contract;

const SERVES: &str = "echo hello > /tmp/index.html; exec httpd -f -p ${PORT} -h /tmp";

/// Goes with all that was made there.
struct Stand {
    names: Names,
}

impl Drop for Stand {
    fn drop(&mut self) {
        clear(&self.names.project);
    }
}

/// `None`: it is not built, which is said.
fn executable() -> Option<PathBuf> {
    let tests = env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("agentctl");
    if !program.exists() {
        skipped("agentctl itself is not built yet");
        return None;
    }
    Some(program)
}

fn image() -> Image {
    let text =
        "agent.name = \"bot\"\nrun.command = [\"sh\"]\nrun.port = 8080\nimage.image = \"bot\"";
    let loaded = Spec::from_bytes(text.as_bytes(), "agent.toml", None, &|_| None).unwrap();
    let image = Image::of(&loaded.spec, TINY.to_owned(), BTreeMap::new());
    Image {
        writable: vec!["/tmp".to_owned()],
        ..image
    }
}

#[tokio::test]
async fn containers_keep_the_contract() {
    let Some(program) = executable().filter(|_| there_is_a_tiny_image()) else {
        return;
    };
    let names = Names::new(&format!("contract-{}", std::process::id()), None);
    let stand = Stand { names };
    let engine = Engine::connect(Place::find(&|_| None).unwrap()).await;
    let host = Host::new(engine.unwrap(), stand.names.clone(), program, None);
    let target = Docker::new(Rc::new(host), 1);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let [old, new] = [1, 2].map(|number| {
        let artifact = Artifact::Image(Box::new(image()));
        contract::release_of(number, artifact, &["sh", "-c", SERVES])
    });
    target.listen(Some(address)).await.unwrap();
    contract::holds(&target, &old, &new).await;
    target.stop(true).await.unwrap();
}
