//! The record of a flow.

use std::net::IpAddr;

use wire::{Endpoint, PerDirection, TapId, Timestamp, Transport};

use super::{
    CloseReason, FlowId, FlowState, Latencies, Notes, Protocol, RttLeftOutCounts, TcpCounters,
    Trouble,
};

/// How it was decided which side is the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientBy {
    /// The client sent a SYN.
    Syn,
    /// The server sent a SYN/ACK.
    SynAck,
    /// The server's port is a known service's.
    Port,
    /// The client sent the first packet that was seen.
    FirstPacket,
}

impl ClientBy {
    /// Name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::SynAck => "syn_ack",
            Self::Port => "port",
            Self::FirstPacket => "first_packet",
        }
    }
}

/// A flow at its first packet.
#[derive(Clone, Debug)]
pub struct FlowOpening {
    /// Its number.
    pub id: FlowId,
    /// Where it was seen.
    pub tap: TapId,
    /// Transport protocol.
    pub transport: Transport,
    /// The side that asks.
    pub client: Endpoint,
    /// The side that answers.
    pub server: Endpoint,
    /// Time of the first packet.
    pub start: Timestamp,
}

/// Everything measured on one flow at one tap; the fields of the `flow` record. Cumulative.
#[derive(Clone, Debug)]
pub struct FlowRecord {
    /// Its number.
    pub id: FlowId,
    /// Where it was seen.
    pub tap: TapId,
    /// Transport protocol.
    pub transport: Transport,
    /// The side that asks.
    pub client: Endpoint,
    /// The side that answers.
    pub server: Endpoint,
    /// How it was decided which is which.
    pub client_by: ClientBy,
    /// VLAN ids, outermost first, as on the first packet; then those that only other packets of the
    /// flow have, in the order in which they were seen.
    pub vlans: Vec<u16>,
    /// Tunnels, outermost first, as on the first packet; then those of a kind and id that only
    /// other packets of the flow have.
    pub tunnels: Vec<TunnelRecord>,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Time of the last packet.
    pub end: Timestamp,
    /// State.
    pub state: FlowState,
    /// Why it is closed; none while it is open.
    pub close_reason: Option<CloseReason>,
    /// What went wrong, if anything did.
    pub trouble: Option<Trouble>,
    /// Uncommon things that are no faults.
    pub notes: Notes,
    /// What each side sent.
    pub directions: PerDirection<DirectionRecord>,
    /// TCP handshake, as far as seen.
    pub handshake: Option<Handshake>,
    /// Application protocol, and its requests and responses.
    pub l7: Option<L7Summary>,
}

/// A tunnel in a flow record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelRecord {
    /// Encapsulation, e.g. `vxlan`.
    pub kind: &'static str,
    /// Network or session id.
    pub id: Option<u32>,
    /// Outer source address.
    pub outer_source: Option<IpAddr>,
    /// Outer destination address.
    pub outer_destination: Option<IpAddr>,
}

/// Times of a TCP handshake in nanoseconds. They are negative where the capture's clock went back,
/// or where its frames are out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// SYN, SYN/ACK and ACK were all seen.
    pub complete: bool,
    /// First SYN to first SYN/ACK, repeats included.
    pub syn_to_syn_ack_ns: Option<i64>,
    /// First SYN/ACK to the client's first ACK, repeats included.
    pub syn_ack_to_ack_ns: Option<i64>,
    /// The network and kernel beyond the tap on the server's side: `syn_to_syn_ack_ns` unless the
    /// SYN was sent more than once.
    pub server_rtt_ns: Option<i64>,
    /// The same on the client's side: `syn_ack_to_ack_ns` unless the SYN/ACK was sent more than
    /// once, or the ACK carries payload, for which it may have waited.
    pub client_rtt_ns: Option<i64>,
    /// What the client waited for the connection: first SYN to the ACK that ends the handshake,
    /// repeats included. None where one of the two is missing, or the clock went back between.
    pub connect_ns: Option<u64>,
}

impl Handshake {
    /// Both sides of the path together, where both are known.
    pub fn rtt_ns(&self) -> Option<i64> {
        Some(self.server_rtt_ns?.saturating_add(self.client_rtt_ns?))
    }
}

/// Counts of the application protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L7Summary {
    /// Protocol.
    pub protocol: Protocol,
    /// Requests seen.
    pub requests: u64,
    /// Responses seen.
    pub responses: u64,
    /// Exchanges that ended in an error of client or server, or without a response.
    pub errors: u64,
}

/// Count, minimum, mean and maximum of a time in nanoseconds. Only `ack_rtt` may be negative, where
/// the capture's clock went back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Number of samples; all else is meaningless where 0.
    pub count: u64,
    /// Smallest.
    pub min_ns: i64,
    /// Mean.
    pub mean_ns: i64,
    /// Largest.
    pub max_ns: i64,
}

/// Figures of what one side of a flow sent. `ack_rtt` and the counters that name a field of
/// Wireshark mean what `tcp.analysis.*` of Wireshark 4.0 means for frames sent in this direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectionRecord {
    /// Packets.
    pub packets: u64,
    /// Packets with payload.
    pub data_packets: u64,
    /// Payload bytes, retransmissions included.
    pub payload_bytes: u64,
    /// Bytes of the innermost IP packets.
    pub ip_bytes: u64,
    /// Bytes of whole frames.
    pub wire_bytes: u64,
    /// SYN without ACK.
    pub syn: u64,
    /// SYN with ACK.
    pub syn_ack: u64,
    /// FIN.
    pub fin: u64,
    /// RST.
    pub rst: u64,
    /// PSH.
    pub psh: u64,
    /// Frames that the capture has twice (a mirror of both directions of a port, several interfaces
    /// in one file). Counters that name a field of Wireshark count them, as it does; others count
    /// none of them.
    pub copies: u64,
    /// Retransmissions, reordering, windows and the like.
    pub tcp: TcpCounters,
    /// Times that this side closed its window.
    pub zero_window_episodes: u64,
    /// Nanoseconds for which this side kept its window closed.
    pub zero_window_ns: u64,
    /// The longest of these times.
    pub zero_window_max_ns: u64,
    /// Time from a segment to this side's ACK of it, as Wireshark counts it.
    pub ack_rtt: Timing,
    /// Time from a segment to this side's ACK of it, where no application had a part in it: the
    /// network between the tap and this side, and its kernel.
    pub rtt: Timing,
    /// Distribution of `rtt`.
    pub rtt_latencies: Latencies,
    /// ACKs of this side that are no samples of `rtt`, by reason.
    pub rtt_left_out: RttLeftOutCounts,
    /// Time from the last byte of the other side's message to the first byte of this side's answer.
    pub response_time: Timing,
    /// Payload bytes without retransmissions.
    pub goodput_bytes: u64,
    /// Bytes of the stream that were never captured.
    pub missing_bytes: u64,
    /// Segments that differ from an earlier copy of the same bytes, as far as both
    /// were there to compare.
    pub differing_overlaps: u64,
    /// Maximum segment size announced.
    pub mss: Option<u16>,
    /// Window scale announced.
    pub window_scale: Option<u8>,
}
