//! Long and short headers (RFC 9000 section 17).

/// Longest connection id (RFC 9000 section 17.2).
const LONGEST_ID: usize = 20;
/// QUIC version 2 (RFC 9369).
pub(super) const VERSION_2: u32 = 0x6b33_43cf;

/// Bits of the first byte (RFC 9000 sections 17.2 and 17.3).
const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;
/// Length of a Retry packet's integrity tag (RFC 9001 section 5.8).
const RETRY_TAG: usize = 16;

/// Type of a packet (RFC 9000 section 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    /// 0-RTT.
    ZeroRtt,
    Handshake,
    Retry,
    /// Version Negotiation.
    VersionNegotiation,
    /// A short header: 1-RTT.
    Short,
    /// A packet of a version that is not read.
    Unknown,
}

/// The header of the first packet of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind,
    pub(super) version: u32,
    /// Connection id of the receiver.
    pub(super) to: &'a [u8],
    /// Position of the packet number (Initial and Handshake) or of the versions (Version
    /// Negotiation).
    pub(super) body: usize,
    /// Position of the datagram's next packet.
    pub(super) end: usize,
}

impl<'a> Packet<'a> {
    /// Reads a header. None if it is no packet, or its lengths do not fit.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let &[first, a, b, c, d, ref rest @ ..] = bytes else {
            let short = bytes.first().is_some_and(|first| first >> 6 == 1);
            return short.then_some(Self::short(bytes.len()));
        };
        if first & LONG_HEADER == 0 {
            return (first & FIXED_BIT != 0).then_some(Self::short(bytes.len()));
        }
        let version = u32::from_be_bytes([a, b, c, d]);
        let (to, rest) = id(rest)?;
        let (_, rest) = id(rest)?;
        let at = bytes.len() - rest.len();
        let kind = kind(first, version);
        let whole = Self { kind, version, to, body: at, end: bytes.len() };
        match kind {
            Kind::VersionNegotiation => (rest.len() >= 4 && rest.len() % 4 == 0).then_some(whole),
            Kind::Unknown => Some(whole),
            _ if first & FIXED_BIT == 0 => None,
            Kind::Retry => (rest.len() >= RETRY_TAG).then_some(whole),
            _ => {
                let mut rest = rest;
                if kind == Kind::Initial {
                    let token = usize::try_from(varint(&mut rest)?).ok()?;
                    rest = rest.get(token..)?;
                }
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let body = bytes.len() - rest.len();
                (length >= 4 && length <= rest.len()).then_some(Self {
                    body,
                    end: body + length,
                    ..whole
                })
            }
        }
    }

    fn short(end: usize) -> Self {
        Self { kind: Kind::Short, version: 0, to: &[], body: 0, end }
    }
}

/// Type of a packet with a long header, by its first byte and version (RFC 9369 section 3.2).
fn kind(first: u8, version: u32) -> Kind {
    let number = first >> 4 & 3;
    match version {
        0 => Kind::VersionNegotiation,
        VERSION_2 => {
            [Kind::Retry, Kind::Initial, Kind::ZeroRtt, Kind::Handshake][usize::from(number)]
        }
        _ if is_known(version) => {
            [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry][usize::from(number)]
        }
        _ => Kind::Unknown,
    }
}

/// Whether the Initial packets of a version can be read: of 1, 2 and drafts 29 to 34.
pub(super) fn is_known(version: u32) -> bool {
    matches!(version, 1 | VERSION_2 | 0xff00_001d..=0xff00_0022)
}

/// A connection id, and what follows it.
fn id(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let length = usize::from(length);
    if length > LONGEST_ID { None } else { rest.split_at_checked(length) }
}

/// Takes a variable-length integer off the front (RFC 9000 section 16).
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let (number, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let first = u64::from(first & 0x3f);
    Some(number.iter().skip(1).fold(first, |sum, &byte| sum << 8 | u64::from(byte)))
}
