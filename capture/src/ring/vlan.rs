//! Restores the VLAN tag that the kernel removed from a frame.

use wire::VlanTag;

/// Writes into `out` the Ethernet frame `bytes` with `tag` put back behind the addresses, where the
/// kernel took it out.
pub(crate) fn with_tag<'o>(bytes: &[u8], tag: VlanTag, out: &'o mut Vec<u8>) -> &'o [u8] {
    let (addresses, rest) = bytes.split_at(bytes.len().min(12));
    out.clear();
    out.extend_from_slice(addresses);
    out.extend_from_slice(&tag.tpid.to_be_bytes());
    out.extend_from_slice(&tag.tci.to_be_bytes());
    out.extend_from_slice(rest);
    out
}
