//! Ids of traces and spans, as W3C Trace Context writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// 16 bytes in 32 lower-case hexadecimal digits, as in W3C Trace Context.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct TraceId(pub u128);

/// 8 bytes in 16 lower-case hexadecimal digits, as in W3C Trace Context.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct SpanId(pub u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

impl From<SpanId> for String {
    fn from(id: SpanId) -> Self {
        id.to_string()
    }
}

fn digits(text: &str, len: usize) -> Result<u128, String> {
    if text.len() != len || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("expected {len} hexadecimal digits"));
    }
    u128::from_str_radix(text, 16).map_err(|e| e.to_string())
}

impl TryFrom<String> for TraceId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        digits(&text, 32).map(Self)
    }
}

impl TryFrom<String> for SpanId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        digits(&text, 16).map(|n| Self(n as u64))
    }
}
