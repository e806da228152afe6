//! `agentctl render`: the examples' golden files, and what becomes of folders and values.

mod compose;
mod golden;
mod outfolder;
