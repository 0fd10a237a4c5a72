//! The longest part of a trace, in words.

use fact::Outcome;
use store::{Call, Culprit, Part, Place, Point, Trace, culprit, points};
use wire::Direction;

use super::path::{name, who};
use super::title::title;
use crate::output::printable::printable;
use crate::output::{bytes, nanos};

/// The longest part of a trace; none where nothing took any time.
pub(super) struct Longest<'a>(Option<Culprit<'a>>);

impl<'a> Longest<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        Self(culprit(&trace.root))
    }

    /// Whether it is this part of this call.
    pub(super) fn is(&self, call: &Call, part: Part) -> bool {
        self.0.is_some_and(|longest| std::ptr::eq(longest.call, call) && longest.part == part)
    }

    /// One line that names it: `most of the time: 702 ms (98 %) served in redis-server[812]`.
    pub(super) fn line(&self, trace: &Trace) -> Option<String> {
        let longest = self.0.as_ref()?;
        let (took, total) = (longest.duration_ns, trace.root.duration_ns());
        let label =
            if took.saturating_mul(2) >= total { "most of the time" } else { "longest part" };
        // What goes on in the background may take longer than its trace.
        let share = match u128::from(took) * 100 / u128::from(total.max(1)) {
            percent @ 0..=100 => format!(" ({percent} %)"),
            _ => String::new(),
        };
        let (what, why) = what(longest);
        let call = title(longest.call);
        Some(printable(&format!("{label}: {}{share} {what} · {call}{why}", nanos(took))))
    }
}

/// What the longest part of a trace is in a few words, for a list: `702 ms in redis-server`.
pub(crate) fn in_short(trace: &Trace) -> String {
    let Some(longest) = culprit(&trace.root) else { return String::new() };
    let call = longest.call;
    let name = |peer: &store::Peer| {
        peer.name().map_or_else(|| peer.address.to_string(), ToOwned::to_owned)
    };
    let (client, server) = (name(&call.client), name(&call.server));
    let what = match longest.part {
        Part::Connect => format!("connect to {server}"),
        Part::Send => format!("send to {server}"),
        Part::Service => format!("in {server}"),
        Part::Wait if is_unanswered(call) => format!("no response of {server}"),
        Part::Wait => format!("wait for {server}"),
        Part::Transfer => format!("transfer from {server}"),
        Part::Step { to, .. } => match points(call).get(to).map(|point| point.place) {
            Some(Place::Client) => format!("until {client} read"),
            Some(Place::Server) => format!("until {server} read"),
            _ => format!("network {client} ↔ {server}"),
        },
    };
    format!("{} {what}", nanos(longest.duration_ns))
}

/// What it is, and what is known of its cause.
fn what(longest: &Culprit<'_>) -> (String, String) {
    let call = longest.call;
    let (client, server) = (who(&call.client), who(&call.server));
    let nothing = String::new();
    match longest.part {
        Part::Connect => (format!("connect from {client} to {server}"), repeats(call)),
        Part::Send => {
            let size = size(call, |hop| hop.request);
            (format!("sending the {size}request from {client} to {server}"), nothing)
        }
        Part::Service if call.server.process.is_some() => (format!("served in {server}"), nothing),
        Part::Service => (format!("served by {server}, beyond {}", last_tap(call)), nothing),
        Part::Wait if is_unanswered(call) => {
            let end = match call.outcome {
                Outcome::Reset => ": reset",
                _ => ": none came",
            };
            (format!("waiting for a response of {server}"), end.to_owned())
        }
        Part::Wait => (format!("waiting for {server}, beyond {}", last_tap(call)), nothing),
        Part::Transfer => {
            let size = size(call, |hop| hop.response);
            (format!("transfer of the {size}response from {server} to {client}"), nothing)
        }
        Part::Step { direction, to } => (step(call, direction, to), nothing),
    }
}

fn step(call: &Call, direction: Direction, to: usize) -> String {
    let points = points(call);
    let (from, message) = match direction {
        Direction::ToServer => (to.checked_sub(1), "request"),
        Direction::ToClient => (to.checked_add(1), "response"),
    };
    let whose = |point: &Point<'_>| match point.place {
        Place::Client => who(&call.client),
        Place::Server => who(&call.server),
        Place::Hop(_) => name(call, point),
    };
    let named = |point: Option<&Point<'_>>| point.map(whose).unwrap_or_default();
    let target = points.get(to);
    let reads = target.is_some_and(|point| !matches!(point.place, Place::Hop(_)));
    let (from, target) = (named(from.and_then(|from| points.get(from))), named(target));
    match reads {
        true => format!("from {from} until {target} had read the {message}"),
        false => format!("from {from} to {target} for the {message}"),
    }
}

/// Whether a response was waited for and none came.
fn is_unanswered(call: &Call) -> bool {
    call.hops.iter().all(|hop| hop.response.is_none())
}

fn repeats(call: &Call) -> String {
    match call.syn_repeats {
        0 => String::new(),
        1 => ": SYN sent again".to_owned(),
        // SYN/ACKs count too.
        n => format!(": {n} packets of the handshake sent again"),
    }
}

/// Length of a message with a space behind it, where it is known.
fn size(call: &Call, message: impl Fn(&store::Hop) -> Option<store::Message>) -> String {
    let length = call.hops.iter().filter_map(message).map(|message| message.bytes).max();
    length.map(|length| format!("{} ", bytes(length))).unwrap_or_default()
}

fn last_tap(call: &Call) -> &str {
    call.hops.last().map_or("the last tap", |hop| &hop.tap)
}
