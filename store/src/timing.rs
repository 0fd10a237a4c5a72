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
    pub(crate) unread_ns: Option<u64>,
    pub(crate) network_ns: Option<u64>,
}

/// A request that begins later than this after the handshake did not wait for it, unless the
/// handshake itself took ten times as long: an event loop that is busy needs some milliseconds to
/// notice that its connection is there.
const FOLLOWS_AT_ONCE_NS: u64 = 10_000_000;

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
    let client =
        sent.and(first_received).map(|response_first| Turn { request_last, response_first });
    let split = split(client, server_turn(call), steps);
    Timing {
        start: connect.unwrap_or(begin),
        end,
        connect_ns: connect.map(|from| begin.nanos_since(from)),
        syn_repeats,
        send_ns: send_end.nanos_since(begin),
        wait_ns: answers.then(|| wait_end.nanos_since(send_end)),
        receive_ns: end.nanos_since(wait_end),
        service_ns: split.map(|split| split.service_ns),
        unread_ns: split.map(|split| split.unread_ns),
        network_ns: split.map(|split| split.network_ns),
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

/// At one point of the path: when the last byte of the request passed it, and when the first of the
/// response did.
#[derive(Clone, Copy, Debug)]
struct Turn {
    request_last: Timestamp,
    response_first: Timestamp,
}

impl Turn {
    fn ns(self) -> u64 {
        self.response_first.nanos_since(self.request_last)
    }
}

/// What the wait for a response consists of.
#[derive(Clone, Copy, Debug)]
struct Split {
    service_ns: u64,
    unread_ns: u64,
    network_ns: u64,
}

/// Splits the time between the outermost points: the processes at both ends where they are known,
/// else taps. None where there is a single point.
///
/// Between a process and the tap next to it the way out tells how long the way in takes: the kernel
/// sends at once what it is given, but what arrives waits until a busy process reads it. What the
/// way in took longer is that wait. Where something was sent again nothing is known of it.
fn split(client: Option<Turn>, server: Option<Turn>, steps: &[Step]) -> Option<Split> {
    let turns = || steps.iter().filter_map(|step| Some((step, turn(step)?)));
    let (near, far) = (turns().next(), turns().next_back());
    let is_one_tap = turns().nth(1).is_none();
    if is_one_tap && client.is_none() && server.is_none() {
        return None;
    }
    let outer = client.or(near.map(|(_, turn)| turn))?.ns();
    let inner = server.or(far.map(|(_, turn)| turn))?.ns();
    let calm = |step: &Step| step.seen.tcp.retransmissions == 0;
    let at_client =
        client.zip(near).filter(|(_, (step, _))| calm(step)).map(|(process, (_, tap))| {
            let way_out = tap.request_last.nanos_since(process.request_last);
            process.response_first.nanos_since(tap.response_first).saturating_sub(way_out)
        });
    let at_server =
        server.zip(far).filter(|(_, (step, _))| calm(step)).map(|(process, (_, tap))| {
            let way_out = tap.response_first.nanos_since(process.response_first);
            process.request_last.nanos_since(tap.request_last).saturating_sub(way_out)
        });
    let between = outer.saturating_sub(inner);
    let unread = at_client.unwrap_or(0).saturating_add(at_server.unwrap_or(0)).min(between);
    Some(Split { service_ns: inner, unread_ns: unread, network_ns: between - unread })
}

fn server_turn(call: &OpenCall) -> Option<Turn> {
    let side = call.server.as_ref()?;
    let (request_last, response_first) = side.last_received.zip(side.sent)?;
    Some(Turn { request_last, response_first })
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
