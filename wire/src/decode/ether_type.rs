//! EtherTypes (IANA, "IEEE 802 Numbers").

/// Internet Protocol, version 4.
pub(super) const IPV4: u16 = 0x0800;
/// Address Resolution Protocol.
pub(super) const ARP: u16 = 0x0806;
/// TRILL (RFC 6325, section 3).
pub(super) const TRILL: u16 = 0x22f3;
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
/// IEEE 802.1AE (MACsec).
pub(super) const MACSEC: u16 = 0x88e5;
/// IEEE 802.1ah service instance tag (provider backbone bridges).
pub(super) const I_TAG: u16 = 0x88e7;
/// Cisco FabricPath.
pub(super) const FABRIC_PATH: u16 = 0x8903;
/// Cisco MetaData, of TrustSec.
pub(super) const CISCO_METADATA: u16 = 0x8909;
/// VN-Tag, of Cisco's fabric extenders.
pub(super) const VN_TAG: u16 = 0x8926;
/// High-availability Seamless Redundancy (IEC 62439-3).
pub(super) const HSR: u16 = 0x892f;
/// IEEE 802.1BR (bridge port extension).
pub(super) const E_TAG: u16 = 0x893f;
/// Network Service Header (RFC 8300, section 2).
pub(super) const NSH: u16 = 0x894f;
/// Stacked tags before IEEE 802.1ad, by vendor.
pub(super) const OLD_S_TAG: u16 = 0x9100;
pub(super) const OLD_S_TAG_2: u16 = 0x9200;
pub(super) const OLD_S_TAG_3: u16 = 0x9300;

/// Values up to this one are lengths of IEEE 802.3 frames (IEEE 802.3, section 3.2.6).
pub(super) const MAX_LENGTH: u16 = 1500;

/// Whether an EtherType announces an IEEE 802.1Q or 802.1ad tag.
#[inline]
pub(super) const fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, C_TAG | S_TAG | OLD_S_TAG | OLD_S_TAG_2 | OLD_S_TAG_3)
}

/// Whether what looks like an EtherType is one that is common in networks: proof that an Ethernet
/// header stands where nothing else says so.
pub(super) const fn is_common(ether_type: u16) -> bool {
    is_vlan(ether_type)
        || matches!(
            ether_type,
            IPV4 | ARP | IPV6 | MPLS | MPLS_UPSTREAM | PPPOE_DISCOVERY | PPPOE_SESSION
        )
}
