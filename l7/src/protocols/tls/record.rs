//! Records (RFC 8446 section 5.1), handshake messages across records, and the hello of SSL 2.0.

/// Length of a record's header (RFC 8446 section 5.1).
pub(super) const HEADER: usize = 5;
/// Longest record: 2^14 bytes, and 2048 that encryption and compression may add (RFC 5246 section
/// 6.2.3).
const LONGEST: usize = (1 << 14) + 2048;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
pub(super) const HEARTBEAT: u8 = 24;

/// Header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: u8,
    /// Bytes behind the header.
    pub(super) length: usize,
}

/// What bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordHeader {
    Record(Record),
    /// So many more bytes are needed.
    Short(usize),
    /// No record.
    Invalid,
}

/// Reads a record's header. The first bytes are enough to find that there is none.
pub(super) fn head(bytes: &[u8]) -> RecordHeader {
    let possible = match *bytes {
        [] => true,
        [kind] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind),
        [kind, 3] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind),
        [kind, 3, minor, ..] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) && minor <= 4,
        _ => false,
    };
    match *bytes {
        _ if !possible => RecordHeader::Invalid,
        [kind, _, _, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let fits = match kind {
                CHANGE_CIPHER_SPEC => (1..=1024).contains(&length),
                ALERT => (2..=1024).contains(&length),
                _ => length <= LONGEST && (length > 0 || kind == APPLICATION_DATA),
            };
            if fits { RecordHeader::Record(Record { kind, length }) } else { RecordHeader::Invalid }
        }
        _ => RecordHeader::Short(HEADER - bytes.len()),
    }
}

/// Result of joining the parts of a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GatherResult {
    /// So many of the bytes shown were used, and so many of the last record are left.
    Whole { used: usize, left: usize },
    /// At least so many bytes more are needed.
    More(usize),
    /// Something else is where the message should continue.
    Malformed,
}

/// Joins the first `want` bytes of a handshake message, which may be cut into records anywhere (RFC
/// 8446 section 5.1). `bytes` begins within a record of which `left` bytes are left. `into` gets
/// what is there in any case.
pub(super) fn gather(bytes: &[u8], left: usize, want: usize, into: &mut Vec<u8>) -> GatherResult {
    into.clear();
    let (mut used, mut left) = (0, left);
    loop {
        let missing = want - into.len();
        let rest = bytes.get(used..).unwrap_or_default();
        let piece = missing.min(left).min(rest.len());
        into.extend_from_slice(&rest[..piece]);
        used += piece;
        left -= piece;
        if piece == missing {
            return GatherResult::Whole { used, left };
        }
        // All missing bytes are requested at once, with a header if the record does not have them:
        // many small records are then not read again and again.
        let missing = missing - piece;
        if left > 0 {
            return GatherResult::More(missing + if missing > left { HEADER } else { 0 });
        }
        match head(&rest[piece..]) {
            RecordHeader::Record(Record { kind: HANDSHAKE, length }) => {
                used += HEADER;
                left = length;
            }
            RecordHeader::Short(more) => return GatherResult::More(more + missing),
            RecordHeader::Record(_) | RecordHeader::Invalid => return GatherResult::Malformed,
        }
    }
}

/// The ClientHello in the form of SSL 2.0 (RFC 5246 appendix E.2), which old clients send to offer
/// SSL 3.0 and TLS as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sslv2Hello {
    pub(super) version: u16,
    pub(super) length: usize,
}

/// Reads it if it is shorter than 512 bytes; all its lengths have to agree. None if it is not one.
/// Its length is zero if more bytes are needed.
pub(super) fn sslv2_hello(bytes: &[u8]) -> Option<Sslv2Hello> {
    let short = Sslv2Hello { version: 0, length: 0 };
    match *bytes {
        [high, ..] if high >> 1 != 0x40 => None,
        [_, _, kind, ..] if kind != 1 => None,
        [_, _, _, major, ..] if !matches!(major, 0 | 3) => None,
        [high, low, _, major, minor, c1, c2, s1, s2, n1, n2, ..] => {
            let word = |high, low| usize::from(u16::from_be_bytes([high, low]));
            let length = word(high & 0x7f, low);
            let (ciphers, session, challenge) = (word(c1, c2), word(s1, s2), word(n1, n2));
            let version = u16::from_be_bytes([major, minor]);
            let good = matches!(version, 0x0002 | 0x0300..=0x0303)
                && ciphers > 0
                && ciphers % 3 == 0
                && matches!(session, 0 | 16)
                && (16..=32).contains(&challenge)
                && length == 9 + ciphers + session + challenge;
            good.then_some(Sslv2Hello { version, length: length + 2 })
        }
        _ => Some(short),
    }
}
