//! Which request a response answers.

use wire::{Direction, Timestamp};

use super::entry::Entry;
use super::kind::{Kind, Order};
use super::queue::Queue;

/// Where responses come in order, so many times the limit of requests may wait: clients write
/// pipelines of thousands of requests before they read the first response.
const PIPELINE: usize = 8;

/// How the responses of a session find their requests.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub(super) order: Order,
    /// In order: responses that will still come for requests that are not in the queue any more.
    orphan_responses: u32,
}

impl Pairing {
    pub(super) fn is_by_id(&self) -> bool {
        self.order == Order::ById
    }

    /// What entries are looked for by: in order, their place alone.
    pub(super) fn key(&self, id: u64) -> Option<u64> {
        self.is_by_id().then_some(id)
    }

    /// Place of the request of `asker` that a response answers whose first byte passed at `first`.
    /// None: a request that is not in the queue, for one of several reasons.
    pub(super) fn answered(
        &mut self,
        queue: &Queue,
        asker: Direction,
        id: u64,
        first: Timestamp,
    ) -> Option<usize> {
        if !self.is_by_id() && self.orphan_responses > 0 {
            self.orphan_responses -= 1;
            return None;
        }
        let index = queue.position(self.key(id), |e| e.is_pending_of(asker))?;
        (self.is_by_id() || !queue[index].is_after(first)).then_some(index)
    }

    /// The oldest request for which `wanted` holds, if the next response can answer it.
    pub(super) fn next<'a>(&self, queue: &'a Queue, wanted: impl Fn(&Entry) -> bool) -> Option<&'a Entry> {
        if self.orphan_responses > 0 { None } else { queue.iter().find(|e| wanted(e)) }
    }

    /// An exchange leaves the queue. If its request waits, its response may still come.
    pub(super) fn on_removed(&mut self, entry: &Entry) {
        let may_come = entry.is_pending() && !entry.notes.response_optional;
        if may_come && !entry.is_doubtful() && !self.is_by_id() {
            self.orphan_responses = self.orphan_responses.saturating_add(1);
        }
    }

    /// The next response answers none of the requests in the queue.
    pub(super) fn expect_orphan_response(&mut self) {
        self.orphan_responses = self.orphan_responses.max(1);
    }

    /// One response less will come. Returns whether it was that of a request outside of the queue.
    pub(super) fn skip_orphan_response(&mut self) -> bool {
        let expected = self.orphan_responses > 0;
        self.orphan_responses = self.orphan_responses.saturating_sub(1);
        expected
    }

    /// Which responses will still come is unknown, or no more will.
    pub(super) fn forget_orphan_responses(&mut self) {
        self.orphan_responses = 0;
    }

    /// Exchanges that may be in the queue when one of this kind is added, where `limit` requests may
    /// wait.
    pub(super) fn capacity(&self, limit: usize, kind: Kind) -> usize {
        match self.order {
            // A response is let in beyond the limit: it would make a request go, that request would
            // be followed by its own response, and so on.
            Order::InOrder => limit.saturating_mul(PIPELINE) + usize::from(kind == Kind::Response),
            Order::ById => limit,
        }
    }
}
