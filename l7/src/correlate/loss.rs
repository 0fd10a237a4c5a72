//! What holes in the streams mean for the pairing of the messages that were seen.
//!
//! Where responses come in order, one message that is missing on either side shifts all that
//! follow. A response that may be another's is told without a request, and the request without a
//! response, as [`Outcome::LostBytes`](fact::Outcome::LostBytes), until it is sure that nothing is
//! under way any more: the client was seen to wait for all responses before it goes on, and does,
//! or there was silence. With ids only the exchanges themselves lose.

use std::time::Duration;

use wire::{Direction, PerDirection, Timestamp};

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

/// Silence after which nothing that was missed is still to be answered.
const QUIET: Duration = Duration::from_secs(5);

/// What is known of the requests of one direction.
#[derive(Clone, Copy, Debug)]
struct AskerLoss {
    missing: MissingRequests,
    /// Responses are missing, and some requests that wait may have been answered by them.
    responses_lost: bool,
    /// Something was answered (or the answer missed) since the last request.
    answered: bool,
    /// Several requests waited together.
    several: bool,
    /// A request was seen that begins when all before it were answered.
    rounds: bool,
    /// Requests in a row, and the responses in a row behind them.
    run: Run,
}

/// Requests in a row, and the responses in a row behind them.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    requests: u32,
    responses: u32,
    /// Where the requests' direction stood at the last response.
    stands: u64,
    /// Some may be missing.
    incomplete: bool,
}

impl Default for AskerLoss {
    fn default() -> Self {
        Self {
            missing: MissingRequests::BeforeNext { hole: false },
            responses_lost: false,
            answered: false,
            several: false,
            rounds: false,
            run: Run::default(),
        }
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

/// What was found before a request began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// Something was answered, or the answer missed, since the last request.
    pub(super) answered: bool,
    /// The last thing that passed before it was of the other direction.
    pub(super) follows_response: bool,
    /// Nothing was sent for a long time.
    pub(super) quiet: bool,
    /// What waits was answered by responses that are missing.
    pub(super) batch_over: bool,
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
    /// Time of the last message that began.
    last_message: Timestamp,
    /// Entries before this number are marked already as having lost bytes of this direction.
    marked_before: PerDirection<u64>,
    /// Id of the message whose bytes are skipped in this direction, if that is known.
    skipped_id: PerDirection<Option<u64>>,
}

impl Loss {
    /// A response to a request of `asker` begins. The requests' direction stands at `stands`.
    pub(super) fn on_response(&mut self, asker: Direction, stands: u64, now: Timestamp) {
        self.last_message = now;
        let loss = &mut self.askers[asker];
        loss.answered = true;
        loss.run.responses = loss.run.responses.saturating_add(1);
        // Two in a row: so many requests waited together, seen or not.
        let in_a_row = std::mem::replace(&mut loss.run.stands, stands) == stands;
        loss.several |= loss.run.responses > 1 && in_a_row && !loss.run.incomplete;
    }

    /// Whether the client was seen to wait for all responses before it goes on.
    fn waits(&self, asker: Direction) -> bool {
        let loss = &self.askers[asker];
        !self.pipelined && (loss.rounds || !loss.several)
    }

    /// Whether requests may be missing before the next one of `asker`.
    pub(super) fn is_behind_hole(&self, asker: Direction) -> bool {
        self.askers[asker].missing == (MissingRequests::BeforeNext { hole: true })
    }

