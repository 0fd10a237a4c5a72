//! Pairing of messages into exchanges.
//!
//! A parser finds messages. Which response answers which request is decided here, once for all
//! protocols: in order, or by an id that both sides carry.
//!
//! ```text
//!  Parser ─ open, close, pause … ─▶ Messages     emit: the verbs of a parser, for one call of it
//!                                      │ borrows
//!                                      ▼
//!  Session ─ expire, finish … ─▶ Correlator      owns the parts and moves entries between them
//!     ▲                            ├ Queue        exchanges in the making, each an Entry
//!     │                            ├ Pairing      which request the next response answers
//!     │                            ├ Loss         what holes do to the pairs that follow
//!     │                            ├ Timeline     when each byte passed, one for each direction
//!     └────── pop_finished ────────┴ finished     exchanges to which nothing is added any more
//!                                      │
//!                                      ▼
//!                                  EntryPool      entries for reuse, passed in by the session
//! ```
//!
//! `pairing` and `loss` decide and touch no exchange. `correlator` opens exchanges, `ending` ends
//! them, and `holes` applies to them what `loss` decided.

mod correlator;
mod counters;
mod ending;
mod entry;
#[cfg(test)]
mod hole_tests;
mod holes;
mod ids;
mod kind;
mod loss;
mod messages;
mod pairing;
mod pool;
mod position;
mod queue;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
mod timeline;

pub(crate) use correlator::Correlator;
pub(crate) use entry::{Entry, OwnBytes};
pub(crate) use kind::{Kind, Order};
pub(crate) use messages::Messages;
pub(crate) use pool::EntryPool;
pub(crate) use position::{EndMark, Position, StartMark};
