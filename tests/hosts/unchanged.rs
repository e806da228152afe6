//! What a deploy costs that has nothing to do.

use super::Hosted;
use crate::images::trouble::Way;
use crate::support::engine::{docker, forget};
use crate::support::registry::{RealRegistry, Wanted};

#[test]
fn an_unchanged_tree_costs_one_look_at_the_registry() {
    let Some(host) = Hosted::new("unchanged", "") else {
        return;
    };
    let registry = RealRegistry::start(Wanted::default());
    let way = Way::to(registry.port());
    let repository = format!("127.0.0.1:{}/team/unchanged", way.port);
    let spec = format!("image.repository = \"{repository}\"\n");
    host.spec(&spec);
    host.run(&["push"]).ends(0).says("pushed");
    // As if it had been killed before this tag: whoever rolls it out gives it.
    host.spec(&format!("{spec}image.tags = [\"latest\"]\n"));
    host.run(&["deploy"]).ends(0).says("r1 is live");
    let put = "PUT /v2/team/unchanged/manifests/latest".to_owned();
    assert!(way.requests().contains(&put));
    host.run(&["deploy"]).ends(0).says("nothing changed");
    let requests = way.requests();
    let head = "HEAD /v2/team/unchanged/manifests/sha-";
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with(head), "{requests:?}");
    forget(&repository);
}

/// An agent that is built for several machines is deployed as what the host runs.
#[test]
fn of_several_platforms_the_host_gets_its_own() {
    let Some(host) = Hosted::new("platforms", "") else {
        return;
    };
    let platforms = |names: &str| host.spec(&format!("build.platforms = [{names}]\n"));
    let ours = docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]).unwrap();
    platforms(&format!("\"{ours}\", \"linux/s390x\""));
    host.run(&["plan"]).ends(0).says("first deploy");
    platforms("\"linux/s390x\", \"linux/riscv64\"");
    for verb in ["plan", "deploy"] {
        host.run(&[verb])
            .ends(2)
            .says(&format!("the host is {ours}, and build.platforms names"))
            .says(&format!("platforms = [\"{ours}\"] under [build]"));
    }
    host.nothing_is_there();
}
