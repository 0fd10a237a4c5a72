//! The key of a flow: transport and two endpoints, at one tap.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use crate::{Endpoint, TapId};

/// Transport protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

impl Transport {
    /// `tcp` or `udp`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Which of the two ends of a [`FlowKey`] sent a packet. It says nothing about client and server:
/// that is [`Direction`](crate::Direction), which the flow decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end in [`FlowKey::low`].
    Low,
    /// The end in [`FlowKey::high`].
    High,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// Addresses and ports of a flow at one tap: the innermost ones, without order. Equal for both
/// directions. The virtual network around them is no part of it: each direction may have VLANs and
/// overlay ids of its own. Where two connections have one key at the same time, the analyzer tells
/// them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    /// The smaller endpoint.
    pub low: Endpoint,
    /// The larger endpoint.
    pub high: Endpoint,
    /// Where it was seen.
    pub tap: TapId,
    /// Transport protocol.
    pub transport: Transport,
}

/// The same fields as equality compares, in as few words as they fit: every packet pays for it.
impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for end in [&self.low, &self.high] {
            match end.address {
                IpAddr::V4(v4) => {
                    state.write_u64(u64::from(v4.to_bits()) << 16 | u64::from(end.port))
                }
                IpAddr::V6(v6) => {
                    state.write_u128(v6.to_bits());
                    state.write_u16(end.port);
                }
            }
        }
        let TapId(tap) = self.tap;
        state.write_u64(u64::from(tap) << 1 | u64::from(self.transport == Transport::Udp));
    }
}

impl FlowKey {
    /// Key of a packet from `source` to `destination`, and which side sent it.
    pub fn new(
        tap: TapId,
        transport: Transport,
        source: Endpoint,
        destination: Endpoint,
    ) -> (Self, Side) {
        let (low, high, side) = if source <= destination {
            (source, destination, Side::Low)
        } else {
            (destination, source, Side::High)
        };
        (Self { low, high, tap, transport }, side)
    }

    /// The endpoint of `side`.
    pub const fn endpoint(&self, side: Side) -> Endpoint {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }
}
