//! What the verbs about images have in common: from agent.toml to an image in the engine, and to a
//! digest in a registry, with nothing done twice.

mod make;
mod packages;
mod pins;
mod publish;
mod reached;
mod subject;

pub(super) use make::made;
pub(super) use packages::{has_place, list as list_packages, sign};
pub(super) use pins::pin;
pub(super) use publish::{heard, published, pushed, pushed_before, registry, tagged};
pub(super) use subject::{Subject, content_tags, current_tags, found, unallowed};
