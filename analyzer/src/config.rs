//! Every limit of an analyzer, with its default.

use std::time::Duration;

use l7::RequestLimits;

use wire::decode::DecodeConfig;

/// Every limit of an [`Analyzer`](crate::Analyzer). Sizes are for one analyzer, that is for one
/// shard.
#[derive(Clone, Debug)]
pub struct Config {
    /// Decoding of frames.
    pub decode: DecodeConfig,
    /// Flow table and its time-outs.
    pub flows: FlowLimits,
    /// Reassembly of TCP streams.
    pub reassembly: ReassemblyLimits,
    /// Conversations and their requests.
    pub requests: RequestLimits,
    /// Segments of one direction whose acknowledgement is awaited, for round-trip times. Wireshark
    /// stops at 10,000.
    pub unacked_segments: usize,
    /// Whether the figures of flows that changed come out at ticks; without, they come when the
    /// flow ends.
    pub progress: bool,
    /// Seed of the hash by which flows are found, to be drawn at random where strangers send the
    /// frames: who knows it can make flows that collide. No fact depends on it.
    pub hash_seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            decode: DecodeConfig::default(),
            flows: FlowLimits::default(),
            reassembly: ReassemblyLimits::default(),
            requests: RequestLimits::default(),
            unacked_segments: 10_000,
            progress: true,
            hash_seed: 0,
        }
    }
}

/// Limits of the flow table. Times are measured from the last packet of a flow, in frame time.
#[derive(Clone, Debug)]
pub struct FlowLimits {
    /// Flows in the table; when it is full the one that was idle for longest goes.
    pub max_flows: usize,
    /// TCP, established or joined mid-stream.
    pub established_idle: Duration,
    /// TCP, handshake not finished. Longer than the longest interval between repeated SYNs (64 s on
    /// Linux).
    pub handshake_idle: Duration,
    /// TCP, one side sent FIN.
    pub half_closed_idle: Duration,
    /// TCP, closed or reset: late packets still belong to the flow, its record comes out after this
    /// time.
    pub closed_linger: Duration,
    /// TCP, both sides sent FIN, and one of them was not acknowledged: it is repeated, on Linux
    /// after up to 120 s.
    pub closing_idle: Duration,
    /// UDP.
    pub udp_idle: Duration,
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self {
            max_flows: 262_144,
            established_idle: Duration::from_secs(3600),
            handshake_idle: Duration::from_secs(120),
            half_closed_idle: Duration::from_secs(600),
            closed_linger: Duration::from_secs(10),
            closing_idle: Duration::from_secs(130),
            udp_idle: Duration::from_secs(60),
        }
    }
}

/// Limits of reassembly. What waits for a hole costs its payload and
/// [`SEGMENT_OVERHEAD`](Self::SEGMENT_OVERHEAD).
#[derive(Clone, Debug)]
pub struct ReassemblyLimits {
    /// Bytes that one direction of one flow may keep waiting for a hole.
    pub stream_bytes: usize,
    /// Bytes that all flows together may keep waiting.
    pub total_bytes: usize,
    /// How long a hole is waited for after the first byte behind it was seen.
    pub hole_wait: Duration,
    /// How long a hole is waited for once its receiver acknowledged it: such bytes passed by
    /// without being captured, or the capture is out of order by less than this.
    pub acked_hole_wait: Duration,
}

impl ReassemblyLimits {
    /// Bytes that a waiting segment is counted for besides its payload.
    pub const SEGMENT_OVERHEAD: usize = 96;
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            stream_bytes: 4 << 20,
            total_bytes: 64 << 20,
            hole_wait: Duration::from_secs(10),
            acked_hole_wait: Duration::from_millis(5),
        }
    }
}
