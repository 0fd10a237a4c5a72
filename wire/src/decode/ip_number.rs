//! IP protocol numbers (IANA, "Assigned Internet Protocol Numbers").

/// IPv6 hop-by-hop options (RFC 8200, section 4.3).
pub(super) const HOP_BY_HOP: u8 = 0;
/// ICMP (RFC 792).
pub(super) const ICMP: u8 = 1;
/// IPv4 in IP (RFC 2003).
pub(super) const IPV4: u8 = 4;
/// TCP (RFC 9293).
pub(super) const TCP: u8 = 6;
/// UDP (RFC 768).
pub(super) const UDP: u8 = 17;
/// IPv6 in IP (RFC 2473).
pub(super) const IPV6: u8 = 41;
/// IPv6 routing header (RFC 8200, section 4.4).
pub(super) const ROUTING: u8 = 43;
/// IPv6 fragment header (RFC 8200, section 4.5).
pub(super) const FRAGMENT: u8 = 44;
/// GRE (RFC 2784).
pub(super) const GRE: u8 = 47;
/// Encapsulating Security Payload (RFC 4303).
pub(super) const ESP: u8 = 50;
/// Authentication header (RFC 4302).
pub(super) const AUTHENTICATION: u8 = 51;
/// ICMPv6 (RFC 4443).
pub(super) const ICMPV6: u8 = 58;
/// IPv6 destination options (RFC 8200, section 4.6).
pub(super) const DESTINATION_OPTIONS: u8 = 60;
/// MPLS in IP (RFC 4023).
pub(super) const MPLS: u8 = 137;
