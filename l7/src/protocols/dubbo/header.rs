//! Headers of messages (dubbo.apache.org, "Dubbo2 Protocol"): 16 bytes, numbers big-endian.

use crate::contract::Probe;
use fact::Outcome;

/// Length of the header.
pub(super) const HEADER: usize = 16;
/// The magic number.
const MAGIC: [u8; 2] = [0xda, 0xbb];
/// Longest body. Servers accept 8 MiB by default.
const LONGEST: u32 = 256 << 20;

/// Bits of the flags.
mod flag {
    pub(super) const REQUEST: u8 = 0x80;
    pub(super) const TWO_WAY: u8 = 0x40;
    pub(super) const EVENT: u8 = 0x20;
    pub(super) const SERIALIZATION: u8 = 0x1f;
}

/// Hessian 2.
pub(super) const HESSIAN2: u8 = 2;
/// JSON, a line for each value.
pub(super) const FASTJSON: u8 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    flags: u8,
    pub(super) status: u8,
    pub(super) id: u64,
    pub(super) body: u32,
}

impl Header {
    /// Reads the header at the beginning, if it is one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[m0, m1, flags, status, a, b, c, d, e, f, g, h, w, x, y, z] =
            bytes.first_chunk::<HEADER>()?;
        let header = Self {
            flags,
            status,
            id: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            body: u32::from_be_bytes([w, x, y, z]),
        };
        let known = header.is_request() || header.is_event() || status_name(status).is_some();
        ([m0, m1] == MAGIC
            && serialization(flags & flag::SERIALIZATION).is_some()
            && known
            && header.body <= LONGEST)
            .then_some(header)
    }

    pub(super) fn is_request(&self) -> bool {
        self.flags & flag::REQUEST != 0
    }

    pub(super) fn is_two_way(&self) -> bool {
        self.flags & flag::TWO_WAY != 0
    }

    /// Whether it is an event: a heartbeat or the like.
    pub(super) fn is_event(&self) -> bool {
        self.flags & flag::EVENT != 0
    }

    pub(super) fn serialization(&self) -> u8 {
        self.flags & flag::SERIALIZATION
    }
}

/// Whether bytes begin a message.
pub(super) fn begins(bytes: &[u8]) -> Probe {
    match Header::read(bytes) {
        Some(_) => Probe::Yes,
        None if bytes.len() < HEADER
            && bytes.iter().zip(MAGIC).all(|(byte, magic)| *byte == magic) =>
        {
            Probe::More
        }
        None => Probe::No,
    }
}

/// Name of a serialization by its number.
pub(super) fn serialization(number: u8) -> Option<&'static str> {
    Some(match number {
        HESSIAN2 => "hessian2",
        3 => "java",
        4 => "compactedjava",
        FASTJSON => "fastjson",
        7 => "nativejava",
        8 => "kryo",
        9 => "fst",
        10 => "native-hessian",
        11 => "avro",
        12 => "protostuff",
        16 => "gson",
        17 => "hprose",
        21 => "protobuf-json",
        22 => "protobuf",
        23 => "fastjson2",
        25 => "kryo2",
        27 => "msgpack",
        _ => return None,
    })
}

/// Name of a response's status.
pub(super) fn status_name(status: u8) -> Option<&'static str> {
    Some(match status {
        20 => "OK",
        25 => "SERIALIZATION_ERROR",
        30 => "CLIENT_TIMEOUT",
        31 => "SERVER_TIMEOUT",
        35 => "CHANNEL_INACTIVE",
        40 => "BAD_REQUEST",
        50 => "BAD_RESPONSE",
        60 => "SERVICE_NOT_FOUND",
        70 => "SERVICE_ERROR",
        80 => "SERVER_ERROR",
        90 => "CLIENT_ERROR",
        100 => "SERVER_THREADPOOL_EXHAUSTED_ERROR",
        _ => return None,
    })
}

/// Outcome of a status.
pub(super) fn outcome(status: u8) -> Outcome {
    match status {
        20 => Outcome::Ok,
        30 | 40 | 60 | 90 => Outcome::ClientError,
        _ => Outcome::ServerError,
    }
}
