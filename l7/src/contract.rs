//! What an author of a protocol reads.
//!
//! A protocol is a folder under `protocols/` with a type that implements [`Protocol`], and a line
//! in the table (`protocols/mod.rs`). [`Protocol::probe`] recognises the first bytes of a
//! direction. From then on the session shows the bytes of both directions to the [`Parser`] that
//! [`Protocol::parser`] made, and the parser reports messages to [`Messages`]:
//!
//! ```text
//!  bytes ─▶ Parser::read ─▶ Progress     how far it got, and what it wants next
//!                  │
//!                  └─ open(kind, id, at) … close(kind, id, at) ─▶ Messages ─▶ exchanges
//! ```
//!
//! A parser knows nothing of TCP. It is shown the bytes of a direction in order and once; what it
//! does not consume it is shown again, with more behind it. Which response answers which request is
//! decided behind [`Messages`], by [`Protocol::ORDER`].
//!
//! A protocol in which each line is a request and each line a response, in order:
//!
//! ```ignore
//! #[derive(Debug, Default)]
//! struct Lines {
//!     /// The direction begins in the middle of a line.
//!     lost: PerDirection<bool>,
//! }
//!
//! impl Parser for Lines {
//!     fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages<'_>) -> Progress {
//!         let Some(end) = memchr::memchr(b'\n', bytes).map(|at| at + 1) else {
//!             return Progress::Need { consumed: 0, more: 1 };
//!         };
//!         if !std::mem::take(&mut self.lost[direction]) {
//!             let request = direction == Direction::ToServer;
//!             let kind = if request { Kind::Request } else { Kind::Response };
//!             out.open(kind, 0, 0);
//!             out.close(kind, 0, end);
//!         }
//!         Progress::Consumed(end)
//!     }
//!
//!     fn gap(
//!         &mut self,
//!         direction: Direction,
//!         _: u64,
//!         out: &mut Messages<'_>,
//!     ) -> Result<(), Reason> {
//!         self.lost[direction] = true;
//!         out.mark_loss();
//!         Ok(())
//!     }
//! }
//! ```
//!
//! `contract/tests.rs` has it whole, with the conversations that it is tested by. Protocols whose
//! messages say their length at the beginning get most of this from `kit::resync`, which shows a
//! frame at a time, or from `kit::framed`, which shows long messages in parts.

#[cfg(test)]
mod tests;

use std::fmt;

use wire::{Direction, Transport};

use crate::correlate::{Messages, Order};
use fact::{self, Unanswered};

/// Whether bytes are of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// They are. No other protocol is asked.
    Yes,
    /// They are not. This protocol is not asked about these bytes again.
    No,
    /// They are too few to tell. The protocol is asked again with more behind them, unless another
    /// one recognises them.
    More,
}

/// What is known of a session besides its bytes. Ports are a hint, never a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clue {
    pub(crate) transport: Transport,
    pub(crate) client_port: u16,
    pub(crate) server_port: u16,
    /// The protocol that is asked is the usual one here: by the server's port, or because the same
    /// server spoke it before. It may then answer [`Probe::Yes`] to bytes that could be of another
    /// protocol as well.
    pub(crate) usual: bool,
    /// The bytes are the first of their direction, on a connection of which the beginning was seen:
    /// no other than the first message of the protocol can be there.
    pub(crate) at_start: bool,
    /// Literal values in statements and keys are kept instead of masked.
    pub(crate) literals: bool,
}

/// What a parser made of the bytes that it was shown. A count beyond them counts as all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many bytes are dealt with. The parser is called again with the rest, unless it consumed
    /// nothing or everything: then it is called when more bytes came.
    Consumed(usize),
    /// After `consumed` bytes stands something that is not whole. The parser is called again when
    /// at least `more` bytes came. What waits is bounded by
    /// [`RequestLimits::head_bytes`](crate::RequestLimits::head_bytes); beyond it the bytes are
    /// dropped, and [`Parser::gap`] is called.
    Need { consumed: usize, more: usize },
    /// After `consumed` bytes come `body` bytes that need not be read. They are not kept. The
    /// parser is called again right behind them, also if nothing follows yet; a gap inside them is
    /// no loss of synchronisation.
    Skip { consumed: usize, body: u64 },
    /// After `consumed` bytes the parser cannot go on.
    GiveUp { consumed: usize, reason: Reason },
}

