//! `agentctl render`: the examples' golden files, moments of a rollout, and what becomes of folders.

mod cluster;
mod compose;
mod golden;
mod image;
mod moment;
mod outfolder;
mod own;
mod pipeline;
