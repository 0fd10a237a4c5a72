use std::time::Duration;

use wire::{Direction, SeqNum, Timestamp};

use super::{Entry, Kind, Messages, Order};
use fact::{MessageSpan, Outcome, Unanswered};

impl Messages {
    pub(super) fn close_index(&mut self, index: usize, kind: Kind, end: u64) {
        let direction = self.here.direction;
        let last = self.timelines[direction].at(end.saturating_sub(1));
        let base = self.here.base;
        let entry = self.entries.shut(index, kind);
        let own = entry.own_bytes(kind);
        let (span, start, torn) = match kind {
            Kind::Response => (&mut entry.exchange.response, entry.response_start, entry.response_torn),
            Kind::Request | Kind::OneWay => {
                (&mut entry.exchange.request, entry.request_start, entry.request_torn)
            }
        };
        if let Some(span) = span {
            finish(span, start, end, last, base);
            span.bytes = own.map_or(span.bytes, |own| own.bytes);
            span.whole = !torn;
        }
        if entry.is_whole() {
            let outcome = answered(entry);
            self.remove(index, outcome);
        }
    }

    /// The open message ends before `at`, unless more of it comes: nothing is amiss if nothing does.
    pub(crate) fn pause(&mut self, kind: Kind, id: u64, at: usize) {
        let Some(index) = self.open_index(kind, id) else { return };
        let end = self.here.offset + at as u64;
        let last = self.timelines[self.here.direction].at(end.saturating_sub(1));
        let base = self.here.base;
        let entry = &mut self.entries[index];
        let (span, start, torn) = match kind {
            Kind::Response => (&mut entry.exchange.response, entry.response_start, entry.response_torn),
            Kind::Request | Kind::OneWay => {
                (&mut entry.exchange.request, entry.request_start, entry.request_torn)
            }
        };
        if let Some(span) = span {
            finish(span, start, end, last, base);
            span.whole = !torn;
        }
    }

    /// The exchange goes out as it is.
    pub(super) fn remove(&mut self, index: usize, outcome: Outcome) {
        let Some(mut entry) = self.entries.remove(index) else { return };
        if entry.is_waiting()
            && !entry.notes.response_optional
            && !entry.is_unsure()
            && self.order == Order::InOrder
        {
            self.owed = self.owed.saturating_add(1);
        }
        if entry.notes.errors_only && !matches!(outcome, Outcome::ClientError | Outcome::ServerError) {
            let counts = &mut self.counts;
            counts.quietly |= entry.exchange.request.is_some() && entry.exchange.response.is_some();
            counts.requests = counts.requests.saturating_sub(u64::from(entry.exchange.request.is_some()));
            counts.responses = counts.responses.saturating_sub(u64::from(entry.exchange.response.is_some()));
            return self.recycle(entry);
        }
        entry.exchange.outcome = outcome;
        let (now, before) = (&self.here.trouble, &entry.before);
        let tcp = &mut entry.exchange.tcp;
        tcp.retransmissions = u64::from(now.retransmissions.saturating_sub(before.retransmissions));
        tcp.out_of_order = u64::from(now.out_of_order.saturating_sub(before.out_of_order));
        tcp.zero_windows = u64::from(now.zero_windows.saturating_sub(before.zero_windows));
        tcp.missing_bytes = now.missing_bytes.saturating_sub(before.missing_bytes);
        if !matches!(outcome, Outcome::Ok | Outcome::NoRequest) {
            self.counts.errors += 1;
        }
        self.done.push_back(entry);
    }

