//! Control packets: type, flags, length.

use wire::Direction;

use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

/// Control packet types (MQTT 5, section 2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Connect = 1,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

impl Type {
    const ALL: [Self; 15] = [
        Self::Connect,
        Self::Connack,
        Self::Publish,
        Self::Puback,
        Self::Pubrec,
        Self::Pubrel,
        Self::Pubcomp,
        Self::Subscribe,
        Self::Suback,
        Self::Unsubscribe,
        Self::Unsuback,
        Self::Pingreq,
        Self::Pingresp,
        Self::Disconnect,
        Self::Auth,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }

    fn is_from(self, direction: Direction) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => {
                direction == Direction::ToServer
            }
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => {
                direction == Direction::ToClient
            }
            _ => true,
        }
    }

    /// Remaining lengths that a packet can have.
    fn fits(self, remaining: usize) -> bool {
        match self {
            Self::Connect => remaining >= 12,
            Self::Connack | Self::Publish => remaining >= 2,
            Self::Puback | Self::Pubrec | Self::Pubrel | Self::Pubcomp => remaining >= 2,
            Self::Subscribe => remaining >= 6,
            Self::Unsubscribe => remaining >= 5,
            Self::Suback => remaining >= 3,
            Self::Unsuback => remaining >= 2,
            Self::Pingreq | Self::Pingresp => remaining == 0,
            Self::Disconnect | Self::Auth => true,
        }
    }
}

/// A fixed header (section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Type,
    pub(super) flags: u8,
    /// Bytes that it takes.
    pub(super) len: usize,
    /// Bytes of the packet behind it.
    pub(super) remaining: usize,
}

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    TooShort,
    Invalid,
}

impl Header {
    pub(super) fn read(bytes: &[u8], direction: Direction) -> Result<Self, NoHeader> {
        let (&first, rest) = bytes.split_first().ok_or(NoHeader::TooShort)?;
        let kind =
            Type::ALL.get(usize::from(first >> 4).wrapping_sub(1)).ok_or(NoHeader::Invalid)?;
        let flags = first & 0x0f;
        let valid = match kind {
            Type::Publish => flags & 0b0110 != 0b0110,
            Type::Pubrel | Type::Subscribe | Type::Unsubscribe => flags & 0b0111 == 0b0010,
            _ => flags == 0,
        };
        if !valid || !kind.is_from(direction) {
            return Err(NoHeader::Invalid);
        }
        let mut remaining = 0;
        for (n, byte) in rest.iter().take(4).enumerate() {
            remaining |= usize::from(byte & 0x7f) << (7 * n);
            if byte & 0x80 == 0 {
                let minimal = n == 0 || *byte != 0;
                let header = Self { kind: *kind, flags, len: 2 + n, remaining };
                return if minimal && kind.fits(remaining) {
                    Ok(header)
                } else {
                    Err(NoHeader::Invalid)
                };
            }
        }
        Err(if rest.len() >= 4 { NoHeader::Invalid } else { NoHeader::TooShort })
    }

    pub(super) fn qos(self) -> u8 {
        self.flags >> 1 & 3
    }

    /// Whether `body`, as far as it is there, can follow this header.
    fn suits(self, body: &[u8]) -> bool {
        let mut r = Reader::new(body.get(..self.remaining).unwrap_or(body));
        match self.kind {
            Type::Publish => match r.u16() {
                Some(len) => {
                    let topic = r.rest().get(..usize::from(len).min(INSPECTED)).unwrap_or(r.rest());
                    let ids = if self.qos() > 0 { 2 } else { 0 };
                    2 + usize::from(len) + ids <= self.remaining && is_topic(topic)
                }
                None => true,
            },
            Type::Connect => r.bytes16().is_none_or(|name| matches!(name, b"MQTT" | b"MQIsdp")),
            Type::Connack => r.u8().is_none_or(|flags| flags <= 1),
            Type::Disconnect | Type::Auth | Type::Pingreq | Type::Pingresp => true,
            _ => r.u16().is_none_or(|id| id != 0),
        }
    }
}

/// The beginning of a packet, strictly.
pub(super) fn frame(bytes: &[u8], direction: Direction) -> Frame {
    match Header::read(bytes, direction) {
        Ok(header) => {
            let body = bytes.get(header.len..).unwrap_or_default();
            match (header.suits(body), body.len() >= header.remaining) {
                (false, _) => Frame::No,
                (true, true) => Frame::Whole(header.len + header.remaining),
                (true, false) => Frame::Part,
            }
        }
        Err(NoHeader::TooShort) => Frame::Part,
        Err(NoHeader::Invalid) => Frame::No,
    }
}

/// So much of a topic is enough to recognise it, where every place is a possible beginning.
const INSPECTED: usize = 256;

/// Topic names are UTF-8 without wildcards and control characters (section 4.7); the end may be cut
/// off.
fn is_topic(topic: &[u8]) -> bool {
    let text = match std::str::from_utf8(topic) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            let whole = topic.get(..e.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() || c == '#' || c == '+')
}
