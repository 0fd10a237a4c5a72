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

/// Identity of a flow at one tap: the innermost addresses and ports without order, and the virtual
/// network (VLANs, overlay ids) that they are meant in. Equal for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey {
    /// The smaller endpoint.
    pub low: Endpoint,
    /// The larger endpoint.
    pub high: Endpoint,
    /// Virtual network: 0 for none, else a hash of the VLAN ids and of the overlay identifiers that are the same in both
    /// directions (VXLAN and GENEVE VNI). Keys of GRE are not: they may be a direction's own.
    pub network: u64,
    /// Where it was seen.
    pub tap: TapId,
    /// Transport protocol.
    pub transport: Transport,
}

impl FlowKey {
    /// Key of a packet from `source` to `destination`, and which side sent it.
    pub fn new(
        tap: TapId,
        transport: Transport,
        network: u64,
        source: Endpoint,
        destination: Endpoint,
    ) -> (Self, Side) {
        let (low, high, side) = if source <= destination {
            (source, destination, Side::Low)
        } else {
            (destination, source, Side::High)
        };
        (Self { low, high, network, tap, transport }, side)
    }

    /// The endpoint of `side`.
    pub const fn endpoint(&self, side: Side) -> Endpoint {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }
}
