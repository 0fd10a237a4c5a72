//! A frame as a source yields it.

use crate::{LinkType, TapId, Timestamp};

/// One frame as a source yields it. It borrows the source's buffer and cannot outlive the call that
/// yields it.
#[derive(Clone, Copy, Debug)]
pub struct RawFrame<'r> {
    /// When the kernel or the capturing host saw it.
    pub time: Timestamp,
    /// Where it was seen.
    pub tap: TapId,
    /// What `bytes` start with.
    pub link_type: LinkType,
    /// Length on the wire in bytes, that of `vlan` not counted; more than `bytes.len()` if the
    /// capture cut it.
    pub wire_len: u32,
    /// Outermost VLAN tag, where the kernel took it out of the frame (packet(7), `PACKET_AUXDATA`).
    pub vlan: Option<VlanTag>,
    /// What was captured.
    pub bytes: &'r [u8],
}

impl RawFrame<'_> {
    /// Length on the wire in bytes, with the tag that the kernel took out.
    #[inline]
    pub const fn whole_wire_len(&self) -> u32 {
        let tag = if self.vlan.is_some() { VlanTag::LEN } else { 0 };
        self.wire_len.saturating_add(tag)
    }
}

/// An IEEE 802.1Q tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100 (802.1Q) or 0x88a8 (802.1ad).
    pub tpid: u16,
    /// Tag control information: priority (3 bits), DEI (1), VLAN id (12).
    pub tci: u16,
}

impl VlanTag {
    /// Tag protocol identifier of an IEEE 802.1Q customer tag.
    pub const C_TAG: u16 = 0x8100;
    /// Bytes that it takes in a frame.
    pub const LEN: u32 = 4;

    /// VLAN id, 0 to 4095.
    pub const fn id(self) -> u16 {
        self.tci & 0x0fff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_beside_the_frame_was_on_the_wire() {
        let frame = RawFrame {
            time: Timestamp::ZERO,
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: 60,
            vlan: None,
            bytes: &[],
        };
        assert_eq!(frame.whole_wire_len(), 60);
        let vlan = Some(VlanTag { tpid: 0x8100, tci: 7 });
        assert_eq!(RawFrame { vlan, ..frame }.whole_wire_len(), 64);
    }
}