    /// The request will not be answered. The exchange goes out as it is.
    pub(super) fn give_up_on(&mut self, index: usize, why: Unanswered) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let outcome = match why {
            Unanswered::Reset => Outcome::Reset,
            _ if entry.is_unsure() => Outcome::LostBytes,
            _ if entry.notes.response_optional => Outcome::Ok,
            _ => Outcome::NoResponse,
        };
        if !matches!(outcome, Outcome::LostBytes | Outcome::Ok) {
            entry.exchange.attributes.push_text(Unanswered::KEY, why.as_str());
        }
        self.remove(index, outcome);
    }

    /// The server will not answer the oldest request that waits: because what came before it in the same batch failed, or because
    /// it asked for no answer where all is well.
    pub(crate) fn skip_request(&mut self) {
        if self.owed > 0 {
            self.owed -= 1;
            return;
        }
        let asker = self.here.direction.reverse();
        if let Some(index) = self.entries.position(None, |e| e.is_waiting() && e.asker == asker) {
            self.give_up_on(index, Unanswered::Skipped);
            self.owed = self.owed.saturating_sub(1);
        }
    }

    /// The bytes that are skipped next belong to the message of this id, and to no other that is open.
    pub(crate) fn skip_belongs_to(&mut self, id: u64) {
        self.skipped[self.here.direction] = Some(id);
    }

    /// Bytes of the open messages of a direction are missing; `skipped`: only such as were to be skipped.
    pub(crate) fn tear(&mut self, direction: Direction, skipped: bool) {
        let only = self.skipped[direction].filter(|_| skipped);
        let open = self.entries.open_count(Kind::Request, direction)
            + self.entries.open_count(Kind::Response, direction.reverse());
        if open == 0 {
            return;
        }
        for entry in self.entries.iter_mut().filter(|e| only.is_none_or(|id| id == e.id)) {
            if entry.asker == direction {
                entry.request_torn |= entry.request_open;
            } else {
                entry.response_torn |= entry.response_open;
            }
        }
    }

    /// The exchange of this id ends, whatever of it is open. `why`: nothing more will come, where its response is not whole. `note`
    /// may add to it. A request that was answered before its end needs no more of it: it is whole as it is.
    pub(crate) fn abort(&mut self, id: u64, why: Unanswered, note: impl FnOnce(&mut Entry)) {
        let Some(index) = self.entries.position(Some(id), |_| true) else { return };
        let entry = &mut self.entries[index];
        note(entry);
        let enough = entry.request_open && !entry.request_torn && !entry.response_open;
        let answered = entry.exchange.response.is_some();
        if let Some(request) = entry.exchange.request.as_mut().filter(|_| enough && answered) {
            request.whole = true;
        }
        self.conclude(index, why);
    }

    /// Whatever is unfinished goes out.
    pub(crate) fn finish(&mut self, why: Unanswered) {
        while let Some(entry) = self.entries.front() {
            // It may have been answered before.
            let unsure = entry.is_unsure() && entry.is_waiting();
            self.conclude(0, if unsure { Unanswered::Closed } else { why });
        }
        self.owed = 0;
    }

    fn conclude(&mut self, index: usize, why: Unanswered) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        for (kind, open) in [(Kind::Request, entry.request_open), (Kind::Response, entry.response_open)] {
            if !open {
                continue;
            }
            let direction = if kind == Kind::Request { entry.asker } else { entry.asker.reverse() };
            let own = entry.own_bytes(kind);
            let exchange = &mut entry.exchange;
            let (span, start) = match kind {
                Kind::Response => (&mut exchange.response, entry.response_start),
                Kind::Request | Kind::OneWay => (&mut exchange.request, entry.request_start),
            };
            let seen = self.timelines[direction].end();
            let end = own.map_or(seen, |own| own.end.min(seen));
            let last = self.timelines[direction].at(end.saturating_sub(1));
            if let Some(span) = span {
                let base = self.here.base.map(|_| SeqNum(span.seq.start.0.wrapping_sub(start as u32)));
                finish(span, start, end.max(start), last, base);
                span.bytes = own.map_or(span.bytes, |own| own.bytes);
            }
        }
        if entry.is_waiting() {
            let closed = why == Unanswered::InputEnd && self.ended[entry.asker.reverse()];
            return self.give_up_on(index, if closed { Unanswered::Closed } else { why });
        }
        let open = entry.response_open || (entry.one_way && entry.request_open);
        let outcome = if why == Unanswered::Reset && open { Outcome::Reset } else { answered(entry) };
        self.remove(index, outcome);
    }

    /// Requests that waited longer than `wait` go out.
    pub(crate) fn expire(&mut self, now: Timestamp, wait: Duration) {
        while let Some(entry) = self.entries.front() {
            let Some(request) = entry.exchange.request.filter(|_| entry.is_waiting() && !entry.request_open)
            else {
                return;
            };
            if request.last + wait > now {
                return;
            }
            self.give_up_on(0, Unanswered::TimedOut);
        }
    }
}

pub(super) fn finish(span: &mut MessageSpan, start: u64, end: u64, last: Timestamp, base: Option<SeqNum>) {
    span.bytes = end.saturating_sub(start);
    // A message may end before the first of its bytes was seen.
    span.last = last.max(span.first);
    if let Some(base) = base {
        span.seq.end = base.plus(end as u32);
    }
}

pub(super) fn answered(entry: &Entry) -> Outcome {
    if entry.exchange.request.is_none() {
        Outcome::NoRequest
    } else if entry.exchange.outcome == Outcome::Ok
        && (entry.is_unsure() || entry.exchange.response.is_some_and(|r| !r.whole))
    {
        Outcome::LostBytes
    } else {
        entry.exchange.outcome
    }
}
