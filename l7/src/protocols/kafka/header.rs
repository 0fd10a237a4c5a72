//! Headers of requests (kafka.apache.org, "Request Header v1 and v2"): how a request is recognised,
//! and its client id.

use super::api::Api;
use super::bytes::{int16, int32};
use super::message_fields::MessageFields;
use super::walk::Walk;
use crate::contract::Probe;

/// Length, API key, version, correlation id.
pub(super) const FIXED: usize = 12;
/// The fixed part and the length of the client id.
pub(super) const CLIENT_ID: usize = FIXED + 2;
/// Longest message.
const LONGEST: u64 = 1 << 30;
/// Longest message by which a connection is recognised.
const LONGEST_FIRST: u64 = 128 << 20;
/// Longest request without a client id by which a connection is recognised: it has to fit its
/// layout from its first byte to its last.
const LONGEST_UNNAMED: u64 = 4096;
/// Longest client id by which a request is recognised.
const LONGEST_ID: usize = 255;
/// Versions beyond the newest known one that are accepted.
const FUTURE: i16 = 4;

/// The fixed part of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHeader {
    pub(super) key: i16,
    pub(super) version: i16,
    pub(super) correlation: i32,
}

impl RequestHeader {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            key: int16(bytes, 4)?,
            version: int16(bytes, 6)?,
            correlation: int32(bytes, 8)?,
        })
    }

    /// The API, if it is known and its version is known or may follow.
    pub(super) fn api(&self) -> Option<&'static Api> {
        let versions = |api: &&Api| (0..=i16::from(api.newest) + FUTURE).contains(&self.version);
        Api::of(self.key).filter(versions)
    }
}

/// Length of a message, with its own four bytes.
pub(super) fn length(bytes: &[u8]) -> Option<u64> {
    u64::try_from(int32(bytes, 0)?).ok().map(|n| n + 4).filter(|n| *n <= LONGEST)
}

/// Client id of a request, as far as it is there, and its length (0 if there is none).
pub(super) fn client_id(bytes: &[u8]) -> (&[u8], usize) {
    let length = int16(bytes, FIXED).map_or(0, |n| usize::try_from(n).unwrap_or(0));
    let behind = bytes.get(CLIENT_ID..).unwrap_or_default();
    (behind.get(..length).unwrap_or(behind), length)
}

/// Whether bytes are a request. `usual`: also one without a client id.
pub(super) fn is_request(bytes: &[u8], usual: bool) -> Probe {
    let ([0..8, ..] | []) = bytes else { return Probe::No };
    let (Some(length), Some(key)) = (length(bytes), int16(bytes, 4)) else {
        return if bytes.len() < 6 && bytes.get(4).is_none_or(|high| *high == 0) {
            Probe::More
        } else {
            Probe::No
        };
    };
    if !(FIXED as u64 + 2..LONGEST_FIRST).contains(&length) || Api::of(key).is_none() {
        return Probe::No;
    }
    let Some(version) = int16(bytes, 6) else { return Probe::More };
    let Some(api) = (RequestHeader { key, version, correlation: 0 })
        .api()
        .filter(|api| version <= i16::from(api.newest))
    else {
        return Probe::No;
    };
    let (Some(correlation), Some(id)) = (int32(bytes, 8), int16(bytes, FIXED)) else {
        return if bytes.get(8).is_none_or(|high| *high < 0x80) { Probe::More } else { Probe::No };
    };
    let least = if usual { -1 } else { 1 };
    let end = CLIENT_ID as u64 + u64::try_from(id).unwrap_or(0);
    // Zeroes prove nothing: ZooKeeper's sessions begin with as many.
    let zeroes = bytes.get(4..CLIENT_ID).is_some_and(|header| header.iter().all(|byte| *byte == 0));
    if correlation < 0 || id < least || id as i32 > LONGEST_ID as i32 || end > length || zeroes {
        return Probe::No;
    }
    if id < 1 && length > LONGEST_UNNAMED {
        return Probe::No;
    }
    let (there, wanted) = client_id(bytes);
    if !there.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Probe::No;
    }
    if there.len() < wanted || id < 1 && (bytes.len() as u64) < length {
        return Probe::More;
    }
    let version = version as u8;
    let mut walk = Walk::new(api.request, version, version >= api.flexible, true);
    let body = bytes.get(CLIENT_ID + wanted..).unwrap_or_default();
    let body = body.get(..usize::try_from(length - end).unwrap_or(usize::MAX)).unwrap_or(body);
    walk.step(body, length - end, &mut MessageFields::default());
    if walk.is_malformed() { Probe::No } else { Probe::Yes }
}
