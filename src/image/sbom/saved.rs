//! An image as the engine saves it: a tar of layers and of files that name their order.
//!
//! Docker writes `manifest.json`, engines of the OCI layout `index.json`; either comes after the
//! layers that it names, and a layer may be a link to another.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, bail};
use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use tar::{Archive, Entry};

use super::found::{Layer, Packages, together};
use super::layer::layer;

/// Enough to tell a tar from other files.
const HEAD: usize = 512;
const LARGEST_JSON: u64 = 16 << 20;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

#[derive(Default)]
struct Saved {
    layers: BTreeMap<String, Layer>,
    json: BTreeMap<String, Value>,
    links: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    layers: Vec<String>,
}

pub(super) fn packages(tar: impl Read) -> Result<Packages> {
    let mut saved = Saved::default();
    for entry in Archive::new(tar).entries()? {
        saved.add(entry?)?;
    }
    let order = saved.order()?;
    let layers = order.iter().map(|name| saved.layer(name));
    Ok(together(layers.collect::<Result<Vec<_>>>()?))
}

impl Saved {
    fn add(&mut self, entry: Entry<impl Read>) -> Result<()> {
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            self.links.insert(name.clone(), target);
            return Ok(());
        }
        match kind.is_file() {
            true => self.read(name, BufReader::with_capacity(HEAD * 128, entry)),
            false => Ok(()),
        }
    }

    fn read(&mut self, name: String, mut file: impl BufRead) -> Result<()> {
        let head = file.fill_buf()?;
        if head.starts_with(GZIP) {
            let found = layer(GzDecoder::new(file));
            let found = found.with_context(|| format!("could not unpack its layer {name}"))?;
            self.layers.insert(name, found);
        } else if head.starts_with(ZSTD) {
            bail!("its layer {name} is packed with zstd, which agentctl does not unpack");
        } else if is_tar(head) {
            let found = layer(file);
            let found = found.with_context(|| format!("could not read its layer {name}"))?;
            self.layers.insert(name, found);
        } else if head.first().is_some_and(|first| b"{[".contains(first)) {
            let json = serde_json::from_reader(file.take(LARGEST_JSON));
            // Whatever is no JSON names no layers.
            self.json.extend(json.ok().map(|json| (name, json)));
        }
        Ok(())
    }

    fn order(&self) -> Result<Vec<String>> {
        if let Some(manifest) = self.json.get("manifest.json") {
            let images: Vec<Image> = serde_json::from_value(manifest.clone())
                .context("could not understand its manifest.json")?;
            let image = images.into_iter().next();
            return Ok(image.context("its manifest.json names no image")?.layers);
        }
        let index = self.json.get("index.json");
        let index = index.context("it has neither manifest.json nor index.json")?;
        let manifest = self
            .manifest(index)
            .context("its index.json names no image")?;
        let layers = manifest["layers"].as_array().into_iter().flatten();
        let names = layers.map(|layer| blob(layer).context("a layer of it has no digest"));
        names.collect()
    }

    /// An index may name another, or what only tells of an image.
    fn manifest(&self, index: &Value) -> Option<&Value> {
        let named = index["manifests"].as_array()?.iter();
        let mut there = named.filter_map(|one| self.json.get(&blob(one)?));
        there.find_map(|one| match one["layers"].is_array() {
            true => Some(one),
            false => self.manifest(one),
        })
    }

    fn layer(&self, name: &str) -> Result<&Layer> {
        let target = self.links.get(name).map(|target| beside(name, target));
        let found = self.layers.get(target.as_deref().unwrap_or(name));
        found.with_context(|| format!("its layer {name} is not in what the engine sent"))
    }
}

fn blob(descriptor: &Value) -> Option<String> {
    let (kind, hash) = descriptor["digest"].as_str()?.split_once(':')?;
    Some(format!("blobs/{kind}/{hash}"))
}

/// An empty tar is nothing but zeros.
fn is_tar(head: &[u8]) -> bool {
    let magic = head.get(257..262) == Some(b"ustar");
    magic || head.len() >= HEAD && head[..HEAD].iter().all(|byte| *byte == 0)
}

/// `../x/layer.tar`, from where `name` is.
fn beside(name: &str, target: &str) -> String {
    let (folder, _) = name.rsplit_once('/').unwrap_or_default();
    let mut parts: Vec<_> = folder.split('/').collect();
    for part in target.split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}
