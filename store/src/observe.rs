//! Finds the call that an exchange is another observation of.

use std::collections::VecDeque;
use std::time::Duration;

use fact::{Attributes, Exchange, Value};
use wire::{Endpoint, SeqRange, Timestamp, Transport};

use crate::call_id::CallId;
use crate::hash::Map;

/// Finds the call that an exchange is another observation of.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    by_ends: Map<(Transport, Endpoint, Endpoint), VecDeque<Seen>>,
    /// Streams keep their sequence numbers where addresses are translated.
    by_sequence: Map<(u32, u32), Seen>,
    /// Datagrams keep their transaction id and one of their ends.
    by_transaction: Map<(u32, Endpoint), Seen>,
    expiry: VecDeque<(Timestamp, Keys)>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    id: CallId,
    start: Timestamp,
    request: Option<SeqRange>,
    response: Option<SeqRange>,
    question: u64,
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
                let direct =
                    same.find(|seen| close(seen, windows.stream) && same_bytes(seen, &new));
                direct.or_else(|| {
                    let translated = self.by_sequence.get(&sequence(exchange)?)?;
                    close(&translated, windows.stream).then_some(translated)
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
                        close(&translated, windows.datagram) && translated.question == new.question;
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
                    self.by_sequence.insert(key, new);
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
                && self.by_sequence.get(&key).is_some_and(|seen| seen.id == keys.id)
            {
                self.by_sequence.remove(&key);
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
            + self.by_sequence.capacity() * (entry + 8)
            + self.by_transaction.capacity() * (entry + 28)
            + self.expiry.len() * (entry + size_of::<Keys>() + 8)
    }
}

fn seen(id: CallId, exchange: &Exchange) -> Seen {
    let range = |m: Option<fact::MessageSpan>| m.map(|m| m.seq);
    Seen {
        id,
        start: exchange.start(),
        request: range(exchange.request),
        response: range(exchange.response),
        question: question(&exchange.attributes, &exchange.operation),
    }
}

fn same_bytes(a: &Seen, b: &Seen) -> bool {
    match (a.request, b.request) {
        (Some(a), Some(b)) => a.overlaps(b),
        _ => matches!((a.response, b.response), (Some(a), Some(b)) if a.overlaps(b)),
    }
}

fn sequence(exchange: &Exchange) -> Option<(u32, u32)> {
    Some((exchange.request?.seq.start.0, exchange.response?.seq.start.0))
}

fn transaction(exchange: &Exchange) -> Option<u32> {
    exchange.request.or(exchange.response).map(|m| m.seq.start.0)
}

/// What was asked, as far as attributes show: the same transaction id with another question is
/// another exchange.
fn question(attributes: &Attributes, operation: &str) -> u64 {
    let name = match attributes.get("dns.question.name") {
        Some(Value::Text(name)) => name,
        _ => "",
    };
    crate::hash::Fingerprint::new()
        .with(operation.as_bytes())
        .with(&[0])
        .with(name.as_bytes())
        .bits64()
}
