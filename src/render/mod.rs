//! `Spec` → files in memory, from templates that are embedded in the binary and that a user may
//! replace one by one.
//!
//! Pure: no I/O, no clock, no cluster; the same input makes the same bytes. Invariant: no value of
//! a spec can break out of its place. A template in YAML is parsed and written out again by one
//! serializer, and a value takes its place between the two; in a Dockerfile it is one word or in
//! quotes.

mod ci;
mod compose;
mod dockerfile;
mod embedded;
mod failure;
mod files;
mod filled;
#[cfg(test)]
mod fixtures;
mod held;
mod input;
mod kubernetes;
mod presets;
mod telemetry;
mod templates;
#[cfg(test)]
mod tests;
mod yaml;

pub(crate) use ci::{GITLAB, Pipeline, Stage, System, ci, gitlab_agents};
pub(crate) use compose::{compose, without_effect};
pub(crate) use dockerfile::{Engine, apart_from_context, build_args, dockerfile};
pub(crate) use failure::Failure;
pub(crate) use files::Files;
pub(crate) use input::{BuildFolder, Controller, Input, RustPackage, Stack, Traffic};
pub(crate) use kubernetes::{
    Right, deployer, gateway_copies, gateway_matches, istio_matches, kubernetes, kustomize, needed,
    nginx_chosen, nginx_copies, rbac, rights, secret_command, secret_of, service_names, values,
};
pub(crate) use presets::{Beside, beside};
pub(crate) use templates::{Templates, built_in, names};
