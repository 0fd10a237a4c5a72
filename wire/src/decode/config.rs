//! Limits and ports of a decoder.

use std::time::Duration;

/// Limits and ports of a [`Decoder`](super::Decoder).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeConfig {
    /// Tunnels inside each other that are followed; never more than 8.
    pub max_tunnel_depth: u8,
    /// UDP destination ports on which VXLAN is expected (4789 by IANA, 8472 is Linux's older
    /// default).
    pub vxlan_ports: Vec<u16>,
    /// Whether keys of GRE, and subnet ids of NVGRE, tell networks with equal addresses apart, as
    /// those of VXLAN and GENEVE always do. Only where both ends of a tunnel use the same key:
    /// mirrors have one for each direction of a connection.
    pub gre_key_is_network: bool,
    /// Datagrams that may wait for fragments at once; the oldest is given up for a new one.
    pub max_fragmented: usize,
    /// Bytes that all waiting fragments may hold together; the oldest datagrams are given up for
    /// new ones.
    pub max_fragment_bytes: usize,
    /// How long a datagram waits for its fragments, counted in frame time from the first one to
    /// arrive.
    pub fragment_timeout: Duration,
}

impl Default for DecodeConfig {
    fn default() -> Self {
        Self {
            max_tunnel_depth: 4,
            vxlan_ports: vec![4789, 8472],
            gre_key_is_network: false,
            max_fragmented: 1024,
            max_fragment_bytes: 16 << 20,
            fragment_timeout: Duration::from_secs(30),
        }
    }
}
