//! Records (RFC 8446, section 5.1).

/// Length of a record's header (RFC 8446 section 5.1).
pub(super) const HEADER: usize = 5;
/// Longest record: 2^14 bytes and what encryption and compression may add (RFC 5246 section 6.2.3).
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

/// What the beginning of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Record(Record),
    /// So many bytes are needed to tell.
    Short(usize),
    /// No record.
    Not,
}

/// Reads a record's header; also says no as soon as the first bytes do.
pub(super) fn head(bytes: &[u8]) -> Head {
    let possible = match *bytes {
        [] => true,
        [kind] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind),
        [kind, 3] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind),
        [kind, 3, minor, ..] => (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) && minor <= 4,
        _ => false,
    };
    match *bytes {
        _ if !possible => Head::Not,
        [kind, _, _, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let fits = match kind {
                CHANGE_CIPHER_SPEC => (1..=1024).contains(&length),
                ALERT => (2..=1024).contains(&length),
                _ => length <= LONGEST && (length > 0 || kind == APPLICATION_DATA),
            };
            if fits { Head::Record(Record { kind, length }) } else { Head::Not }
        }
        _ => Head::Short(HEADER - bytes.len()),
    }
}

/// What came of putting bytes of a handshake message together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// It took so many of the bytes shown, and so many of the record that they end in are left.
    Whole { used: usize, left: usize },
    /// At least so many bytes more are needed.
    More(usize),
    /// Something else stands where the message should go on.
    Broken,
}

/// Puts together the first `want` bytes of a handshake message, which may be cut into records
/// anywhere (RFC 8446 section 5.1). `bytes` begins inside of a record of which `left` bytes are
/// left. What there is stands in `into` in any case.
pub(super) fn gather(bytes: &[u8], left: usize, want: usize, into: &mut Vec<u8>) -> Gathered {
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
            return Gathered::Whole { used, left };
        }
        // All that is missing has to come, and a header at least if the record has not got it; so
        // many small records are not read over and over again.
        let missing = missing - piece;
        if left > 0 {
            return Gathered::More(missing + if missing > left { HEADER } else { 0 });
        }
        match head(&rest[piece..]) {
            Head::Record(Record { kind: HANDSHAKE, length }) => {
                used += HEADER;
                left = length;
            }
            Head::Short(more) => return Gathered::More(more + missing),
            Head::Record(_) | Head::Not => return Gathered::Broken,
        }
    }
}

/// The ClientHello in the form of SSL 2.0 (RFC 5246 appendix E.2), which old clients send to offer
/// SSL 3.0 and TLS as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OldHello {
    pub(super) version: u16,
    pub(super) length: usize,
}

/// Reads it, if it is shorter than 512 bytes; all its lengths have to agree. None: it is not one;
/// zero length: more bytes are needed.
pub(super) fn old_hello(bytes: &[u8]) -> Option<OldHello> {
    let short = OldHello { version: 0, length: 0 };
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
            good.then_some(OldHello { version, length: length + 2 })
        }
        _ => Some(short),
    }
}
