//! Files that are replaced whole: whoever reads meanwhile sees the old content or the new one.
//!
//! One writer at a time: two would share the file that is not yet renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// For its owner alone.
pub(crate) const PRIVATE: u32 = 0o600;
/// For all whom the umask lets.
pub(crate) const SHARED: u32 = 0o666;

/// When this returns it is there, after a power cut too; or the old content was not touched.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    renamed(path, bytes, mode, File::sync_all)?;
    sync_parent(path)
}

/// For what may be lost: after a power cut it may be the one before, or empty.
pub(crate) fn replace_lightly(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    renamed(path, bytes, mode, |_| Ok(()))
}

/// A name is durable only when its folder is.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    File::open(folder)?.sync_all()
}

fn renamed(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    sync: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.tmp"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(&fresh)?;
    let written = file.write_all(bytes).and_then(|()| sync(&file));
    let written = written.and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_cannot_take_its_place_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("by a folder")).unwrap();
        assert!(replace(&taken, b"new", PRIVATE).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn it_is_whole_and_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (text, write) in [
            ("one", replace as fn(&Path, &[u8], u32) -> _),
            ("2", replace_lightly),
        ] {
            write(&path, text.as_bytes(), PRIVATE).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
