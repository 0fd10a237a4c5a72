//! What holes in the streams mean for the pairing of the messages that were seen.
//!
//! Where responses come in order, one message that is missing on either side shifts all that
//! follow, until nothing waits any more. What may be paired with another's response ends with
//! [`Outcome::LostBytes`](fact::Outcome::LostBytes). With ids only the exchanges themselves lose.

use wire::{Direction, PerDirection};

/// Which requests may be missing before the next one of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissingRequests {
    None,
    /// Some before the next one: sent before the session was joined, or (`hole`) within what was
    /// seen.
    BeforeNext {
        hole: bool,
    },
    /// The same before requests that still wait.
    BeforePending {
        hole: bool,
    },
}

/// What is known of the requests of one direction.
#[derive(Clone, Copy, Debug)]
struct AskerLoss {
    missing: MissingRequests,
    /// Responses are missing, and some requests that wait may have been answered by them.
    responses_lost: bool,
    /// Something was answered (or the answer missed) since the last request.
    answered: bool,
}

impl Default for AskerLoss {
    fn default() -> Self {
        let missing = MissingRequests::BeforeNext { hole: false };
        Self { missing, responses_lost: false, answered: false }
    }
}

/// How sure the pairing of a new request is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// Requests before it may be missing.
    pub(super) after_hole: bool,
    /// Its response cannot be told from another's.
    pub(super) ambiguous: bool,
}

/// What was lost on a session.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// What is lost now was cut off by the snap length.
    pub(super) snapped: bool,
    /// By the direction of the requests.
    askers: PerDirection<AskerLoss>,
    /// Requests are sent while some wait and others are answered: the client sends no batches that
    /// are answered before the next.
    pipelined: bool,
    /// Entries before this number are marked already as having lost bytes of this direction.
    marked_before: PerDirection<u64>,
    /// Id of the message whose bytes are skipped in this direction, if that is known.
    skipped_id: PerDirection<Option<u64>>,
}

impl Loss {
    /// A response to a request of `asker` begins.
    pub(super) fn on_response(&mut self, asker: Direction) {
        self.askers[asker].answered = true;
    }

    /// A request of `asker` is about to begin. Returns whether something was answered since the
    /// last one, and whether the requests that wait were answered by responses that are missing: a
    /// client that sends batches waits for all responses before the next batch.
    pub(super) fn before_request(&mut self, asker: Direction) -> (bool, bool) {
        let loss = &mut self.askers[asker];
        let answered = std::mem::take(&mut loss.answered);
        (answered, loss.responses_lost && answered && !self.pipelined)
    }

    /// `requests` that waited were given up as one batch.
    pub(super) fn on_batch_abandoned(&mut self, asker: Direction, requests: u32) {
        let loss = &mut self.askers[asker];
        loss.responses_lost = false;
        if requests > 1 {
            // If what follows is of the same batch after all, responses to its beginning follow.
            loss.missing = MissingRequests::BeforePending { hole: true };
        }
    }

    /// A request of `asker` begins. `pending`: others wait. `joined_amid`: several responses were
    /// seen before any request, so several requests were under way, and more may be.
    pub(super) fn on_request(
        &mut self,
        asker: Direction,
        answered: bool,
        pending: bool,
        joined_amid: bool,
    ) -> Standing {
        let loss = &mut self.askers[asker];
        loss.responses_lost &= pending;
        loss.missing = match loss.missing {
            MissingRequests::BeforeNext { hole } => {
                MissingRequests::BeforePending { hole: hole || joined_amid }
            }
            MissingRequests::BeforePending { .. } if !pending => MissingRequests::None,
            other => other,
        };
        let behind_hole = loss.missing == MissingRequests::BeforePending { hole: true };
        let ambiguous = pending && (loss.responses_lost || behind_hole);
        let after_hole = loss.missing != MissingRequests::None;
        self.pipelined |= answered && pending && !ambiguous;
        Standing { after_hole, ambiguous }
    }

    /// Messages of this direction may be missing.
    pub(super) fn on_hole(&mut self, direction: Direction) {
        self.askers[direction].missing = MissingRequests::BeforeNext { hole: true };
        let asker = &mut self.askers[direction.reverse()];
        asker.responses_lost = true;
        asker.answered = true;
    }

    /// All entries before `next` are being marked as having lost bytes of this direction. Returns
    /// the first that is not marked yet.
    pub(super) fn mark_before(&mut self, direction: Direction, next: u64) -> u64 {
        std::mem::replace(&mut self.marked_before[direction], next)
    }

    /// Sets whose bytes are skipped in this direction, if that is known.
    pub(super) fn set_skipped_id(&mut self, direction: Direction, id: Option<u64>) {
        self.skipped_id[direction] = id;
    }

    /// Id of the message whose bytes are skipped in this direction.
    pub(super) fn skipped_id(&self, direction: Direction) -> Option<u64> {
        self.skipped_id[direction]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKER: Direction = Direction::ToServer;

    /// A request of a session in which `pending` others wait.
    fn request(loss: &mut Loss, pending: bool) -> Standing {
        let (answered, _) = loss.before_request(ASKER);
        loss.on_request(ASKER, answered, pending, false)
    }

    #[test]
    fn a_session_that_was_joined_is_sure_once_nothing_waits() {
        let mut loss = Loss::default();
        let first = request(&mut loss, false);
        assert!(first.after_hole && !first.ambiguous);
        let second = request(&mut loss, false);
        assert!(!second.after_hole && !second.ambiguous);
    }

    #[test]
    fn requests_that_are_missing_make_those_ambiguous_that_wait_together() {
        let mut loss = Loss::default();
        loss.on_hole(ASKER);
        assert!(!request(&mut loss, false).ambiguous, "alone, its response is its own");
        assert!(request(&mut loss, true).ambiguous);
        assert!(!request(&mut loss, false).ambiguous, "nothing waits any more");
    }

    #[test]
    fn responses_that_are_missing_end_a_batch_with_the_next_request() {
        let mut loss = Loss::default();
        request(&mut loss, false);
        loss.on_response(ASKER);
        loss.on_hole(ASKER.reverse());
        assert_eq!(loss.before_request(ASKER), (true, true));
        loss.on_batch_abandoned(ASKER, 1);
        assert!(!loss.on_request(ASKER, true, false, false).ambiguous);
    }

    #[test]
    fn who_pipelines_waits_for_no_batch() {
        let mut loss = Loss::default();
        request(&mut loss, false);
        loss.on_response(ASKER);
        request(&mut loss, true);
        loss.on_hole(ASKER.reverse());
        assert_eq!(loss.before_request(ASKER), (true, false));
    }
}
