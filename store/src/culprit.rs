//! Where most of the time of a trace went: the longest part of a call that no call below explains.

use wire::Direction;

use crate::model::{Call, LongestPart, PartKind};
use crate::points::points;

/// The longest part of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Culprit<'a> {
    /// The call that it is a part of.
    pub call: &'a Call,
    /// What it is.
    pub part: Part,
    /// How long it took, without what calls below took meanwhile.
    pub duration_ns: u64,
}

/// A part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Opening the connection.
    Connect,
    /// First to last byte of the request.
    Send,
    /// The service at the server's end, without the calls that it made.
    Service,
    /// The wait for a response, where it is not known what the network had of it, or none came.
    Wait,
    /// First to last byte of the response.
    Transfer,
    /// The way of the first byte from one of the call's [`points`] to the neighbour.
    Step {
        /// Of the request or of the response.
        direction: Direction,
        /// Index of the point that it came to.
        to: usize,
    },
}

impl Culprit<'_> {
    /// As it is kept with a trace.
    pub(crate) const fn record(&self) -> LongestPart {
        let part = match self.part {
            Part::Connect => PartKind::Connect,
            Part::Send => PartKind::Send,
            Part::Service => PartKind::Service,
            Part::Wait => PartKind::Wait,
            Part::Transfer => PartKind::Transfer,
            Part::Step { direction: Direction::ToServer, .. } => PartKind::RequestStep,
            Part::Step { direction: Direction::ToClient, .. } => PartKind::ResponseStep,
        };
        LongestPart { span_id: self.call.span_id, part, duration_ns: self.duration_ns }
    }
}

/// The longest part of the calls of a tree; the first of several that took equally long. None if
/// nothing took any time.
pub fn culprit(root: &Call) -> Option<Culprit<'_>> {
    let mut longest: Option<Culprit<'_>> = None;
    let mut stack = vec![root];
    while let Some(call) = stack.pop() {
        parts(call, |part, duration_ns| {
            if duration_ns > longest.map_or(0, |longest| longest.duration_ns) {
                longest = Some(Culprit { call, part, duration_ns });
            }
        });
        stack.extend(call.children.iter().rev());
    }
    longest
}

/// Nanoseconds that the service at the server's end of a call took itself: without those in which
/// one of the calls below went on.
pub fn own_service_ns(call: &Call) -> Option<u64> {
    let [_, _, send_end, wait_end, _] = boundaries(call);
    Some(call.service_ns?.saturating_sub(below(call, send_end, wait_end)))
}

fn parts(call: &Call, mut each: impl FnMut(Part, u64)) {
    let [start, begin, send_end, wait_end, end] = boundaries(call);
    let own = |from: u64, to: u64| to.saturating_sub(from).saturating_sub(below(call, from, to));
    each(Part::Connect, begin.saturating_sub(start));
    each(Part::Send, own(begin, send_end));
    match own_service_ns(call) {
        Some(service) => {
            each(Part::Service, service);
            for (to, point) in points(call).iter().enumerate() {
                let steps = [
                    (Direction::ToServer, point.request_step_ns),
                    (Direction::ToClient, point.response_step_ns),
                ];
                for (direction, step) in steps {
                    each(Part::Step { direction, to }, step.unwrap_or(0));
                }
            }
        }
        None => each(Part::Wait, own(send_end, wait_end)),
    }
    each(Part::Transfer, own(wait_end, end));
}

/// Start of the call, of its request, of the wait, of the response, and end of the call. Where the
/// phases are not known all time is that of the wait.
fn boundaries(call: &Call) -> [u64; 5] {
    let (start, end) = (call.start_unix_ns, call.end_unix_ns);
    if !call.has_phases() {
        return [start, start, start, end, end];
    }
    let begin = start.saturating_add(call.connect_ns.unwrap_or(0));
    let send_end = begin.saturating_add(call.send_ns);
    [start, begin, send_end, send_end.saturating_add(call.wait_ns.unwrap_or(0)), end]
}

/// Nanoseconds between `from` and `to` in which at least one of the calls below went on.
fn below(call: &Call, from: u64, to: u64) -> u64 {
    let (mut covered, mut until) = (0, from);
    // By their starts.
    for child in &call.children {
        let (start, end) = (child.start_unix_ns.max(until), child.end_unix_ns.min(to));
        covered += end.saturating_sub(start);
        until = until.max(end);
    }
    covered
}
