//! A run that a test does other things beside; killed when the test ends before it does.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use super::ran::{Mask, Ran};
use super::{Place, eventually_or};

pub(crate) struct Background {
    pub(crate) child: Child,
    pub(crate) out: PathBuf,
    pub(crate) err: PathBuf,
    pub(crate) mask: Mask,
}

impl Background {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has said this on stderr.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) {
        let said = || fs::read_to_string(&self.err).unwrap();
        let why = || format!("never said {text:?}:\n{}", said());
        eventually_or(why, || said().contains(text));
    }

    /// Waits until it ends.
    pub(crate) fn wait(mut self) -> Ran {
        let code = self.child.wait().unwrap().code();
        let read = |path| fs::read(path).unwrap();
        Ran::new(code, &read(&self.out), &read(&self.err), self.mask.clone())
    }

    /// Sends requests until it ends.
    pub(crate) fn under_load(mut self, place: &Place) -> Ran {
        while self.is_running() {
            place.get("/");
        }
        self.wait()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
