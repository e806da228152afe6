//! `agentctl render`: the examples' golden files, and what becomes of folders and values.

mod cluster;
mod compose;
mod golden;
mod image;
mod outfolder;
