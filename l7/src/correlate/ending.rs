//! How exchanges end: answered, given up, cut off by the end of the connection.

use std::time::Duration;

use wire::{Direction, Timestamp};

use super::correlator::Correlator;
use super::entry::Entry;
use super::kind::Kind;
use super::pool::EntryPool;
use super::position::EndMark;
use fact::{Outcome, Unanswered};

impl Correlator {
    /// When the byte before `end` passed that belongs to a message of this kind.
    fn passed(&self, asker: Direction, kind: Kind, end: u64) -> Timestamp {
        let direction = if kind == Kind::Response { asker.reverse() } else { asker };
        self.timelines[direction].at(end.saturating_sub(1))
    }

    /// An open message ends before stream offset `end`.
    pub(super) fn close(&mut self, index: usize, kind: Kind, end: u64, pool: &mut EntryPool) {
        let passed = self.passed(self.queue[index].asker, kind, end);
        self.queue.close(index, kind).set_end(kind, end, passed);
        self.remove_complete(index, pool);
    }

    /// The open message at this place ends before stream offset `end` unless more of it comes.
    pub(super) fn pause(&mut self, index: usize, kind: Kind, end: u64) {
        let passed = self.passed(self.queue[index].asker, kind, end);
        self.queue[index].set_end(kind, end, passed);
    }

    /// An open response ends where the direction that carries it was marked.
    pub(super) fn close_response(&mut self, index: usize, end: EndMark, pool: &mut EntryPool) {
        let entry = self.queue.close(index, Kind::Response);
        let start = entry.message(Kind::Response).start;
        entry.set_end(Kind::Response, end.offset.max(start), end.passed);
        self.remove_complete(index, pool);
    }

    fn remove_complete(&mut self, index: usize, pool: &mut EntryPool) {
        let entry = &self.queue[index];
        if entry.is_complete() {
            let outcome = entry.outcome();
            self.remove(index, outcome, pool);
        }
    }

    /// Takes an exchange out of the queue, to be emitted with this outcome.
    pub(super) fn remove(&mut self, index: usize, outcome: Outcome, pool: &mut EntryPool) {
        let Some(mut entry) = self.queue.remove(index) else {
            wire::invariant!("an exchange that ends is in the queue");
            return;
        };
        self.pairing.on_removed(&entry);
        self.ended_exchanges = true;
        let failed = matches!(outcome, Outcome::ClientError | Outcome::ServerError);
        // What a proxy told is told with the first exchange behind it, whatever that is.
        let told = failed || entry.is_first && !self.connection_attributes.is_empty();
        if entry.notes.errors_only && !told {
            self.counters.on_unreported(&entry);
            self.pass_on_first(&entry);
            return pool.put(entry);
        }
        entry.exchange.outcome = outcome;
        if !matches!(outcome, Outcome::Ok | Outcome::NoRequest) {
            self.counters.errors += 1;
        }
        self.finished.push_back(entry);
    }

    /// An exchange is not emitted. If it was the first of the connection, the next one is.
    fn pass_on_first(&mut self, entry: &Entry) {
        if entry.is_first {
            match self.queue.iter_mut().find(|next| next.exchange.request.is_some()) {
                Some(next) => next.is_first = true,
                None => self.before_first = true,
            }
        }
    }

    /// Gives up a request: it will not be answered.
    pub(super) fn give_up(&mut self, index: usize, why: Unanswered, pool: &mut EntryPool) {
        let Some(entry) = self.queue.get_mut(index) else {
            wire::invariant!("a request that is given up is in the queue");
            return;
        };
        let outcome = match why {
            Unanswered::Reset => Outcome::Reset,
            _ if entry.is_doubtful() => Outcome::LostBytes,
            _ if entry.notes.response_optional => Outcome::Ok,
            _ => Outcome::NoResponse,
        };
        if !matches!(outcome, Outcome::LostBytes | Outcome::Ok) {
            entry.exchange.attributes.push_text(Unanswered::KEY, why.as_str());
            // Who closed its direction answers nothing any more, whenever that is noticed.
            let closed_at = self.timelines[entry.asker.reverse()].closed_at();
            entry.exchange.waited_until = Some(closed_at.unwrap_or(self.now));
        }
        self.remove(index, outcome, pool);
    }

