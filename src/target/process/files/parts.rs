use anyhow::Result;
use sha2::{Digest, Sha256};

use super::Tree;
use crate::release::Identity;

impl Tree {
    /// The identity of the files with one of these names, and that of all others.
    pub(crate) fn parts(&self, names: &[&str]) -> Result<(Identity, Identity)> {
        let (mut named, mut others) = (Sha256::new(), Sha256::new());
        for entry in self.entries()? {
            let name = entry.path.file_name().and_then(|name| name.to_str());
            let hash = match name.is_some_and(|name| names.contains(&name)) {
                true => &mut named,
                false => &mut others,
            };
            entry.digest_into(&self.root, hash)?;
        }
        let identity = |hash: Sha256| Identity::from_digest(&hash.finalize());
        Ok((identity(named), identity(others)))
    }
}
