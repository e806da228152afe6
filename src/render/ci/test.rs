//! The project's own tests, by what it is written in.

use serde_json::json;

use crate::render::dockerfile::{base, node, python};
use crate::render::{Failure, Input, Templates};
use crate::spec::Runtime;

/// `None` where nothing tells how they are run.
pub(super) fn script(input: &Input, templates: &Templates) -> Result<Option<String>, Failure> {
    let Some(build) = &input.spec.build else {
        return Ok(None);
    };
    let (template, manager) = match build.runtime {
        Runtime::Python => ("ci/test-python.sh", python::manager(build, input)),
        Runtime::Node => ("ci/test-node.sh", node::manager(build, input)),
        Runtime::Rust => ("ci/test-rust.sh", None),
        Runtime::Go => ("ci/test-go.sh", None),
        Runtime::Dockerfile => return Ok(None),
    };
    let has_tests = |name: &String| name == "tests" || name == "test" || name.starts_with("test_");
    let locks = [
        "uv.lock",
        "pnpm-lock.yaml",
        "yarn.lock",
        "package-lock.json",
        "npm-shrinkwrap.json",
    ];
    let context = json!({
        "manager": manager,
        "tests": input.folder.entries.iter().any(has_tests),
        "locked": locks.iter().any(|name| input.folder.has(name)),
        "requirements": input.folder.has("requirements.txt"),
        "uv": base::UV,
        "poetry": base::POETRY,
        "pnpm": base::PNPM,
    });
    templates.text(template, &context).map(Some)
}
