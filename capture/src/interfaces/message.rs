//! Messages of rtnetlink(7) about links, read and written by their fields.

use super::interface::{Interface, link_type, tap_kind};

/// Offsets in `struct nlmsghdr` (netlink(7)), and its length.
const MESSAGE_LEN: usize = 0;
const MESSAGE_TYPE: usize = 4;
const HEADER: usize = 16;
/// Offsets in `struct ifinfomsg` (rtnetlink(7)), and its length.
const FAMILY: usize = 0;
const HARDWARE_TYPE: usize = 2;
const INDEX: usize = 4;
const FLAGS: usize = 8;
const LINK_HEADER: usize = 16;
/// Offsets in `struct rtattr` (rtnetlink(7)), and its length.
const ATTRIBUTE_LEN: usize = 0;
const ATTRIBUTE_TYPE: usize = 2;
const ATTRIBUTE_HEADER: usize = 4;
/// The type without the flags for nested attributes and byte order.
const NLA_TYPE_MASK: u16 = 0x3fff;
/// Offset of the error number in `struct nlmsgerr` (netlink(7)).
const ERROR_NUMBER: usize = 0;

/// The content of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// An interface is there, or is now different.
    Link(Interface),
    /// An interface is gone from this namespace.
    Gone(u32),
    /// The end of a listing.
    Done,
    /// The kernel refused, with this error number (0 is an acknowledgement).
    Error(i32),
    /// Nothing about links.
    Other,
}

/// A request for all links, or for the one with this index.
pub(super) fn get_links(index: Option<u32>) -> Vec<u8> {
    let dump = if index.is_none() { libc::NLM_F_DUMP } else { 0 };
    let mut message = Vec::with_capacity(HEADER + LINK_HEADER);
    message.extend(((HEADER + LINK_HEADER) as u32).to_ne_bytes());
    message.extend(libc::RTM_GETLINK.to_ne_bytes());
    message.extend(((libc::NLM_F_REQUEST | dump) as u16).to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(index.unwrap_or(0).to_ne_bytes());
    message.extend([0; 8]);
    message
}

/// The messages of a datagram.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message> {
    std::iter::from_fn(move || {
        let len = (u32_at(datagram, MESSAGE_LEN)? as usize).max(HEADER);
        let message = datagram.get(..len)?;
        datagram = datagram.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
    .map(read)
}

fn read(message: &[u8]) -> Message {
    let body = message.get(HEADER..).unwrap_or_default();
    let Some(kind) = u16_at(message, MESSAGE_TYPE) else { return Message::Other };
    // Bridges send link messages of their own family about their ports, which hold other
    // attributes.
    let of_link = body.get(FAMILY) == Some(&0);
    match kind {
        libc::RTM_NEWLINK if of_link => link(body).map_or(Message::Other, Message::Link),
        libc::RTM_DELLINK if of_link => u32_at(body, INDEX).map_or(Message::Other, Message::Gone),
        _ if i32::from(kind) == libc::NLMSG_DONE => Message::Done,
        _ if i32::from(kind) == libc::NLMSG_ERROR => u32_at(body, ERROR_NUMBER)
            .map_or(Message::Other, |code| Message::Error(code.cast_signed().wrapping_neg())),
        _ => Message::Other,
    }
}

fn link(body: &[u8]) -> Option<Interface> {
    let hardware = u16_at(body, HARDWARE_TYPE)?;
    let flags = u32_at(body, FLAGS)?;
    let mut interface = Interface {
        index: u32_at(body, INDEX)?,
        name: String::new(),
        kind: tap_kind("", hardware),
        driver_kind: String::new(),
        peer: None,
        peer_namespace: None,
        master: None,
        up: flags & libc::IFF_UP.cast_unsigned() != 0,
        mtu: 0,
        link_type: link_type(hardware),
    };
    for (kind, value) in attributes(body.get(LINK_HEADER..)?) {
        match kind {
            libc::IFLA_IFNAME => interface.name = text(value),
            libc::IFLA_MTU => interface.mtu = u32_at(value, 0)?,
            libc::IFLA_LINK => interface.peer = u32_at(value, 0).filter(|&i| i != 0),
            libc::IFLA_LINK_NETNSID => {
                interface.peer_namespace =
                    u32_at(value, 0).map(u32::cast_signed).filter(|&id| id >= 0);
            }
            libc::IFLA_MASTER => interface.master = u32_at(value, 0).filter(|&i| i != 0),
            libc::IFLA_LINKINFO => {
                let kind = attributes(value).find(|(kind, _)| *kind == libc::IFLA_INFO_KIND);
                interface.driver_kind = kind.map(|(_, value)| text(value)).unwrap_or_default();
                interface.kind = tap_kind(&interface.driver_kind, hardware);
            }
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some(interface)
}

fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(bytes, ATTRIBUTE_LEN)?);
        let kind = u16_at(bytes, ATTRIBUTE_TYPE)? & NLA_TYPE_MASK;
        let value = bytes.get(ATTRIBUTE_HEADER..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|&b| b == 0).next().unwrap_or_default()).into_owned()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_messages_end_the_walk() {
        assert_eq!(messages(&[]).count(), 0);
        assert_eq!(messages(&[0; 15]).count(), 0);
        assert_eq!(messages(&[0; 16]).collect::<Vec<_>>(), [Message::Other]);
        let mut request = get_links(None);
        request[0] = 33;
        assert_eq!(messages(&request).count(), 0);
        assert_eq!(attributes(&[3, 0, 1, 0, 9]).count(), 0);
        assert_eq!(attributes(&[5, 0, 1, 0, 9]).collect::<Vec<_>>(), [(1, &[9u8][..])]);
    }
}
