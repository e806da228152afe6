//! The last rollout's records, and those of the ones before.

use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JOURNAL, Shelf, Shelved, unpoisoned};
use crate::journal::{Corrupt, Hold, Record, format};

/// `seal LF`, and then lines as in any journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) seal: Seal,
    pub(super) records: Vec<Record>,
}

impl std::ops::Deref for Head {
    type Target = Seal;

    fn deref(&self) -> &Seal {
        &self.seal
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seal {
    /// Of who may write here.
    pub(super) fence: u64,
    /// Whose records follow.
    pub(super) rollout: Option<u64>,
}

pub(super) fn earlier(rollout: u64) -> String {
    format!("rollout-{rollout}")
}

pub(super) fn number(name: &str) -> Option<u64> {
    name.strip_prefix("rollout-")?.parse().ok()
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let file = Path::new(JOURNAL);
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (seal, lines) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        let seal = format::parse(seal, file, |says| Corrupt {
            file: file.to_owned(),
            line: 1,
            says: says.to_owned(),
            hint: "restore the agent's ConfigMap from a backup; agentctl status shows what runs",
        })?;
        let records = format::records(lines, file)?.records;
        Ok(Self { seal, records })
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let seal = format::versioned(&self.seal)? + "\n";
        Ok((seal + &text(&self.records)?).into_bytes())
    }
}

fn text(records: &[Record]) -> Result<String> {
    records.iter().map(format::line).collect()
}

impl<W: Shelf> Shelved<W> {
    pub(super) async fn read_head(&self) -> Result<Head> {
        Ok(self.fetch_head().await?.1)
    }

    /// As the picture has it while nobody else writes.
    pub(super) async fn head_to_read(&self) -> Result<Head> {
        match self.own_picture()?.and_then(|mut all| all.remove(JOURNAL)) {
            Some(kept) => Head::parse(&kept.bytes),
            None => self.read_head().await,
        }
    }

    pub(super) async fn fetch_head(&self) -> Result<(Option<String>, Head)> {
        let kept = self.way.get(JOURNAL).await?;
        let head = match &kept {
            Some(kept) => Head::parse(&kept.bytes)?,
            None => Head::default(),
        };
        Ok((kept.map(|kept| kept.version), head))
    }

    pub(super) async fn read_earlier(&self, rollout: u64) -> Result<Vec<Record>> {
        let name = earlier(rollout);
        match self.settled(&name).await? {
            Some(kept) => Ok(format::records(&kept.bytes, Path::new(&name))?.records),
            None => Ok(Vec::new()),
        }
    }

    /// From here on nobody with an older lease writes.
    pub(super) async fn seal(&self, hold: &Hold) -> Result<()> {
        loop {
            let (version, mut head) = self.fetch_head().await?;
            if head.fence > hold.fence() {
                bail!(self.fenced().await?);
            }
            head.seal.fence = hold.fence();
            if self.put_head(version, head).await? {
                return Ok(());
            }
        }
    }

    /// An answer may have been lost: what is there already is not written twice.
    pub(super) async fn write(
        &self,
        hold: &Hold,
        rollout: u64,
        at: u64,
        payload: Value,
    ) -> Result<()> {
        let mut known = unpoisoned(self.head.lock())?.take();
        let mut again = false;
        loop {
            let (version, mut head) = match known.take() {
                Some(known) => known,
                None => self.fetch_head().await?,
            };
            if head.fence != hold.fence() {
                bail!(self.fenced().await?);
            }
            if head.rollout != Some(rollout) {
                if !self.put_away(&head).await? {
                    continue;
                }
                head.records = self.read_earlier(rollout).await?;
                head.seal.rollout = Some(rollout);
            }
            let record = Record {
                seq: head.records.len() as u64,
                fence: hold.fence(),
                at,
                payload: payload.clone(),
            };
            if again
                && head
                    .records
                    .last()
                    .is_some_and(|last| is_same(last, &record))
            {
                *unpoisoned(self.head.lock())? = Some((version, head));
                return Ok(());
            }
            head.records.push(record);
            if self.put_head(version, head).await? {
                return Ok(());
            }
            again = true;
        }
    }

    /// Records of the rollout before lie on their own; `false`: there are more than were known here,
    /// and so another holder.
    async fn put_away(&self, head: &Head) -> Result<bool> {
        let Some(rollout) = head.rollout else {
            return Ok(true);
        };
        let name = earlier(rollout);
        let there = match self.is_absent(&name)? {
            true => None,
            false => self.way.get(&name).await?,
        };
        let records = match &there {
            Some(kept) => format::records(&kept.bytes, Path::new(&name))?.records,
            None => Vec::new(),
        };
        if there.is_some() && records == head.records {
            return Ok(true);
        }
        if !head.records.starts_with(&records) {
            return Ok(false);
        }
        let over = there.as_ref().map(|kept| kept.version.as_str());
        let bytes = text(&head.records)?.into_bytes();
        Ok(self.write_through(&name, over, bytes).await?.is_some())
    }

    /// `false`: it is another version by now.
    async fn put_head(&self, over: Option<String>, head: Head) -> Result<bool> {
        let put = self
            .way
            .put(JOURNAL, over.as_deref(), head.bytes()?)
            .await?;
        let written = put.map(|version| (Some(version), head));
        let is_written = written.is_some();
        *unpoisoned(self.head.lock())? = written;
        Ok(is_written)
    }
}

fn is_same(last: &Record, record: &Record) -> bool {
    (last.fence, last.at, &last.payload) == (record.fence, record.at, &record.payload)
}
