//! Finds the call that an exchange is another observation of.
//!
//! On one connection overlapping sequence ranges make two exchanges one call. Where addresses were
//! translated both sequence ranges must be equal, the messages must say the same, and one exchange
//! must have passed inside of the other: kernels choose sequence numbers at random, programs that
//! generate captures do not.

use std::collections::VecDeque;
use std::time::Duration;

use fact::{Exchange, FlowId, Protocol, Value};
use wire::{Endpoint, SeqRange, TapId, Timestamp, Transport};

use crate::call_id::CallId;
use crate::hash::{Fingerprint, Map};

/// Finds the call that an exchange is another observation of.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    by_ends: Map<(Transport, Endpoint, Endpoint), VecDeque<Seen>>,
    /// Streams keep their sequence numbers where addresses are translated; oldest first.
    by_sequence: Map<(u32, u32), Vec<Seen>>,
    /// Datagrams keep their transaction id and one of their ends.
    by_transaction: Map<(u32, Endpoint), Seen>,
    expiry: VecDeque<(Timestamp, Keys)>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    id: CallId,
    tap: TapId,
    flow: FlowId,
    ends: (Endpoint, Endpoint),
    start: Timestamp,
    end: Timestamp,
    request: Option<SeqRange>,
    response: Option<SeqRange>,
    protocol: Protocol,
    /// Operation; for a request that was not captured, that of nothing.
    operation: u64,
    /// What both messages say.
    content: u64,
}

#[derive(Clone, Copy, Debug)]
struct Keys {
    id: CallId,
    ends: (Transport, Endpoint, Endpoint),
    sequence: Option<(u32, u32)>,
    transaction: Option<u32>,
}

/// Limits within which two observations are of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub(crate) stream: Duration,
    pub(crate) datagram: Duration,
}

/// Most recent exchanges of one connection that are compared.
const PER_CONNECTION: usize = 256;
/// Exchanges with the same two sequence numbers that are compared.
const PER_SEQUENCE: usize = 16;

impl Observed {
    /// The call that `exchange` belongs to, if one is known.
    pub(crate) fn find(&self, exchange: &Exchange, windows: Windows) -> Option<CallId> {
        let new = seen(0, exchange);
        let close = |seen: &&Seen, window: Duration| {
            seen.start.max(new.start) - seen.start.min(new.start) <= window
        };
        let ends = (exchange.transport, exchange.client, exchange.server);
        let mut same = self.by_ends.get(&ends).into_iter().flatten().rev();
        match exchange.transport {
            Transport::Tcp => {
                let direct = same.find(|seen| {
                    close(seen, windows.stream) && same_bytes(seen, &new) && agree(seen, &new)
                });
                direct.or_else(|| {
                    let mut translated = self.by_sequence.get(&sequence(exchange)?)?.iter().rev();
                    translated
                        .find(|seen| close(seen, windows.stream) && is_translation(seen, &new))
                })
            }
            Transport::Udp => {
                let id = transaction(exchange)?;
                let direct = same.find(|seen| {
                    close(seen, windows.datagram)
                        && seen.request.or(seen.response).is_some_and(|r| r.start.0 == id)
                });
                direct.or_else(|| {
                    let ends = [exchange.client, exchange.server];
                    let translated =
                        ends.iter().find_map(|end| self.by_transaction.get(&(id, *end)))?;
                    let same =
                        close(&translated, windows.datagram) && same_question(translated, &new);
                    same.then_some(translated)
                })
            }
        }
        .map(|seen| seen.id)
    }

    /// Remembers that `exchange` is of call `id`.
    pub(crate) fn note(&mut self, id: CallId, exchange: &Exchange, now: Timestamp) {
        let new = seen(id, exchange);
        let ends = (exchange.transport, exchange.client, exchange.server);
        let list = self.by_ends.entry(ends).or_default();
        list.push_back(new);
        if list.len() > PER_CONNECTION {
            list.pop_front();
        }
        let (mut by_sequence, mut by_transaction) = (None, None);
        match exchange.transport {
            Transport::Tcp => {
                by_sequence = sequence(exchange);
                if let Some(key) = by_sequence {
                    let list = self.by_sequence.entry(key).or_default();
                    list.push(new);
                    if list.len() > PER_SEQUENCE {
                        list.remove(0);
                    }
                }
            }
            Transport::Udp => {
                by_transaction = transaction(exchange);
                if let Some(key) = by_transaction {
                    self.by_transaction.insert((key, exchange.client), new);
                    self.by_transaction.insert((key, exchange.server), new);
                }
            }
        }
        self.expiry.push_back((
            now,
            Keys { id, ends, sequence: by_sequence, transaction: by_transaction },
        ));
    }

