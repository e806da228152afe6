//! What really runs, as /proc tells it.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

pub(crate) fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
}

/// Neither gone nor dead and only not waited for yet.
pub(crate) fn alive(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// By a signal.
pub(crate) fn stopped(pid: u32) -> bool {
    state(pid) == Some('T')
}

/// The command's name, in parentheses before it, may hold anything.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Processes that work in this folder or were told of it, with their command lines, by pid.
pub(crate) fn of_folder(dir: &Path) -> Vec<(u32, String)> {
    let mut found: Vec<_> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| alive(*pid))
        .map(|pid| (pid, command_line(pid)))
        .filter(|(pid, line)| {
            let works_in = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            works_in.starts_with(dir) || line.contains(&dir.display().to_string())
        })
        .collect();
    found.sort();
    found
}

fn command_line(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}
