//! Frames as the kernel programs lay them out in memory: `struct frame` of `bpf/frame.h`.

use wire::VlanTag;

use crate::record::{u16_at, u32_at, u64_at};

pub(crate) mod offset {
    pub(crate) const TIME_NS: usize = 0;
    pub(crate) const IFINDEX: usize = 8;
    pub(crate) const WIRE_LEN: usize = 12;
    pub(crate) const CAP_LEN: usize = 16;
    pub(crate) const VLAN_TPID: usize = 20;
    pub(crate) const VLAN_TCI: usize = 22;
    pub(crate) const BYTES: usize = 32;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameRecord<'r> {
    /// CLOCK_MONOTONIC.
    pub(crate) time_ns: u64,
    pub(crate) ifindex: u32,
    pub(crate) wire_len: u32,
    pub(crate) vlan: Option<VlanTag>,
    pub(crate) bytes: &'r [u8],
}

/// The frame in `record`, `None` if the record is too short for it.
pub(crate) fn frame(record: &[u8]) -> Option<FrameRecord<'_>> {
    let cap_len = usize::try_from(u32_at(record, offset::CAP_LEN)?).ok()?;
    let tpid = u16_at(record, offset::VLAN_TPID)?;
    let tci = u16_at(record, offset::VLAN_TCI)?;
    Some(FrameRecord {
        time_ns: u64_at(record, offset::TIME_NS)?,
        ifindex: u32_at(record, offset::IFINDEX)?,
        wire_len: u32_at(record, offset::WIRE_LEN)?,
        vlan: (tpid != 0).then_some(VlanTag { tpid, tci }),
        bytes: record.get(offset::BYTES..)?.get(..cap_len)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_checked() {
        let mut record = vec![7; 256];
        record[offset::CAP_LEN..][..4].copy_from_slice(&224u32.to_ne_bytes());
        assert_eq!(frame(&record).expect("it fits").bytes.len(), 224);
        record[offset::CAP_LEN..][..4].copy_from_slice(&225u32.to_ne_bytes());
        assert!(frame(&record).is_none());
        assert!(frame(&record[..31]).is_none());
    }
}
