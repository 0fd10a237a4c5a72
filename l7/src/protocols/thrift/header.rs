//! Message headers: method, type and sequence number, in every encoding and transport.

use super::varint;

/// First two bytes of the strict binary protocol: a negative number with the version.
const STRICT: u8 = 0x80;
const STRICT_VERSION: u8 = 1;
/// First byte of the compact protocol.
const COMPACT: u8 = 0x82;
/// Version of the compact protocol, and its bits in the second byte. The others are the type.
const COMPACT_VERSION: u8 = 1;
const COMPACT_VERSION_MASK: u8 = 0x1f;
/// Magic number of the header transport, behind the length.
const HEADER_MAGIC: u8 = 0x0f;
const HEADER_MAGIC_LOW: u8 = 0xff;
/// Longest name of a method.
const LONGEST_NAME: usize = 512;
/// Longest frame.
const LONGEST_FRAME: usize = 1 << 30;
/// Longest header of the header transport.
const LONGEST_HEADER: usize = 8192;

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Binary,
    Compact,
}

/// Type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Reply,
    Exception,
    OneWay,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Call,
            2 => Self::Reply,
            3 => Self::Exception,
            4 => Self::OneWay,
            _ => return None,
        })
    }

    /// Whether the client sends messages of this type.
    pub(super) fn is_from_client(self) -> bool {
        matches!(self, Self::Call | Self::OneWay)
    }
}

/// The header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) encoding: Encoding,
    pub(super) kind: Kind,
    /// Sequence number, which the reply repeats.
    pub(super) id: u32,
    /// Method. If several services share a connection, the name of the service and a colon precede
    /// it.
    pub(super) name: &'a str,
    /// Position of the arguments or the result.
    pub(super) body: usize,
    /// End of the frame, if there is one.
    pub(super) frame: Option<usize>,
    /// The message is in the header transport.
    pub(super) with_header: bool,
    /// The message is in the old binary protocol, which only its lengths identify.
    pub(super) is_old_binary: bool,
}

/// Result of reading a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    Header(Header<'a>),
    /// So many more bytes are needed.
    More(usize),
    Invalid,
}

/// Reads the header of a message. The first bytes are enough to find that there is none.
pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    match *bytes {
        [STRICT, ..] | [COMPACT, ..] => bare(bytes, 0, None, false),
        [a, b, c, d, ref rest @ ..] => {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            match *rest {
                _ if length > LONGEST_FRAME => Read::Invalid,
                [] => Read::More(1),
                [STRICT | COMPACT, ..] => framed(bytes, 4, length, false),
                [HEADER_MAGIC] => Read::More(1),
                [HEADER_MAGIC, HEADER_MAGIC_LOW, ..] => header(bytes, length),
                // The length of a name, or its first letter.
                [0, ..] => framed(bytes, 4, length, false),
                _ => is_old_binary(bytes, 0, None),
            }
        }
        [high, ..] if high > 0x3f => Read::Invalid,
        _ => Read::More(4 - bytes.len()),
    }
}

fn framed(bytes: &[u8], at: usize, length: usize, with_header: bool) -> Read<'_> {
    match bytes.get(at) {
        Some(0) => is_old_binary(bytes, at, Some(4 + length)),
        _ => bare(bytes, at, Some(4 + length), with_header),
    }
}

/// The header transport (Thrift `HeaderFormat.md`): magic number, flags, sequence number, words of
/// header, then the message.
fn header(bytes: &[u8], length: usize) -> Read<'_> {
    let Some(&[high, low]) = bytes.get(12..).and_then(|rest| rest.first_chunk()) else {
        return Read::More(14usize.saturating_sub(bytes.len()).max(1));
    };
    let words = usize::from(u16::from_be_bytes([high, low])) * 4;
    let at = 14 + words;
    if !(4..=LONGEST_HEADER).contains(&words) || at > 4 + length {
        return Read::Invalid;
    }
    if bytes.len() <= at {
        return Read::More(at + 1 - bytes.len());
    }
    // Protocol (0 binary, 2 compact) and number of transformations, which are not supported.
    match bytes.get(14..16) {
        Some([0 | 2, 0]) => framed(bytes, at, length, true),
        _ => Read::Invalid,
    }
}

