//! Link types of pcap files.

/// What the first byte of a frame belongs to: the link types of pcap files
/// (draft-ietf-opsawg-pcaplinktype) that Wirespan decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// BSD loopback: 4-byte address family in the byte order of the capturing host (LINKTYPE_NULL,
    /// 0).
    Null,
    /// Ethernet (LINKTYPE_ETHERNET, 1).
    Ethernet,
    /// OpenBSD loopback: 4-byte address family in network byte order (LINKTYPE_LOOP, 108).
    Loop,
    /// Raw IPv4 or IPv6 by version nibble (LINKTYPE_RAW, 101, and the DLT_RAW values 12 and 14;
    /// LINKTYPE_IPV4, 228; LINKTYPE_IPV6, 229).
    RawIp,
    /// Linux cooked capture v1 (LINKTYPE_LINUX_SLL, 113).
    LinuxSll,
    /// Linux cooked capture v2 (LINKTYPE_LINUX_SLL2, 276).
    LinuxSll2,
    /// Anything else, by its number: frames of it are counted, not decoded.
    Unsupported(u16),
}

impl LinkType {
    /// Link type from its number in a capture file.
    pub const fn from_number(number: u16) -> Self {
        match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            other => Self::Unsupported(other),
        }
    }

    /// Number to write into a capture file.
    pub const fn number(self) -> u16 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::RawIp => 101,
            Self::Loop => 108,
            Self::LinuxSll => 113,
            Self::LinuxSll2 => 276,
            Self::Unsupported(n) => n,
        }
    }
}
