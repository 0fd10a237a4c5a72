//! Packets that Linux's packet filter logs (NFLOG), as attributes of netlink.

use crate::decode::layer::Layer;
use crate::decode::span::Span;
use crate::decode::{Undecoded, ether_type};

/// Address family, version, then the number of the log (linux/netfilter/nfnetlink.h).
const HEADER_LEN: usize = 4;
const VERSION: u8 = 0;
/// Length with this header, type, value, padding to 4 bytes (linux/netlink.h).
const ATTRIBUTE_LEN: usize = 4;
/// Bits of the type that say what the value is like.
const TYPE_FLAGS: u8 = 0xc0;

/// Attributes (linux/netfilter/nfnetlink_log.h).
const PACKET_HEADER: u8 = 1;
const PAYLOAD: u8 = 9;

/// Families (Linux): of a rule for IP, and of one for anything.
const INET: u8 = 2;
const INET6: u8 = 10;

/// The payload of a logged packet, from its IP header on.
///
/// Attributes are in the byte order of the host that captured, which the frame does not tell. The
/// types in use are below 256, so that one of a type's two bytes is 0.
pub(super) fn nflog(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [family, version, ..] = *span.head::<HEADER_LEN>()?;
    if version != VERSION {
        return Err(Undecoded::Malformed);
    }
    let mut number = match family {
        INET => Some(ether_type::IPV4),
        INET6 => Some(ether_type::IPV6),
        _ => None,
    };
    let mut rest = span.skip(HEADER_LEN)?;
    loop {
        let [a, b, c, d] = *rest.head::<ATTRIBUTE_LEN>()?;
        let (len, kind) = match (c & !TYPE_FLAGS, d & !TYPE_FLAGS) {
            (kind, 0) => (u16::from_le_bytes([a, b]), kind),
            (0, kind) => (u16::from_be_bytes([a, b]), kind),
            _ => return Err(Undecoded::Malformed),
        };
        let len = usize::from(len);
        if len < ATTRIBUTE_LEN {
            return Err(Undecoded::Malformed);
        }
        let value = rest.skip(ATTRIBUTE_LEN)?.limit((len - ATTRIBUTE_LEN) as u32);
        match kind {
            PACKET_HEADER => {
                let hardware = u16::from_be_bytes(*value.head::<2>()?);
                number = number.or(Some(hardware));
            }
            PAYLOAD => {
                let number = number.ok_or(Undecoded::NotIp)?;
                return Ok(Layer::EtherType(number, value));
            }
            _ => {}
        }
        rest = rest.skip(len.next_multiple_of(4))?;
    }
}