/// Why a parser gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// This is not how the protocol looks. If no message was read so far the guess was wrong, and
    /// other protocols are tried; otherwise [`Parser::gap`] is called.
    Malformed,
    /// Whatever follows cannot be read (upgraded, encrypted). The session is left alone.
    Opaque,
    /// Another protocol follows on the same connection, to be recognised by its bytes (behind a
    /// tunnel's greeting, or TLS). Requests that wait are given up.
    Switched,
    /// This protocol follows on the same connection (WebSocket, h2c). Requests that wait stay.
    Became(fact::Protocol),
}

/// The state of one protocol on one flow. It keeps no bytes: what is not consumed is shown again.
///
/// `direction` is the protocol's: the side that asks sends `ToServer`, whatever the flow believed.
/// Positions that are given to `out` count from the first byte of `bytes`.
pub(crate) trait Parser: fmt::Debug + Send {
    /// Reads bytes of one direction of a stream from where it stopped, or one whole datagram.
    /// Bytes are hostile: any may come, in pieces of any size, and none may make it panic or loop.
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages<'_>) -> Progress;

    /// Reads bytes that wait for others which will never come. What can be reported without those
    /// is reported now; [`gap`](Self::gap) follows, and `bytes` are not shown again.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages<'_>) {
        let _ = (direction, bytes, out);
    }

    /// Goes on behind `len` missing bytes (0: bytes that could not be used); what was not consumed
    /// before is gone as well. The next bytes shown are those behind. A parser calls
    /// [`Messages::mark_loss`] unless it knows that all that is missing belongs to the open
    /// message.
    ///
    /// # Errors
    /// Why it cannot find the next message: [`Reason::Switched`] and [`Reason::Became`] have other
    /// protocols tried, [`Reason::Opaque`] and [`Reason::Malformed`] end reading.
    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages<'_>)
    -> Result<(), Reason>;

    /// The direction ended in order (FIN): what lasts until then ends here.
    fn end(&mut self, direction: Direction, out: &mut Messages<'_>) {
        let _ = (direction, out);
    }

    /// The flow is over, other than by a reset: what can be reported of messages that are open is
    /// reported now.
    fn finish(&mut self, why: Unanswered, out: &mut Messages<'_>) {
        let _ = (why, out);
    }

    /// Memory that it takes, in bytes, itself included.
    fn bytes(&self) -> usize {
        size_of_val(self)
    }
}

/// One application protocol: a folder under `protocols/`, and a line in the registry.
pub(crate) trait Protocol {
    /// Name in exchanges, records and metrics.
    const NAME: fact::Protocol;
    /// What carries it.
    const TRANSPORTS: &'static [Transport];
    /// Server ports on which it is tried first, and is [`usual`](Clue::usual).
    const PORTS: &'static [u16];
    /// How its responses find their requests.
    const ORDER: Order;
    /// Whether either side may ask, as among peers. Otherwise the side that the probe recognised as
    /// the asking one is the client.
    const EITHER_ASKS: bool = false;
    /// Whether the server may send before the client did: a greeting, or an error that ends the
    /// connection. Otherwise what it sends first is not believed before the client's bytes are
    /// recognised.
    const GREETS: bool = false;

    /// Whether `head`, the first bytes of `direction` or the first behind bytes of another
    /// protocol, begins a message. `direction` is a hypothesis: each protocol is asked for both
    /// roles of the sender. A wrong `Yes` costs the messages until the parser notices; a wrong `No`
    /// costs the connection.
    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe;

    /// A parser for one flow whose first bytes the probe recognised.
    fn parser(clue: &Clue) -> Box<dyn Parser>;
}
