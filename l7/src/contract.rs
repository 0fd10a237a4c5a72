//! The contract between a protocol and the engine.

use std::fmt;

use wire::{Direction, Transport};

use crate::correlate::{Messages, Order};
use fact::{self, Unanswered};

/// Whether bytes are of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// Too few to tell.
    More,
}

/// What is known besides the bytes. Ports are a hint, never a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clue {
    pub(crate) transport: Transport,
    pub(crate) client_port: u16,
    pub(crate) server_port: u16,
    /// The protocol that is asked about is the usual one here: by the server's port, or because the
    /// same server spoke it before. Bytes that could be this or that are then believed to be it.
    pub(crate) usual: bool,
    /// Literal values in statements and keys are kept instead of masked.
    pub(crate) literals: bool,
}

/// What a parser made of the bytes that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many bytes are dealt with.
    Consumed(usize),
    /// After `consumed` bytes stands something that is not whole: come again with at least `more`
    /// bytes added.
    Need { consumed: usize, more: usize },
    /// After `consumed` bytes come `body` bytes nobody has to look at. The parser is called again
    /// right behind them, also if nothing follows yet; a gap inside them is no loss of
    /// synchronisation.
    Skip { consumed: usize, body: u64 },
    /// Not to be gone on with after `consumed` bytes.
    GiveUp { consumed: usize, reason: Reason },
}

/// Why a parser gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// This is not how the protocol looks.
    Malformed,
    /// Whatever follows cannot be read (upgraded, encrypted).
    Opaque,
    /// Another protocol follows on the same connection, to be found out (tunnel, TLS).
    Switched,
    /// This protocol follows on the same connection (WebSocket, h2c). Requests that wait stay.
    Became(fact::Protocol),
}

/// The state of one protocol on one flow. It keeps no bytes: what is not consumed is shown again.
/// `direction` is the protocol's: the side that asks sends `ToServer`, whatever the flow believed.
pub(crate) trait Parser: fmt::Debug + Send {
    /// Reads bytes of one direction of a stream from where it stopped, or one whole datagram.
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress;

    /// The bytes waited for behind `bytes` will never come. What can be told without them is told
    /// now; `gap` follows.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let _ = (direction, bytes, out);
    }

    /// `len` bytes are missing (0: unusable bytes were met); what was not consumed before is gone
    /// as well. Find the next message from here on, or say why not.
    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason>;

    /// Memory that it takes, in bytes.
    fn bytes(&self) -> usize {
        size_of_val(self)
    }

    /// The flow is over, other than by a reset: what can be told of messages that still run is told
    /// now.
    fn finish(&mut self, why: Unanswered, out: &mut Messages) {
        let _ = (why, out);
    }

    /// The direction ended in order.
    fn end(&mut self, direction: Direction, out: &mut Messages) {
        let _ = (direction, out);
    }
}

/// One application protocol: a folder here, and a line in the registry.
pub(crate) trait Protocol {
    /// Name that a guess is counted under.
    const NAME: fact::Protocol;
    /// Where it is found.
    const TRANSPORTS: &'static [Transport];
    /// Server ports for which it is tried first.
    const PORTS: &'static [u16];
    /// How its responses find their requests.
    const ORDER: Order;
    /// Whether either side may ask, as among peers. Otherwise the side that the probe recognised as
    /// the asking one is the client.
    const EITHER_ASKS: bool = false;

    /// Whether `head`, sent in `direction`, is the beginning of a message.
    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe;

    /// A parser for one flow.
    fn parser(clue: &Clue) -> Box<dyn Parser>;
}