/// A message of the strict binary or the compact protocol at `at`.
fn bare(bytes: &[u8], at: usize, frame: Option<usize>, with_header: bool) -> Read<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    match *rest {
        [STRICT, STRICT_VERSION, 0, kind, a, b, c, d, ref rest @ ..] => {
            let Some(kind) = Kind::of(kind) else { return Read::Invalid };
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            match named(rest, length, 4) {
                Ok((name, &[a, b, c, d])) => {
                    let (encoding, id) = (Encoding::Binary, u32::from_be_bytes([a, b, c, d]));
                    let (body, is_old_binary) = (at + 8 + length + 4, false);
                    whole(Header {
                        encoding,
                        kind,
                        id,
                        name,
                        body,
                        frame,
                        with_header,
                        is_old_binary,
                    })
                }
                Ok(_) => Read::Invalid,
                Err(other) => other,
            }
        }
        [STRICT] | [STRICT, STRICT_VERSION] | [STRICT, STRICT_VERSION, 0] => Read::More(1),
        [STRICT, STRICT_VERSION, 0, kind, ..] if Kind::of(kind).is_some() => {
            Read::More(8 - rest.len())
        }
        [COMPACT] => Read::More(1),
        [COMPACT, second, ref rest @ ..] if second & COMPACT_VERSION_MASK == COMPACT_VERSION => {
            let Some(kind) = Kind::of(second >> 5) else { return Read::Invalid };
            match compact_fields(rest) {
                Ok((id, name, used)) => {
                    let (encoding, body, is_old_binary) = (Encoding::Compact, at + 2 + used, false);
                    whole(Header {
                        encoding,
                        kind,
                        id,
                        name,
                        body,
                        frame,
                        with_header,
                        is_old_binary,
                    })
                }
                Err(other) => other,
            }
        }
        _ => Read::Invalid,
    }
}

/// Sequence number, name and their length in a header of the compact protocol, behind its first
/// two bytes.
fn compact_fields(bytes: &[u8]) -> Result<(u32, &str, usize), Read<'_>> {
    let mut used = 0;
    let mut numbers = [0; 2];
    for number in &mut numbers {
        match varint::read(bytes.get(used..).unwrap_or_default()) {
            Some(Ok((value, length))) => {
                *number = value;
                used += length;
            }
            Some(Err(more)) => return Err(Read::More(more)),
            None => return Err(Read::Invalid),
        }
    }
    let (Ok(id), Ok(length)) = (u32::try_from(numbers[0]), usize::try_from(numbers[1])) else {
        return Err(Read::Invalid);
    };
    let (name, _) = named(bytes.get(used..).unwrap_or_default(), length, 0)?;
    Ok((id, name, used + length))
}

/// The old binary protocol: name, type, sequence number.
fn is_old_binary(bytes: &[u8], at: usize, frame: Option<usize>) -> Read<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((&[a, b, c, d], rest)) = rest.split_first_chunk() else {
        return if rest.iter().take(2).all(|&b| b == 0) {
            Read::More(4 - rest.len())
        } else {
            Read::Invalid
        };
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    match named(rest, length, 5) {
        Ok((name, &[kind, a, b, c, d])) => {
            let Some(kind) = Kind::of(kind) else { return Read::Invalid };
            let id = u32::from_be_bytes([a, b, c, d]);
            let body = at + 4 + length + 5;
            let encoding = Encoding::Binary;
            whole(Header {
                encoding,
                kind,
                id,
                name,
                body,
                frame,
                with_header: false,
                is_old_binary: true,
            })
        }
        Ok(_) => Read::Invalid,
        Err(other) => other,
    }
}

/// A name of `length` bytes, and `behind` more bytes behind it.
fn named(bytes: &[u8], length: usize, behind: usize) -> Result<(&str, &[u8]), Read<'_>> {
    if length == 0 || length > LONGEST_NAME {
        return Err(Read::Invalid);
    }
    let shown = &bytes[..length.min(bytes.len())];
    let letter =
        |&b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-' | b'/' | b'$');
    if !shown.iter().all(letter) || shown.first().is_some_and(u8::is_ascii_digit) {
        return Err(Read::Invalid);
    }
    let Some(rest) = bytes.get(length..length + behind) else {
        return Err(Read::More((length + behind).saturating_sub(bytes.len()).max(1)));
    };
    std::str::from_utf8(shown).map(|name| (name, rest)).map_err(|_| Read::Invalid)
}

fn whole(header: Header<'_>) -> Read<'_> {
    // The shortest body is the byte that ends a struct.
    if header.frame.is_some_and(|end| end <= header.body) {
        Read::Invalid
    } else {
        Read::Header(header)
    }
}
