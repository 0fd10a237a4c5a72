//! Commands of the remoting protocol (rocketmq.apache.org, "Remoting"): four bytes of length, a
//! byte for the form of the header and three for its length, the header, the body. Numbers are
//! big-endian.

use super::json::{Value, members};
use crate::contract::Probe;
use crate::kit::reader::Reader;

/// Bytes before the header.
pub(super) const FIXED: usize = 8;
/// Longest command. Brokers accept messages of 4 MiB by default, and responses to pulls are longer.
const LONGEST: u64 = 256 << 20;
/// Longest header. Properties of a message take at most 32 KiB.
const LONGEST_HEADER: usize = 48 * 1024;
/// The form of a header: JSON.
const JSON: u8 = 0;
/// The form of a header: RocketMQ's own.
const BINARY: u8 = 1;

/// Bits of a header's flag.
mod flag {
    pub(super) const RESPONSE: i32 = 1;
    pub(super) const ONE_WAY: i32 = 2;
}

/// Lengths of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// All of it.
    pub(super) length: u64,
    pub(super) header: usize,
    pub(super) body: u64,
    form: u8,
}

impl Frame {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, form, x, y, z] = bytes.first_chunk::<FIXED>()?;
        let length = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
        let header = u32::from_be_bytes([0, x, y, z]) as usize;
        let body = length.checked_sub((FIXED + header) as u64)?;
        let known = form == JSON && header >= 20 || form == BINARY && header >= 21;
        (known && header <= LONGEST_HEADER && length <= LONGEST).then_some(Self {
            length,
            header,
            body,
            form,
        })
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Header<'a> {
    pub(super) code: i32,
    pub(super) flag: i32,
    pub(super) opaque: i32,
    pub(super) version: i32,
    pub(super) language: &'a str,
    pub(super) remark: &'a str,
}

impl Header<'_> {
    pub(super) fn is_response(&self) -> bool {
        self.flag & flag::RESPONSE != 0
    }

    pub(super) fn is_one_way(&self) -> bool {
        self.flag & flag::ONE_WAY != 0
    }
}

/// Reads the header of a command. The extension fields are passed to `each` with their names.
pub(super) fn read_header<'a>(
    frame: &Frame,
    bytes: &'a [u8],
    each: impl FnMut(&'a str, &'a str),
) -> Option<Header<'a>> {
    let header = bytes.get(FIXED..FIXED + frame.header)?;
    let header = if frame.form == JSON { json(header, each)? } else { binary(header, each)? };
    (header.flag & !(flag::RESPONSE | flag::ONE_WAY) == 0).then_some(header)
}

fn json<'a>(bytes: &'a [u8], mut each: impl FnMut(&'a str, &'a str)) -> Option<Header<'a>> {
    let (mut header, mut code, mut opaque) = (Header::default(), None, None);
    members(bytes, |object, name, value| match (object, name, value) {
        ("", "code", Value::Number(n)) => code = i32::try_from(n).ok(),
        ("", "flag", Value::Number(n)) => header.flag = i32::try_from(n).unwrap_or(-1),
        ("", "opaque", Value::Number(n)) => opaque = i32::try_from(n).ok(),
        ("", "version", Value::Number(n)) => header.version = i32::try_from(n).unwrap_or(0),
        ("", "language", Value::Text(text)) => header.language = text,
        ("", "remark", Value::Text(text)) => header.remark = text,
        ("extFields", name, Value::Text(text)) => each(name, text),
        _ => {}
    })?;
    (header.code, header.opaque) = (code?, opaque?);
    Some(header)
}

/// Names of the languages of clients, by their numbers (`LanguageCode`).
const LANGUAGES: [&str; 13] = [
    "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP",
    "OMS", "RUST",
];

fn binary<'a>(bytes: &'a [u8], mut each: impl FnMut(&'a str, &'a str)) -> Option<Header<'a>> {
    let mut reader = Reader::new(bytes);
    let code = i32::from(reader.u16()? as i16);
    let language = LANGUAGES.get(usize::from(reader.u8()?)).copied().unwrap_or_default();
    let version = i32::from(reader.u16()?);
    let opaque = reader.u32()? as i32;
    let flag = reader.u32()? as i32;
    let remark = std::str::from_utf8(reader.bytes32()?).ok()?;
    let mut fields = Reader::new(reader.bytes32()?);
    while fields.len() > 0 {
        let name = std::str::from_utf8(fields.bytes16()?).ok()?;
        each(name, std::str::from_utf8(fields.bytes32()?).ok()?);
    }
    (reader.len() == 0).then_some(Header { code, flag, opaque, version, language, remark })
}

/// Whether bytes begin a command, and if so, whether it is a response.
pub(super) fn begins(bytes: &[u8]) -> (Probe, bool) {
    let Some(frame) = Frame::read(bytes) else {
        let more = match bytes {
            [first, rest @ ..] if bytes.len() < FIXED => {
                *first < 16 && rest.get(3).is_none_or(|form| *form < 2)
            }
            rest => rest.is_empty(),
        };
        return (if more { Probe::More } else { Probe::No }, false);
    };
    if frame.form == JSON && bytes.get(FIXED).is_some_and(|first| *first != b'{') {
        return (Probe::No, false);
    }
    if bytes.len() < FIXED + frame.header {
        return (Probe::More, false);
    }
    match read_header(&frame, bytes, |_, _| {}) {
        Some(header) => (Probe::Yes, header.is_response()),
        None => (Probe::No, false),
    }
}
