//! Images, as a real engine builds and runs them and a real registry keeps them.

mod bearer;
mod build;
mod contents;
mod full;
mod kept;
mod login;
mod patience;
mod push;
mod strange;
mod tls;
mod tokens;
pub(crate) mod trouble;
mod workshop;
mod wrong;

use crate::support::engine;

#[test]
fn the_bases_of_the_tests_run() {
    if engine::there_is_a_tiny_image() {
        let said = engine::docker(&["run", "--rm", engine::TINY, "/bin/echo", "here"]);
        assert_eq!(said.as_deref(), Ok("here"));
    }
    if engine::there_is_python() {
        for image in engine::PYTHON {
            let program = "import sys; print(sys.version_info.major)";
            let said = engine::docker(&["run", "--rm", image, "python", "-c", program]);
            assert_eq!(said.as_deref(), Ok("3"));
        }
    }
}