    /// The server will not answer the oldest request of `asker` that waits.
    pub(super) fn skip_request(&mut self, asker: Direction, pool: &mut EntryPool) {
        if self.pairing.skip_orphan_response() {
            return;
        }
        if let Some(index) = self.queue.position(None, |e| e.is_pending_of(asker)) {
            self.give_up(index, Unanswered::Skipped, pool);
            // No response to it will come: `give_up` expects one.
            self.pairing.skip_orphan_response();
        }
    }

    /// Ends the exchange of this id, whatever of it is open. See `Messages::abort`.
    pub(super) fn abort(
        &mut self,
        id: u64,
        why: Unanswered,
        note: impl FnOnce(&mut Entry),
        pool: &mut EntryPool,
    ) {
        // None: it was evicted, or its beginning was not seen.
        let Some(index) = self.queue.position(Some(id), |_| true) else { return };
        let entry = &mut self.queue[index];
        note(entry);
        let (request, response) = (entry.message(Kind::Request), entry.message(Kind::Response));
        let enough = request.open && !request.incomplete && !response.open;
        let answered = entry.exchange.response.is_some();
        if let Some(request) = entry.exchange.request.as_mut().filter(|_| enough && answered) {
            request.whole = true;
        }
        self.cut_off(index, why, pool);
    }

    /// Ends whatever is unfinished: nothing more will be read.
    pub(crate) fn finish(&mut self, why: Unanswered, pool: &mut EntryPool) {
        while let Some(entry) = self.queue.front() {
            // It may have been answered before.
            let doubtful = entry.is_doubtful() && entry.is_pending();
            self.cut_off(0, if doubtful { Unanswered::Closed } else { why }, pool);
        }
        self.pairing.forget_orphan_responses();
    }

    /// Ends an exchange where its open messages were last seen.
    fn cut_off(&mut self, index: usize, why: Unanswered, pool: &mut EntryPool) {
        let Some(entry) = self.queue.get_mut(index) else {
            wire::invariant!("an exchange that is cut off is in the queue");
            return;
        };
        for (kind, direction) in
            [(Kind::Request, entry.asker), (Kind::Response, entry.asker.reverse())]
        {
            if entry.message(kind).open {
                let timeline = &self.timelines[direction];
                let end = entry.seen_until(kind, timeline.end());
                entry.extend(kind, end, timeline.at(end.saturating_sub(1)));
            }
        }
        if entry.is_pending() {
            let server_closed = self.timelines[entry.asker.reverse()].closed_at().is_some();
            let closed = why == Unanswered::InputEnd && server_closed;
            return self.give_up(index, if closed { Unanswered::Closed } else { why }, pool);
        }
        let one_way_open = entry.one_way && entry.message(Kind::Request).open;
        let open = entry.message(Kind::Response).open || one_way_open;
        let reset = why == Unanswered::Reset && open;
        let outcome = if reset { Outcome::Reset } else { entry.outcome() };
        self.remove(index, outcome, pool);
    }

    /// Gives up the requests that waited longer than `wait`.
    pub(crate) fn expire(&mut self, now: Timestamp, wait: Duration, pool: &mut EntryPool) {
        while let Some(entry) = self.queue.front() {
            let waits = entry.is_pending() && !entry.message(Kind::Request).open;
            match entry.exchange.request {
                Some(request) if waits && request.last + wait <= now => {
                    // The wait was over then, however late that is noticed.
                    self.now = request.last + wait;
                    self.give_up(0, Unanswered::TimedOut, pool);
                }
                _ => return,
            }
        }
    }
}
