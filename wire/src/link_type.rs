//! Link types of pcap files.

use std::fmt;

/// What the first byte of a frame belongs to: the link types of pcap files
/// (draft-ietf-opsawg-pcaplinktype) that Wirespan decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// BSD loopback: 4-byte address family in the byte order of the capturing host.
    Null,
    /// Ethernet.
    Ethernet,
    /// PPP, with or without the address and control bytes of HDLC framing.
    Ppp,
    /// PPP in HDLC framing, or Cisco's HDLC, by the first byte.
    PppHdlc,
    /// The session header of PPPoE, without Ethernet.
    Pppoe,
    /// LLC and SNAP, as in ATM (RFC 2684).
    Llc,
    /// Raw IPv4 or IPv6 by version nibble.
    RawIp,
    /// Cisco's HDLC.
    CiscoHdlc,
    /// IEEE 802.11.
    Ieee80211,
    /// OpenBSD loopback: 4-byte address family in network byte order.
    Loop,
    /// OpenBSD's IPsec device: address family, index and flags.
    Enc,
    /// Linux cooked capture v1.
    LinuxSll,
    /// OpenBSD's log of its packet filter.
    Pflog,
    /// IEEE 802.11 with a radiotap header.
    Radiotap,
    /// PPP with a byte for the direction before the address and control bytes, or in place of the
    /// address.
    PppWithDirection,
    /// MPLS label stack.
    Mpls,
    /// Linux's log of its packet filter, as netlink attributes.
    Nflog,
    /// IP over InfiniBand (RFC 4391, section 6), with the global routing header before it.
    Ipoib,
    /// InfiniBand, from the local routing header on.
    Infiniband,
    /// Linux cooked capture v2.
    LinuxSll2,
    /// Anything else, by its number: frames of it are counted, not decoded.
    Unsupported(u16),
}

/// Numbers in capture files and the names there, without the prefix `LINKTYPE_`. Of several numbers
/// of one link type, the first is the one that is written.
const DECODED: [(u16, LinkType, &str); 25] = [
    (0, LinkType::Null, "NULL"),
    (1, LinkType::Ethernet, "ETHERNET"),
    (9, LinkType::Ppp, "PPP"),
    (50, LinkType::PppHdlc, "PPP_HDLC"),
    (51, LinkType::Pppoe, "PPP_ETHER"),
    (100, LinkType::Llc, "ATM_RFC1483"),
    (101, LinkType::RawIp, "RAW"),
    // Values of DLT_RAW that some systems wrote into files.
    (12, LinkType::RawIp, "RAW"),
    (14, LinkType::RawIp, "RAW"),
    (228, LinkType::RawIp, "IPV4"),
    (229, LinkType::RawIp, "IPV6"),
    (104, LinkType::CiscoHdlc, "C_HDLC"),
    (105, LinkType::Ieee80211, "IEEE802_11"),
    (108, LinkType::Loop, "LOOP"),
    (109, LinkType::Enc, "ENC"),
    (113, LinkType::LinuxSll, "LINUX_SLL"),
    (117, LinkType::Pflog, "PFLOG"),
    (127, LinkType::Radiotap, "IEEE802_11_RADIOTAP"),
    (204, LinkType::PppWithDirection, "PPP_WITH_DIR"),
    (166, LinkType::PppWithDirection, "PPP_PPPD"),
    (219, LinkType::Mpls, "MPLS"),
    (239, LinkType::Nflog, "NFLOG"),
    (242, LinkType::Ipoib, "IPOIB"),
    (247, LinkType::Infiniband, "INFINIBAND"),
    (276, LinkType::LinuxSll2, "LINUX_SLL2"),
];

/// Names of numbers that users meet and that are not decoded.
const NAMED: [(u16, &str); 37] = [
    (3, "AX25"),
    (6, "IEEE802_5"),
    (7, "ARCNET_BSD"),
    (8, "SLIP"),
    (10, "FDDI"),
    (99, "SYMANTEC_FIREWALL"),
    (107, "FRELAY"),
    (114, "LTALK"),
    (119, "IEEE802_11_PRISM"),
    (122, "IP_OVER_FC"),
    (123, "SUNATM"),
    (129, "ARCNET_LINUX"),
    (138, "APPLE_IP_OVER_IEEE1394"),
    (143, "DOCSIS"),
    (147, "USER0"),
    (148, "USER1"),
    (149, "USER2, also of Apple's PKTAP"),
    (163, "IEEE802_11_AVS"),
    (165, "BACNET_MS_TP"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4_WITHFCS"),
    (197, "ERF"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (209, "I2C_LINUX"),
    (220, "USB_LINUX_MMAPPED"),
    (227, "CAN_SOCKETCAN"),
    (230, "IEEE802_15_4_NOFCS"),
    (240, "NETANALYZER"),
    (249, "USBPCAP"),
    (251, "BLUETOOTH_LE_LL"),
    (253, "NETLINK"),
    (258, "PKTAP"),
    (266, "USB_DARWIN"),
    (271, "VSOCK"),
    (281, "DSA_TAG_BRCM"),
];

impl LinkType {
    /// Link type from its number in a capture file.
    pub fn from_number(number: u16) -> Self {
        let known = DECODED.iter().find(|(known, ..)| *known == number);
        known.map_or(Self::Unsupported(number), |(_, link_type, _)| *link_type)
    }

    /// Number to write into a capture file.
    pub fn number(self) -> u16 {
        match self {
            Self::Unsupported(number) => number,
            known => {
                DECODED.iter().find(|(_, is, _)| *is == known).map_or(0, |(number, ..)| *number)
            }
        }
    }

    /// Name in the list of link types, where it has one there that is known here.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Unsupported(number) => {
                NAMED.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
            }
            known => DECODED.iter().find(|(_, is, _)| *is == known).map(|(.., name)| *name),
        }
    }
}

/// The number, and the name where it is known: `147 (USER0)`.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())?;
        self.name().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_the_link_type() {
        for (number, link_type, _) in DECODED {
            assert_eq!(LinkType::from_number(number), link_type);
            assert_eq!(LinkType::from_number(link_type.number()), link_type);
        }
        for (number, name) in NAMED {
            assert_eq!(LinkType::from_number(number), LinkType::Unsupported(number), "{name}");
        }
        assert_eq!(LinkType::from_number(239).to_string(), "239 (NFLOG)");
        assert_eq!(LinkType::from_number(147).to_string(), "147 (USER0)");
        assert_eq!(LinkType::from_number(65_000).to_string(), "65000");
    }
}
