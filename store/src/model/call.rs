//! A call: one exchange with all that was seen of it, and the calls that it caused.

use fact::{Outcome, Protocol};
use serde::{Deserialize, Serialize};

use super::{Attributes, Hop, Peer, SpanId, TcpTotals, text};

/// How it is known what caused a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The thread that made it went straight from what it had received to each of its next steps,
    /// from the request of the parent to its response.
    Thread,
    /// Both carry the same trace header.
    Header,
    /// It is a root: nothing known caused it.
    #[default]
    None,
}

/// What is known where it is not sure which request caused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// Requests that the process had in hand when it made the call.
    pub open_requests: u32,
}

/// One exchange with all that was seen of it: client process, taps in path order, server process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id, the same in every run on the same input.
    pub span_id: SpanId,
    /// Application protocol.
    #[serde(with = "text::protocol")]
    pub protocol: Protocol,
    /// Short name of what was asked, e.g. `GET`.
    pub operation: String,
    /// How it ended.
    #[serde(with = "text::outcome")]
    pub outcome: Outcome,
    /// What its messages contain.
    pub attributes: Attributes,
    /// The side that asks.
    pub client: Peer,
    /// The side that answers.
    pub server: Peer,
    /// Taps that it passed, in the order of the request's path.
    pub hops: Vec<Hop>,
    /// First sign of it, in nanoseconds since the epoch: the first byte of the request, or the
    /// opening of the connection where that was opened for it.
    pub start_unix_ns: u64,
    /// Last sign of it, in nanoseconds since the epoch: the last byte of the response, or the end
    /// of the wait for one.
    pub end_unix_ns: u64,
    /// Opening of the connection, repeats included, until the request began; none where the
    /// connection was there before, or its handshake was not captured. Connect, send, wait and
    /// transfer are those of the client's process, else of the first tap, and add up to the
    /// duration.
    #[serde(default)]
    pub connect_ns: Option<u64>,
    /// First to last byte of the request.
    #[serde(default)]
    pub send_ns: u64,
    /// Last byte of the request to the first of the response, or to the end of the wait; none where
    /// the request was not captured, or no response was expected.
    #[serde(default)]
    pub wait_ns: Option<u64>,
    /// First to last byte of the response.
    #[serde(default)]
    pub transfer_ns: u64,
    /// The part of the wait at the server's process, else beyond the last tap; none where all is
    /// known from a single point.
    #[serde(default)]
    pub service_ns: Option<u64>,
    /// The part of the wait for which request and response lay in sockets, until busy processes
    /// read them: what they took longer from a tap into a process than out of it.
    #[serde(default)]
    pub unread_ns: Option<u64>,
    /// The rest of the wait: the way between the client's and the server's process, else between
    /// the outermost taps.
    #[serde(default)]
    pub network_ns: Option<u64>,
    /// SYNs and SYN/ACKs that were sent again while the connection was opened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub syn_repeats: u32,
    /// How its parent is known.
    pub cause: Cause,
    /// Of a root: its process had requests in hand, of which one may have caused it.
    #[serde(default)]
    pub undecided: Option<Undecided>,
    /// The parent is only the likeliest of several.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guess: bool,
    /// What the transport suffered, over all taps.
    pub tcp: TcpTotals,
    /// Calls that it caused, by time.
    pub children: Vec<Call>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Call {
    /// Whether connect, send, wait and transfer say where the time went: they add up to the
    /// duration, except in traces that were kept by a version that did not know them.
    pub fn has_phases(&self) -> bool {
        let phases = [self.connect_ns.unwrap_or(0), self.send_ns, self.wait_ns.unwrap_or(0)];
        phases.iter().fold(self.transfer_ns, |sum, ns| sum.saturating_add(*ns))
            == self.duration_ns()
    }

    /// Nanoseconds from the first to the last sign of it.
    pub const fn duration_ns(&self) -> u64 {
        self.end_unix_ns.saturating_sub(self.start_unix_ns)
    }

    /// Whether it failed; calls of which bytes or the request were not captured do not count as
    /// failed.
    pub const fn is_error(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::ClientError | Outcome::ServerError | Outcome::NoResponse | Outcome::Reset
        )
    }
}
