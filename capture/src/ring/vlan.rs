//! Restores the VLAN tag that the kernel removed from a frame.

use wire::VlanTag;

/// Length of the two MAC addresses (IEEE 802.3, section 3.1.1).
const ADDRESSES_LEN: usize = 12;

/// Writes into `out` the Ethernet frame `bytes` with `tag` put back behind the addresses, where the
/// kernel took it out.
pub(crate) fn with_tag<'o>(bytes: &[u8], tag: VlanTag, out: &'o mut Vec<u8>) -> &'o [u8] {
    let (addresses, rest) = bytes.split_at(bytes.len().min(ADDRESSES_LEN));
    out.clear();
    out.extend_from_slice(addresses);
    out.extend_from_slice(&tag.tpid.to_be_bytes());
    out.extend_from_slice(&tag.tci.to_be_bytes());
    out.extend_from_slice(rest);
    out
}