    /// A request of `asker` is about to begin. Returns whether the requests that wait were answered
    /// by responses that are missing: a client that sends batches waits for all responses before
    /// the next batch.
    pub(super) fn before_request(&mut self, asker: Direction, now: Timestamp) -> Before {
        let quiet = now - std::mem::replace(&mut self.last_message, now) >= QUIET;
        let waits = self.waits(asker);
        let loss = &mut self.askers[asker];
        let answered = std::mem::take(&mut loss.answered);
        let Run { requests, responses, incomplete, .. } = loss.run;
        if responses > 0 {
            // As many responses as requests before them: a batch that was answered as a whole.
            loss.rounds |= requests > 1 && requests == responses && !incomplete;
            loss.run = Run::default();
        }
        loss.run.requests = loss.run.requests.saturating_add(1);
        let batch_over = loss.responses_lost && answered && (waits || quiet);
        Before { answered, quiet, batch_over, follows_response: true }
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
        before: Before,
        pending: bool,
        joined_amid: bool,
    ) -> Standing {
        let waits = self.waits(asker);
        let loss = &mut self.askers[asker];
        loss.responses_lost &= pending;
        // Among the bytes that are missing may be requests whose responses are still to come,
        // unless the client has never more than one under way.
        let mut unanswered = false;
        loss.missing = match loss.missing {
            MissingRequests::BeforeNext { hole } => {
                unanswered = hole && (loss.several || !before.follows_response);
                MissingRequests::BeforePending { hole: hole || joined_amid && !before.quiet }
            }
            MissingRequests::BeforePending { hole }
                if !pending && (waits || before.quiet || !hole) =>
            {
                MissingRequests::None
            }
            other => other,
        };
        let behind_hole = loss.missing == MissingRequests::BeforePending { hole: true };
        let uncertain = pending || unanswered || !waits;
        let ambiguous = pending && loss.responses_lost || behind_hole && uncertain;
        let after_hole = loss.missing != MissingRequests::None;
        if !ambiguous {
            self.pipelined |= before.answered && pending;
            loss.rounds |= before.answered && !pending;
        }
        loss.several |= pending;
        Standing { after_hole, ambiguous }
    }

    /// Bytes of this direction are missing. If no request began since it was joined, or since
    /// others were missed, there may be some among these as well.
    pub(super) fn extend_hole(&mut self, direction: Direction) {
        let own = &mut self.askers[direction];
        if matches!(own.missing, MissingRequests::BeforeNext { .. }) {
            own.missing = MissingRequests::BeforeNext { hole: true };
        }
    }

    /// Messages of this direction may be missing.
    pub(super) fn on_hole(&mut self, direction: Direction) {
        let own = &mut self.askers[direction];
        own.missing = MissingRequests::BeforeNext { hole: true };
        own.run.incomplete = true;
        let asker = &mut self.askers[direction.reverse()];
        asker.responses_lost = true;
        asker.answered = true;
        asker.run.incomplete = true;
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
        let before = loss.before_request(ASKER, Timestamp::ZERO);
        loss.on_request(ASKER, before, pending, false)
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
        for _ in 0..2 {
            request(&mut loss, false);
            loss.on_response(ASKER, 0, Timestamp::ZERO);
        }
        loss.on_hole(ASKER);
        assert!(!request(&mut loss, false).ambiguous, "what was missed was answered");
        assert!(request(&mut loss, true).ambiguous);
        assert!(!request(&mut loss, false).ambiguous, "nothing waits any more");
        loss.on_hole(ASKER);
        let before = loss.before_request(ASKER, Timestamp::ZERO);
        let before = Before { follows_response: false, ..before };
        let behind = loss.on_request(ASKER, before, false, false);
        assert!(behind.ambiguous, "another may be before it");
    }

    #[test]
    fn responses_that_are_missing_end_a_batch_with_the_next_request() {
        let mut loss = Loss::default();
        request(&mut loss, false);
        loss.on_response(ASKER, 0, Timestamp::ZERO);
        loss.on_hole(ASKER.reverse());
        let before = loss.before_request(ASKER, Timestamp::ZERO);
        assert!(before.batch_over);
        loss.on_batch_abandoned(ASKER, 1);
        assert!(!loss.on_request(ASKER, before, false, false).ambiguous);
    }

    #[test]
    fn who_pipelines_waits_for_no_batch() {
        let mut loss = Loss::default();
        request(&mut loss, false);
        loss.on_response(ASKER, 0, Timestamp::ZERO);
        request(&mut loss, true);
        loss.on_hole(ASKER.reverse());
        let before = loss.before_request(ASKER, Timestamp::ZERO);
        assert!(before.answered && !before.batch_over);
        loss.on_hole(ASKER.reverse());
        let later = loss.before_request(ASKER, Timestamp::ZERO + QUIET);
        assert!(later.batch_over, "after so long nothing is under way");
    }
}
