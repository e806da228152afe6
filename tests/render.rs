//! `agentctl render`: the examples' golden files, moments of a rollout, and what becomes of folders.

mod golden;
mod moment;
mod outfolder;
