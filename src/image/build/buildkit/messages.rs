//! The few messages of BuildKit's protocols that are spoken here, with the fields that are read.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use prost::Message;
use serde_json::Value;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(message, repeated, tag = "1")]
    pub(super) vertexes: Vec<Vertex>,
    #[prost(message, repeated, tag = "2")]
    pub(super) statuses: Vec<Moved>,
    #[prost(message, repeated, tag = "3")]
    pub(super) logs: Vec<Log>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Vertex {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(bool, tag = "4")]
    pub(super) cached: bool,
    #[prost(message, optional, tag = "5")]
    pub(super) started: Option<Empty>,
    #[prost(message, optional, tag = "6")]
    pub(super) completed: Option<Empty>,
    #[prost(string, tag = "7")]
    pub(super) error: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Moved {
    #[prost(string, tag = "2")]
    pub(super) vertex: String,
    #[prost(int64, tag = "4")]
    pub(super) current: i64,
    #[prost(int64, tag = "5")]
    pub(super) total: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Log {
    #[prost(string, tag = "1")]
    pub(super) vertex: String,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) text: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthAnswer {
    /// 1: serving.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SecretRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SecretAnswer {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) value: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LoginRequest {
    #[prost(string, tag = "1")]
    pub(super) host: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LoginAnswer {
    #[prost(string, tag = "1")]
    pub(super) username: String,
    #[prost(string, tag = "2")]
    pub(super) password: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Packet {
    #[prost(enumeration = "What", tag = "1")]
    pub(super) what: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) stat: Option<Stat>,
    #[prost(uint32, tag = "3")]
    pub(super) id: u32,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum What {
    Stat = 0,
    Request = 1,
    Data = 2,
    End = 3,
    Error = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Stat {
    #[prost(string, tag = "1")]
    pub(super) path: String,
    /// As Go has it: the kind in the highest bits.
    #[prost(uint32, tag = "2")]
    pub(super) mode: u32,
    #[prost(int64, tag = "5")]
    pub(super) size: i64,
    /// Nanoseconds since 1970.
    #[prost(int64, tag = "6")]
    pub(super) changed: i64,
    #[prost(string, tag = "7")]
    pub(super) target: String,
}

/// What a line of the trace carries.
pub(super) fn status(aux: Option<&Value>) -> Result<Status> {
    let text = aux.and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD
        .decode(text)
        .context("BuildKit's trace is no base64")?;
    Status::decode(bytes.as_slice()).context("BuildKit's trace cannot be read")
}