    /// Forgets what was noted before `before`, and the oldest beyond `limit`.
    pub(crate) fn expire(&mut self, before: Timestamp, limit: usize) {
        while let Some(&(at, keys)) = self.expiry.front() {
            if at >= before && self.expiry.len() <= limit {
                break;
            }
            self.expiry.pop_front();
            if let Some(list) = self.by_ends.get_mut(&keys.ends) {
                if let Some(at) = list.iter().position(|seen| seen.id == keys.id) {
                    list.remove(at);
                }
                if list.is_empty() {
                    self.by_ends.remove(&keys.ends);
                }
            }
            if let Some(key) = keys.sequence
                && let Some(list) = self.by_sequence.get_mut(&key)
            {
                list.retain(|seen| seen.id != keys.id);
                if list.is_empty() {
                    self.by_sequence.remove(&key);
                }
            }
            for end in [keys.ends.1, keys.ends.2] {
                if let Some(id) = keys.transaction
                    && self.by_transaction.get(&(id, end)).is_some_and(|seen| seen.id == keys.id)
                {
                    self.by_transaction.remove(&(id, end));
                }
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let entry = size_of::<Seen>();
        self.by_ends.capacity() * 96
            + self.by_sequence.capacity() * (2 * entry + 32)
            + self.by_transaction.capacity() * (entry + 28)
            + self.expiry.len() * (entry + size_of::<Keys>() + 8)
    }
}

fn seen(id: CallId, exchange: &Exchange) -> Seen {
    let range = |m: Option<fact::MessageSpan>| m.map(|m| m.seq);
    Seen {
        id,
        tap: exchange.tap,
        flow: exchange.flow,
        ends: (exchange.client, exchange.server),
        start: exchange.start(),
        end: exchange.end(),
        request: range(exchange.request),
        response: range(exchange.response),
        protocol: exchange.protocol,
        operation: Fingerprint::new().with(exchange.operation.as_bytes()).bits64(),
        content: content(exchange),
    }
}

fn same_bytes(a: &Seen, b: &Seen) -> bool {
    match (a.request, b.request) {
        (Some(a), Some(b)) => a.overlaps(b),
        _ => matches!((a.response, b.response), (Some(a), Some(b)) if a.overlaps(b)),
    }
}

/// Whether two exchanges of one connection may be the same. Taps may take the bytes for different
/// protocols, and one may have missed the request; a protocol that both know has one operation. At
/// one tap the same connection passes in several flows only where it is carried in several ways,
/// and then at the same time.
fn agree(a: &Seen, b: &Seen) -> bool {
    let both_asked = a.request.is_some() && b.request.is_some();
    let same_operation = a.protocol != b.protocol || !both_asked || a.operation == b.operation;
    let other_tap = a.tap != b.tap;
    same_operation && (other_tap || (a.flow != b.flow && a.start <= b.end && b.start <= a.end))
}

/// Whether `a` and `b` are one exchange before and after a translation of addresses. At one tap, as
/// on a bridge that a translated packet passes again, one of the ends must be the same.
fn is_translation(a: &Seen, b: &Seen) -> bool {
    let inside = |outer: &Seen, inner: &Seen| outer.start <= inner.start && inner.end <= outer.end;
    let shares_end = a.ends.0 == b.ends.0 || a.ends.1 == b.ends.1;
    (a.request, a.response) == (b.request, b.response)
        && (a.protocol, a.operation, a.content) == (b.protocol, b.operation, b.content)
        && (inside(a, b) || inside(b, a))
        && (a.tap != b.tap || (a.flow != b.flow && shares_end))
}

/// Whether the same was asked: the same transaction id with another question is another exchange.
fn same_question(a: &Seen, b: &Seen) -> bool {
    (a.protocol, a.operation, a.content) == (b.protocol, b.operation, b.content)
}

fn sequence(exchange: &Exchange) -> Option<(u32, u32)> {
    Some((exchange.request?.seq.start.0, exchange.response?.seq.start.0))
}

fn transaction(exchange: &Exchange) -> Option<u32> {
    exchange.request.or(exchange.response).map(|m| m.seq.start.0)
}

/// Fingerprint of what the messages say. Of datagrams, whose response one tap may have missed, it
/// is the name that was asked for.
fn content(exchange: &Exchange) -> u64 {
    if exchange.transport == Transport::Udp {
        let name = match exchange.attributes.get("dns.question.name") {
            Some(Value::Text(name)) => name,
            _ => "",
        };
        return Fingerprint::new().with(name.as_bytes()).bits64();
    }
    // The order in which a parser finds attributes is the same at all taps.
    let id = exchange.attributes.iter().fold(Fingerprint::new(), |id, (key, value)| {
        let id = id.with(key.as_bytes()).with(&[0]);
        match value {
            Value::Text(text) => id.with(text.as_bytes()).with(&[1]),
            Value::Int(n) => id.with(&n.to_be_bytes()),
            Value::Bool(b) => id.with(&[u8::from(b)]),
        }
    });
    id.bits64()
}
