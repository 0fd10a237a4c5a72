//! What messages that were not seen mean for the pairing of those that are.
//!
//! Where answers come in order, one that is missing on either side shifts all that follow, until nothing waits any more. What may be
//! paired with another's answer is said to have lost bytes.

use wire::Direction;

use super::{Kind, Messages, Order};
use fact::Outcome;

/// What is missing before the next request of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    /// Requests may be: what was said before the first one that was seen, or (`hole`) within what was seen.
    Before {
        hole: bool,
    },
    /// The same before requests that may still wait.
    Lately {
        hole: bool,
    },
}

impl Default for Missing {
    fn default() -> Self {
        Self::Before { hole: false }
    }
}

/// Where a new request stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// Requests before it may be missing.
    pub(super) after_hole: bool,
    /// Its answer cannot be told from another's.
    pub(super) doubtful: bool,
}

impl Messages {
    /// A request is about to begin: what is known by that of those that wait, and of it.
    pub(super) fn settle(&mut self, asker: Direction) -> Standing {
        if self.order == Order::ById {
            return Standing::default();
        }
        let turned = std::mem::take(&mut self.turned[asker]);
        if self.short[asker] && turned && !self.rolling {
            self.give_up_batch(asker);
        }
        let waits = self.entries.iter().any(|e| e.is_waiting() && e.asker == asker);
        self.short[asker] &= waits;
        let missing = &mut self.missing[asker];
        // Several answers to what was not seen: several were under way, and more may be.
        let amid = self.counts.responses > 1 && self.counts.requests <= 1;
        *missing = match *missing {
            Missing::Before { hole } => Missing::Lately { hole: hole || amid },
            Missing::Lately { .. } if !waits => Missing::Nothing,
            other => other,
        };
        let missing = *missing;
        let doubtful = waits && (self.short[asker] || missing == Missing::Lately { hole: true });
        if doubtful {
            // What waits behind the hole is as doubtful as this.
            let behind = self.entries.newest_first().filter(|e| e.asker == asker && e.is_waiting());
            behind.take_while(|e| e.after_hole && !e.doubtful).for_each(|e| e.doubtful = true);
        }
        self.rolling |= turned && waits && !doubtful;
        Standing { after_hole: missing != Missing::Nothing, doubtful }
    }

    /// A client that waits for all answers to a batch before it asks again had got them.
    fn give_up_batch(&mut self, asker: Direction) {
        let mut given_up = 0;
        while let Some(index) = self.entries.position(None, |e| e.is_waiting() && e.asker == asker) {
            self.remove(index, Outcome::LostBytes);
            given_up += 1;
        }
        (self.owed, self.short[asker]) = (0, false);
        if given_up > 1 {
            // If it was one batch all the same, answers to its beginning follow.
            self.missing[asker] = Missing::Lately { hole: true };
        }
    }

    /// Requests and answers of this direction may be missing.
    fn miss(&mut self, direction: Direction) {
        self.missing[direction] = Missing::Before { hole: true };
        let asker = direction.reverse();
        (self.short[asker], self.turned[asker]) = (true, true);
    }

    /// Messages of this direction may be missing from here on; an open one ends where it was last seen.
    pub(crate) fn mark_loss(&mut self) {
        let direction = self.here.direction;
        let at = self.here.offset;
        self.miss(direction);
        self.owed = 0;
        if !self.cut {
            self.tear(direction, false);
        }
        let asker = direction.reverse();
        self.close_all(Kind::Request, direction, at);
        self.close_all(Kind::Response, asker, at);
        // Those that began before the last loss know of one.
        let unaware = std::mem::replace(&mut self.marked[direction], self.entries.next());
        let unaware = self.entries.since(unaware);
        unaware.filter(|entry| entry.asker == asker).for_each(|entry| entry.lost = true);
    }

    /// The open messages of a kind end at `at`; the responses among them are not whole.
    fn close_all(&mut self, kind: Kind, asker: Direction, at: u64) {
        let mut index = match self.entries.open_count(kind, asker) {
            1 => self.entries.open_index(kind, asker, None).unwrap_or(0),
            _ => 0,
        };
        while self.entries.open_count(kind, asker) > 0 && index < self.entries.len() {
            let before = self.entries.len();
            let entry = &mut self.entries[index];
            if entry.asker == asker && entry.is_open(kind) {
                entry.lost |= kind == Kind::Response;
                self.close_index(index, kind, at);
            }
            index += usize::from(self.entries.len() == before);
        }
    }

    /// Messages of this direction may be missing from here on. Those that are open go on: their parts say whose they are.
    pub(crate) fn mark_loss_keep_open(&mut self) {
        let direction = self.here.direction;
        self.miss(direction);
        self.entries
            .iter_mut()
            .filter(|e| e.asker != direction && e.is_waiting())
            .for_each(|e| e.lost = true);
    }
}
