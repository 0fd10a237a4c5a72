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
    pub(super) fn next<'a>(
        &self,
        queue: &'a Queue,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<&'a Entry> {
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

    /// Exchanges that may be in the queue when one of this kind is added, where `limit` requests
    /// may wait.
    pub(super) fn capacity(&self, limit: usize, kind: Kind) -> usize {
        match self.order {
            // One response without request is let in beyond the limit. Otherwise it would make a
            // request go, whose response would make another one go, and so on.
            Order::InOrder => limit.saturating_mul(PIPELINE) + usize::from(kind == Kind::Response),
            Order::ById => limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use fact::Protocol;
    use wire::{SeqNum, Transport};

    use super::*;
    use crate::input::TroubleCounts;

    const ASKER: Direction = Direction::ToServer;

    /// A queue in which requests with these ids wait.
    fn pending(ids: &[u64], by_id: bool) -> Queue {
        let mut queue = Queue::default();
        for &id in ids {
            let mut entry = Box::new(Entry::new(Protocol::new("dns")));
            entry.set_origin(id, ASKER, Transport::Tcp, TroubleCounts::NONE);
            entry.begin(Kind::Request, 0, SeqNum(0), Timestamp::ZERO);
            queue.push(entry, by_id);
        }
        queue
    }

    #[test]
    fn in_order_the_oldest_request_is_answered_whatever_its_id() {
        let queue = pending(&[1, 2], false);
        let answered = Pairing::default().answered(&queue, ASKER, 2, Timestamp::ZERO);
        assert_eq!(answered, Some(0));
        let other_way = Pairing::default().answered(&queue, ASKER.reverse(), 1, Timestamp::ZERO);
        assert_eq!(other_way, None);
    }

    #[test]
    fn by_id_the_request_with_the_id_is_answered() {
        let queue = pending(&[1, 2], true);
        let mut pairing = Pairing { order: Order::ById, ..Pairing::default() };
        assert_eq!(pairing.answered(&queue, ASKER, 2, Timestamp::ZERO), Some(1));
        assert_eq!(pairing.answered(&queue, ASKER, 3, Timestamp::ZERO), None);
    }

    #[test]
    fn a_response_to_a_request_that_was_evicted_answers_no_other() {
        let mut queue = pending(&[1, 2], false);
        let mut pairing = Pairing::default();
        let evicted = queue.remove(0);
        pairing.on_removed(&evicted.unwrap());
        assert!(pairing.next(&queue, |_| true).is_none());
        assert_eq!(pairing.answered(&queue, ASKER, 0, Timestamp::ZERO), None);
        assert_eq!(pairing.answered(&queue, ASKER, 0, Timestamp::ZERO), Some(0));
    }

    #[test]
    fn a_request_behind_a_hole_is_not_answered_by_what_passed_before_it() {
        let mut queue = pending(&[1], false);
        queue[0].begin(Kind::Request, 0, SeqNum(0), Timestamp::from_nanos(5));
        queue[0].doubts.after_hole = true;
        let mut pairing = Pairing::default();
        assert_eq!(pairing.answered(&queue, ASKER, 0, Timestamp::from_nanos(4)), None);
        assert_eq!(pairing.answered(&queue, ASKER, 0, Timestamp::from_nanos(5)), Some(0));
    }
}
