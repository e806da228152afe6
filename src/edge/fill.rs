//! What is put in the place of pieces when a replica is started.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::api::Piece;
use super::snapshot;

/// For people to read: without the secrets.
pub(super) fn as_written(word: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Port => "${PORT}".to_owned(),
        Piece::Secret(name) => format!("${{secret:{name}}}"),
    };
    word.iter().map(piece).collect()
}

/// What is put in the place of pieces.
pub(super) struct Fill<'a> {
    port: u16,
    secrets: BTreeMap<String, String>,
    file: &'a Path,
}

impl<'a> Fill<'a> {
    /// Secrets are read anew each time: a replica that is started gets what holds now.
    pub(super) fn new(port: u16, file: &'a Path) -> Result<Self> {
        Ok(Self {
            port,
            secrets: snapshot::read(file)?,
            file,
        })
    }

    pub(super) fn words(&self, words: &[Vec<Piece>]) -> Result<Vec<String>> {
        words.iter().map(|word| self.text(word)).collect()
    }

    pub(super) fn text(&self, pieces: &[Piece]) -> Result<String> {
        pieces.iter().map(|piece| self.piece(piece)).collect()
    }

    fn piece(&self, piece: &Piece) -> Result<String> {
        match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Port => Ok(self.port.to_string()),
            Piece::Secret(name) => self.secret(name).map(str::to_owned),
        }
    }

    pub(super) fn secret(&self, name: &str) -> Result<&str> {
        let value = self.secrets.get(name).map(String::as_str);
        value.ok_or_else(|| {
            anyhow!(
                "secret {name} is missing in {}; deploying again writes it",
                self.file.display()
            )
        })
    }
}
