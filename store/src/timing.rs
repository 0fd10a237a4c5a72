//! Where the time of a call went: its boundaries at the client's end, and the server's share.

use fact::MessageSpan;
use wire::Timestamp;

use crate::calls::{Observation, OpenCall};
use crate::path::Step;

/// Where the time of a call went, in nanoseconds. Connect, send, wait and receive add up to the
/// time from start to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) connect_ns: Option<u64>,
    pub(crate) syn_repeats: u32,
    pub(crate) send_ns: u64,
    pub(crate) wait_ns: Option<u64>,
    pub(crate) receive_ns: u64,
    pub(crate) service_ns: Option<u64>,
    pub(crate) network_ns: Option<u64>,
}

/// A request that begins later than this after the handshake did not wait for it, unless the
/// handshake itself took ten times as long: an event loop that is busy needs some milliseconds to
/// notice that its connection is there.
const FOLLOWS_AT_ONCE_NS: u64 = 10_000_000;

/// At one point of the path: when the last byte of the request passed it, and when the first of the
/// response did.
#[derive(Clone, Copy, Debug)]
struct Turn {
    request_last: Timestamp,
    response_first: Timestamp,
}

/// The times of a call with these hops. Those of its phases are of the outermost point on the
/// client's side: its process where that is known, else the first tap that saw the message.
pub(crate) fn timing(call: &OpenCall, steps: &[Step]) -> Timing {
    let request = steps.iter().find_map(|step| step.seen.request);
    let response = steps.iter().find_map(|step| step.response);
    let sent = call.client.as_ref().and_then(|side| side.sent).map(|sent| sent.min(call.start));
    let begin = sent.unwrap_or(call.start);
    let received = call.client.as_ref().and_then(|side| side.received);
    let end = received.map_or(call.end, |received| received.max(call.end));
    let first_received = call.client.as_ref().and_then(|side| side.first_received);

    let has_wait = steps.iter().any(|step| step.seen.waited_until.is_some());
    let request_last = request.map_or(begin, |m| later(begin, length(m)));
    let response_first = first_received.or(response);
    let (send_end, wait_end) = match (request, response_first) {
        (Some(_), Some(first)) => {
            let wait_end = first.clamp(begin, end);
            (request_last.min(wait_end), wait_end)
        }
        (Some(_), None) if has_wait => (request_last.min(end), end),
        (Some(_), None) => (end, end),
        (None, _) => (begin, begin),
    };
    let answers = request.is_some() && (response_first.is_some() || has_wait);

    let (connect, syn_repeats) = connect(call, steps, begin);
    let client = client_turn(sent, first_received, request_last, steps);
    let server = server_turn(call, steps);
    let apart = client.zip(server).filter(|((_, a), (_, b))| a != b);
    let service_ns = apart.map(|(_, (turn, _))| turn.response_first.nanos_since(turn.request_last));
    let network_ns = apart.zip(service_ns).map(|(((turn, _), _), service)| {
        turn.response_first.nanos_since(turn.request_last).saturating_sub(service)
    });
    Timing {
        start: connect.unwrap_or(begin),
        end,
        connect_ns: connect.map(|from| begin.nanos_since(from)),
        syn_repeats,
        send_ns: send_end.nanos_since(begin),
        wait_ns: answers.then(|| wait_end.nanos_since(send_end)),
        receive_ns: end.nanos_since(wait_end),
        service_ns,
        network_ns,
    }
}

/// When the client began to open the connection for this call, and how often the handshake was
/// repeated; none where the connection was there before.
fn connect(call: &OpenCall, steps: &[Step], begin: Timestamp) -> (Option<Timestamp>, u32) {
    let opened = steps.iter().find_map(|step| opened_for(&step.seen));
    let Some((syn, repeats)) = opened else { return (None, 0) };
    let by_process = call.client.as_ref().and_then(|side| side.opened);
    let from = by_process.map_or(syn, |at| at.min(syn)).min(begin);
    (Some(from), repeats)
}

/// Time of the first SYN, where the request followed the handshake at once.
fn opened_for(seen: &Observation) -> Option<(Timestamp, u32)> {
    let (took, connected) = seen.connect_ns.zip(seen.connected)?;
    let idle = seen.request?.first.nanos_since(connected.at);
    let at_once = idle <= FOLLOWS_AT_ONCE_NS.max(took / 10);
    let syn = Timestamp::from_nanos(connected.at.as_nanos().saturating_sub(took));
    at_once.then_some((syn, connected.repeats))
}

/// What a point is: a process, or the hop of this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Client,
    Hop(usize),
    Server,
}

fn client_turn(
    sent: Option<Timestamp>,
    first_received: Option<Timestamp>,
    request_last: Timestamp,
    steps: &[Step],
) -> Option<(Turn, Place)> {
    let by_process = sent
        .and(first_received)
        .map(|response_first| (Turn { request_last, response_first }, Place::Client));
    by_process.or_else(|| {
        let mut turns = steps.iter().enumerate();
        turns.find_map(|(i, step)| Some((turn(step)?, Place::Hop(i))))
    })
}

fn server_turn(call: &OpenCall, steps: &[Step]) -> Option<(Turn, Place)> {
    let by_process = call.server.as_ref().and_then(|side| {
        let (request_last, response_first) = side.last_received.zip(side.sent)?;
        Some((Turn { request_last, response_first }, Place::Server))
    });
    by_process.or_else(|| {
        let mut turns = steps.iter().enumerate().rev();
        turns.find_map(|(i, step)| Some((turn(step)?, Place::Hop(i))))
    })
}

fn turn(step: &Step) -> Option<Turn> {
    let request = step.seen.request?;
    let request_last = later(step.request?, length(request));
    Some(Turn { request_last, response_first: step.response? })
}

/// Nanoseconds from the first to the last byte of a message.
fn length(message: MessageSpan) -> u64 {
    message.last.nanos_since(message.first)
}

fn later(time: Timestamp, by_ns: u64) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(by_ns))
}
