//! A registry, or the way to it, that has a bad moment: the push goes on and ends right.

use super::trouble::{Trouble, Way};
use super::workshop::Workshop;
use crate::support::eventually;
use crate::support::registry::Wanted;

const TOLD: &str = "\
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
";

/// With an image in the engine whose one layer has `bytes` that cannot be packed.
fn open(bytes: usize) -> Option<(Workshop, Way)> {
    let mut shop = Workshop::open(Wanted::default(), "")?;
    let way = Way::to(shop.registry.port());
    shop.place.port = way.port;
    shop.host = format!("127.0.0.1:{}", way.port);
    shop.spec("");
    let mut noise = Noise(shop.unique(0).bytes().fold(1, |seed, byte| {
        u64::from(byte)
            .wrapping_add(seed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            | 1
    }));
    let text: Vec<u8> = (0..bytes).map(|_| noise.next()).collect();
    shop.place.write("text", text);
    shop.run(&["build", "-q"]).ends(0);
    Some((shop, way))
}

/// Marsaglia's xorshift: bytes without a pattern.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u8
    }
}

/// The registry has the whole image, byte by byte: an engine that forgot it can pull it.
#[track_caller]
fn is_whole(shop: &Workshop) {
    let name = shop.in_engine().remove(0);
    let format = "{{.Id}}";
    let id = || crate::support::engine::docker(&["image", "inspect", "--format", format, &name]);
    let before = id().unwrap();
    shop.forget();
    crate::support::engine::docker(&["pull", "-q", &name]).unwrap();
    assert_eq!(id().unwrap(), before);
    shop.run(&["push", "-q"])
        .ends(0)
        .says("nothing to build or push");
}

#[test]
fn a_registry_that_is_busy_is_asked_again() {
    let Some((shop, way)) = open(1000) else {
        return;
    };
    way.has(&[Trouble::Busy, Trouble::Busy]);
    shop.run(&["push", "-q"]).exactly(0, "", TOLD);
    assert!(way.is_clear());
    is_whole(&shop);
}

/// A deletion too, and it is said.
#[test]
fn a_deletion_that_is_asked_again_is_told() {
    let Some((shop, way)) = open(1000) else {
        return;
    };
    shop.run(&["push", "-q"]).ends(0);
    shop.spec("image.keep = 1\n");
    shop.place.write("text", shop.unique(1));
    shop.run(&["push", "-q"]).ends(0);
    way.refuses_a_deletion();
    let ran = shop.run(&["images", "prune"]).ends(0);
    ran.says("; trying again in ").says("1 image deleted");
}

#[test]
fn a_connection_that_breaks_is_made_anew() {
    let Some((shop, way)) = open(1000) else {
        return;
    };
    way.has(&[Trouble::Reset, Trouble::Reset]);
    shop.run(&["push", "-q"]).exactly(0, "", TOLD);
    assert!(way.is_clear());
    is_whole(&shop);
}

/// Killed in the middle of a layer, and there again while the engine still tries.
#[test]
fn a_registry_that_dies_in_the_middle_of_an_upload() {
    let Some((mut shop, way)) = open(8 << 20) else {
        return;
    };
    way.has(&[Trouble::Cut(1 << 20)]);
    let push = shop.start(&["push", "-q"]);
    eventually("the upload broke off", || way.was_cut());
    shop.registry.kill();
    assert_eq!(shop.in_registry(), Vec::<String>::new());
    shop.registry.again();
    push.wait().exactly(0, "", TOLD);
    is_whole(&shop);
}
