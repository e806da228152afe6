//! What somebody looked at and said is no secret.

use super::Finding;
use crate::image::context::Glob;
use crate::spec::Allow;

pub(crate) struct Sorted {
    pub(crate) refused: Vec<Finding>,
    /// Paths in `[[build.allow]]` that allowed nothing.
    pub(crate) unused: Vec<String>,
}

/// A path that is no pattern allows nothing, and is told as unused.
pub(crate) fn sort(findings: Vec<Finding>, allow: &[Allow]) -> Sorted {
    let mut globs: Vec<_> = allow
        .iter()
        .map(|allow| (Glob::parse(&allow.path).ok(), &allow.path, false))
        .collect();
    let mut refused = Vec::new();
    for finding in findings {
        let mut allowed = false;
        for (glob, _, used) in &mut globs {
            if glob
                .as_ref()
                .is_some_and(|glob| covers(glob, &finding.path))
            {
                (*used, allowed) = (true, true);
            }
        }
        if !allowed {
            refused.push(finding);
        }
    }
    let unused = globs.into_iter().filter(|(_, _, used)| !used);
    Sorted {
        refused,
        unused: unused.map(|(_, path, _)| path.clone()).collect(),
    }
}

/// The path itself, or a folder above it.
fn covers(glob: &Glob, path: &str) -> bool {
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders.chain([path]).any(|path| glob.matches(path))
}
