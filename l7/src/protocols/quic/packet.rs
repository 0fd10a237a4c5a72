//! Long and short headers.

/// Longest connection id (RFC 9000 section 17.2).
const LONGEST_ID: usize = 20;
/// QUIC version 2 (RFC 9369).
pub(super) const VERSION_2: u32 = 0x6b33_43cf;

/// What a packet is (RFC 9000 section 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    /// 0-RTT.
    Early,
    Handshake,
    Retry,
    /// Version Negotiation.
    Versions,
    /// With a short header: 1-RTT.
    Short,
    /// Of a version that cannot be read.
    Unknown,
}

/// The header of the first packet of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind,
    pub(super) version: u32,
    /// Connection id of the receiver.
    pub(super) to: &'a [u8],
    /// Initial and Handshake: where the packet number is. Version Negotiation: where the versions
    /// are.
    pub(super) body: usize,
    /// Where the next packet of the datagram is.
    pub(super) end: usize,
}

impl<'a> Packet<'a> {
    /// None where it is no packet, or its lengths do not fit.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let &[first, a, b, c, d, ref rest @ ..] = bytes else {
            let short = bytes.first().is_some_and(|first| first >> 6 == 1);
            return short.then_some(Self::short(bytes.len()));
        };
        if first & 0x80 == 0 {
            return (first & 0x40 != 0).then_some(Self::short(bytes.len()));
        }
        let version = u32::from_be_bytes([a, b, c, d]);
        let (to, rest) = id(rest)?;
        let (_, rest) = id(rest)?;
        let at = bytes.len() - rest.len();
        let kind = kind(first, version);
        let whole = Self { kind, version, to, body: at, end: bytes.len() };
        match kind {
            Kind::Versions => (rest.len() >= 4 && rest.len() % 4 == 0).then_some(whole),
            Kind::Unknown => Some(whole),
            _ if first & 0x40 == 0 => None,
            Kind::Retry => (rest.len() >= 16).then_some(whole),
            _ => {
                let mut rest = rest;
                if kind == Kind::Initial {
                    let token = usize::try_from(varint(&mut rest)?).ok()?;
                    rest = rest.get(token..)?;
                }
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let body = bytes.len() - rest.len();
                (length >= 4 && length <= rest.len()).then_some(Self { body, end: body + length, ..whole })
            }
        }
    }

    fn short(end: usize) -> Self {
        Self { kind: Kind::Short, version: 0, to: &[], body: 0, end }
    }
}

fn kind(first: u8, version: u32) -> Kind {
    let number = first >> 4 & 3;
    match version {
        0 => Kind::Versions,
        VERSION_2 => [Kind::Retry, Kind::Initial, Kind::Early, Kind::Handshake][usize::from(number)],
        _ if is_known(version) => {
            [Kind::Initial, Kind::Early, Kind::Handshake, Kind::Retry][usize::from(number)]
        }
        _ => Kind::Unknown,
    }
}

/// Versions whose Initial packets can be read: 1, 2, drafts 29 to 34.
pub(super) fn is_known(version: u32) -> bool {
    matches!(version, 1 | VERSION_2 | 0xff00_001d..=0xff00_0022)
}

fn id(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let length = usize::from(length);
    if length > LONGEST_ID { None } else { rest.split_at_checked(length) }
}

/// Takes a number of variable length off the front (RFC 9000 section 16).
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let (number, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let first = u64::from(first & 0x3f);
    Some(number.iter().skip(1).fold(first, |sum, &byte| sum << 8 | u64::from(byte)))
}
