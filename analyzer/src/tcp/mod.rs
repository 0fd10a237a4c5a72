//! TCP: reassembly into chunks, Wireshark's analysis, our own measures, states and close reasons.

mod analysis;
#[cfg(test)]
mod analysis_tests;
mod budget;
mod connection;
mod diagnosis;
mod findings;
mod lifecycle;
mod marks;
mod out_of_order_queue;
mod recovery;
mod round_trip;
mod samples;
mod segment;
mod side_counters;
mod stream;
#[cfg(test)]
mod stream_tests;
mod unacked;

pub(crate) use budget::Budget;
pub(crate) use connection::Connection;
pub(crate) use lifecycle::{EndCause, Phase};
pub(crate) use segment::Segment;
pub(crate) use stream::{Reassembled, Stream};

use analysis::{Analysis, Verdict};
use diagnosis::{Diagnosis, SideState};
use findings::Findings;
use l7::{Chunk, Health, RoundTrips, TroubleCounts};
use lifecycle::Lifecycle;
use out_of_order_queue::OutOfOrderQueue;
use recovery::{Recovery, Retransmission, RetransmissionKind};
use round_trip::{Judgement, RoundTrip, RttFloor};
use samples::{Distribution, Samples};
use side_counters::SideCounters;
use unacked::{Acked, Copies, Sent, Unacked};
