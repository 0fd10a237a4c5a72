//! TCP: reassembly into chunks, Wireshark's analysis, our own measures, states and close reasons.

mod analysis;
#[cfg(test)]
mod analysis_tests;
mod budget;
mod connection;
mod diagnosis;
mod findings;
mod held;
mod marks;
mod progress;
mod recovery;
mod samples;
mod segment;
mod stream;
#[cfg(test)]
mod stream_tests;
mod troubles;
mod unacked;

pub(crate) use budget::Budget;
pub(crate) use connection::Connection;
pub(crate) use progress::{Cause, Phase};
pub(crate) use segment::Segment;
pub(crate) use stream::{Outcome, Stream};

use analysis::Analysis;
use diagnosis::{Symptom, Symptoms};
use findings::Findings;
use held::Held;
use l7::{Chunk, Health, RoundTrips, TroubleCounts};
use progress::Progress;
use recovery::{Circumstance, Recovery, Repeat};
use samples::{Distribution, Samples};
use troubles::Troubles;
use unacked::Unacked;
