use std::net::IpAddr;

/// End of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum End {
    Client,
    Server,
}

impl End {
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Flags of the TCP header (RFC 9293, section 3.1).
pub(crate) mod flag {
    pub(crate) const FIN: u8 = 0x01;
    pub(crate) const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const PSH: u8 = 0x08;
    pub(crate) const ACK: u8 = 0x10;
    pub(crate) const URG: u8 = 0x20;
    pub(crate) const ECE: u8 = 0x40;
    pub(crate) const CWR: u8 = 0x80;
}

/// Options of a TCP header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mss: Option<u16>,
    pub(crate) scale: Option<u8>,
    pub(crate) sack_permitted: bool,
    /// Value and echo.
    pub(crate) timestamps: Option<(u32, u32)>,
    /// Left and right edge.
    pub(crate) sack: Vec<(u32, u32)>,
    /// Further bytes, as they are.
    pub(crate) raw: Vec<u8>,
}

impl Options {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(mss) = self.mss {
            bytes.extend([2, 4]);
            bytes.extend(mss.to_be_bytes());
        }
        if self.sack_permitted {
            bytes.extend([4, 2]);
        }
        if let Some((value, echo)) = self.timestamps {
            bytes.extend([8, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(echo.to_be_bytes());
        }
        if let Some(scale) = self.scale {
            bytes.extend([3, 3, scale]);
        }
        let room = (40usize.saturating_sub(bytes.len() + self.raw.len() + 2)) / 8;
        let blocks = &self.sack[..self.sack.len().min(room)];
        if !blocks.is_empty() {
            bytes.extend([5, (2 + blocks.len() * 8) as u8]);
            for (left, right) in blocks {
                bytes.extend(left.to_be_bytes());
                bytes.extend(right.to_be_bytes());
            }
        }
        bytes.extend(&self.raw);
        bytes.resize(bytes.len().next_multiple_of(4).min(40), 1);
        bytes
    }
}

/// A TCP segment on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: End,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Options,
    /// The two ECN bits of the IP header.
    pub(crate) ecn: u8,
    pub(crate) payload: Vec<u8>,
}

impl Segment {
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Sequence numbers that it takes up.
    pub(crate) fn space(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.has(flag::SYN)) + u32::from(self.has(flag::FIN))
    }
}

/// Addresses and ports of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) client: (IpAddr, u16),
    pub(crate) server: (IpAddr, u16),
}

impl Endpoints {
    /// Endpoints that no other number has.
    pub(crate) fn numbered(number: u32, ports: (u16, u16), version6: bool) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        let (client, server): (IpAddr, IpAddr) = if version6 {
            let host =
                |last| [0xfd00, 0, 0, 0, 0, u16::from(a), u16::from_be_bytes([b, c]), last].into();
            (host(1), host(2))
        } else {
            ([10, a, b, c].into(), [172, 16 | (a & 15), c, b].into())
        };
        Self { client: (client, ports.0), server: (server, ports.1) }
    }

    /// Ethernet, IP and TCP around `segment`. Checksums are left zero, as by a sender with
    /// offloads.
    pub(crate) fn frame(&self, segment: &Segment) -> Vec<u8> {
        let (from, to) = match segment.from {
            End::Client => (self.client, self.server),
            End::Server => (self.server, self.client),
        };
        let options = segment.options.bytes();
        let tcp_len = (20 + options.len() + segment.payload.len()) as u16;
        let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        match (from.0, to.0) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                bytes.extend([0x08, 0x00, 0x45, segment.ecn]);
                bytes.extend((tcp_len + 20).to_be_bytes());
                bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                bytes.extend([0x86, 0xdd, 0x60, segment.ecn << 4, 0, 0]);
                bytes.extend(tcp_len.to_be_bytes());
                bytes.extend([6, 64]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
            }
            _ => unreachable!("both addresses are of one version"),
        }
        bytes.extend(from.1.to_be_bytes());
        bytes.extend(to.1.to_be_bytes());
        bytes.extend(segment.seq.to_be_bytes());
        bytes.extend(segment.ack.to_be_bytes());
        bytes.extend([((20 + options.len()) as u8) << 2, segment.flags]);
        bytes.extend(segment.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(options);
        bytes.extend(&segment.payload);
        bytes.resize(bytes.len().max(60), 0);
        bytes
    }
}
