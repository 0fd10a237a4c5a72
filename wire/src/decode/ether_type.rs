//! EtherTypes (IANA, "IEEE 802 Numbers").

/// Internet Protocol, version 4.
pub(super) const IPV4: u16 = 0x0800;
/// Address Resolution Protocol.
pub(super) const ARP: u16 = 0x0806;
/// Bridged Ethernet, as a protocol type of GRE and GENEVE (RFC 7637, section 3.2).
pub(super) const BRIDGED_ETHERNET: u16 = 0x6558;
/// IEEE 802.1Q customer tag.
pub(super) const C_TAG: u16 = 0x8100;
/// Internet Protocol, version 6.
pub(super) const IPV6: u16 = 0x86dd;
/// MPLS (RFC 5332).
pub(super) const MPLS: u16 = 0x8847;
/// MPLS with an upstream-assigned label (RFC 5332).
pub(super) const MPLS_UPSTREAM: u16 = 0x8848;
/// PPPoE discovery (RFC 2516, section 4).
pub(super) const PPPOE_DISCOVERY: u16 = 0x8863;
/// PPPoE session (RFC 2516, section 4).
pub(super) const PPPOE_SESSION: u16 = 0x8864;
/// IEEE 802.1ad service tag.
pub(super) const S_TAG: u16 = 0x88a8;
/// Stacked tags before IEEE 802.1ad.
pub(super) const OLD_S_TAG: u16 = 0x9100;

/// Values up to this one are lengths of IEEE 802.3 frames (IEEE 802.3, section 3.2.6).
pub(super) const MAX_LENGTH: u16 = 1500;

/// Whether an EtherType announces an IEEE 802.1Q or 802.1ad tag.
#[inline]
pub(super) const fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, C_TAG | S_TAG | OLD_S_TAG)
}
