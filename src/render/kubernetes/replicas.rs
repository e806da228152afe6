//! How many replicas there are, as far as the spec tells.

use crate::render::Input;
use crate::spec::{Kind, Scale};

/// The number that is written down; `None` where a scaler decides, and would be overruled.
pub(super) fn fixed(input: &Input) -> Option<u32> {
    match scaler(input) {
        Some(_) => None,
        None => Some(input.spec.run.replicas),
    }
}

/// Whether there may be more than one, so that they can be kept apart.
pub(super) fn several(input: &Input) -> bool {
    let kind = matches!(
        input.spec.agent.kind,
        Kind::Service | Kind::Worker | Kind::Stateful
    );
    let most = scaler(input).map_or(input.spec.run.replicas, |scale| scale.max);
    kind && most > 1
}

fn scaler(input: &Input) -> Option<&Scale> {
    input.spec.scale.as_ref().filter(|scale| scale.follows())
}
