//! What the analyzer finds: one enum of facts, and the trait of those who take them.

#![forbid(unsafe_code)]

mod attributes;
mod exchange;
mod flow_id;
mod flow_record;
mod latency;
mod protocol;
mod reasons;
mod rtt_left_out;
mod tcp_counters;
mod trouble;

pub use attributes::{Attributes, Value};
pub use exchange::{Connected, Exchange, MessageSpan, Outcome, Phases, TcpTrouble};
pub use flow_id::FlowId;
pub use flow_record::{
    ClientBy, DirectionRecord, FlowOpening, FlowRecord, Handshake, L7Summary, Timing, TunnelRecord,
};
pub use latency::{Latencies, LatencyHistogram};
pub use protocol::Protocol;
pub use reasons::{CloseReason, FlowState, Inference, Table, Unanswered};
pub use rtt_left_out::{RttLeftOut, RttLeftOutCounts};
pub use tcp_counters::{Metric, TcpCounter, TcpCounters};
pub use trouble::{Notes, Trouble};

use wire::TapId;
use wire::decode::Undecoded;

/// One finding. Facts borrow from the analyzer: a sink that keeps one clones it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fact<'a> {
    /// The first packet of a flow was seen.
    FlowOpened(&'a FlowOpening),
    /// Figures so far of a flow that is still open; made at ticks, for flows that changed.
    /// Cumulative.
    FlowProgress(&'a FlowRecord),
    /// Final figures of a flow. Cumulative: includes those of `FlowProgress`.
    FlowClosed(&'a FlowRecord),
    /// A request and its response, or one without the other.
    Exchange(&'a Exchange),
    /// A frame gave no packet.
    Undecoded {
        /// Where it was seen.
        tap: TapId,
        /// Why.
        reason: Undecoded,
    },
    /// A packet of a TCP connection came after the final figures of its flow: a repeated FIN, or a
    /// late RST or ACK.
    Stray {
        /// Where it was seen.
        tap: TapId,
    },
    /// Bytes of a stream that were never captured and are no longer waited for.
    StreamGap {
        /// Where.
        tap: TapId,
        /// How many bytes.
        bytes: u64,
    },
    /// The protocol of a conversation was recognised, revised, or not found.
    Inference {
        /// Where.
        tap: TapId,
        /// What happened.
        result: Inference,
        /// How many times.
        times: u64,
    },
    /// A bounded table was full and an entry had to go before its time.
    Evicted {
        /// Which table.
        table: Table,
        /// How many entries.
        entries: u64,
    },
}

/// Takes facts. A sink that observes wraps another and passes everything on.
pub trait Sink {
    /// Takes one fact.
    fn emit(&mut self, fact: Fact<'_>);
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn emit(&mut self, fact: Fact<'_>) {
        (**self).emit(fact);
    }
}
