//! The parser of protocols whose messages begin with their length, and are read in parts: finds
//! where a message ends and where the next one begins, also behind lost bytes. What a message holds
//! is read by its [`Format`].

use std::fmt;

use wire::{Direction, PerDirection};

use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

/// What a [`Format`] did with the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatStep {
    /// So many bytes are dealt with, of those shown or beyond; at least one.
    Take(u64),
    /// So many bytes have to be shown, counted from the first of those shown.
    Need(usize),
    /// The rest of the message need not be read.
    Done,
}

/// The messages of one protocol, and the state of one connection.
pub(crate) trait Format: fmt::Debug + Send {
    /// So many bytes of a message are enough to know its length.
    const HEAD: usize;

    /// Length in bytes of the message that `head` begins, `head` included. None if no message
    /// begins like this.
    fn length(&self, direction: Direction, head: &[u8]) -> Option<u64>;

    /// Whether a message of `direction` begins with `bytes`. Called where that is not known, so it
    /// has to be strict.
    fn begins(&self, direction: Direction, bytes: &[u8], out: &Messages) -> Probe;

    /// Goes on reading a message of which `left` bytes are left; `bytes` are those of them that are
    /// there. The first call of a message has it from its first byte on, which is at `at`
    /// of what the parser is shown.
    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<FormatStep, Reason>;

    /// The message ends before `at`.
    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages);

    /// The rest of the message is lost, and where the next one begins is not known.
    fn on_loss(&mut self, direction: Direction, out: &mut Messages);

    /// Bytes allocated on the heap.
    fn bytes(&self) -> usize {
        0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Where the next message begins is not known.
    #[default]
    Lost,
    /// A message begins here.
    Between,
    /// In a message: bytes that are left, and whether its format reads them.
    Within { left: u64, read: bool },
}

#[derive(Clone, Copy, Debug, Default)]
struct FramedSide {
    state: State,
    /// Bytes that were shown truncated: they belong to the gap that follows.
    truncated: u64,
}

/// The parser of a [`Format`].
#[derive(Debug)]
pub(crate) struct Framed<F> {
    format: F,
    sides: PerDirection<FramedSide>,
}

impl<F: Format> Framed<F> {
    /// Both directions search for the beginning of a message first.
    pub(crate) fn new(format: F) -> Self {
        Self { format, sides: PerDirection::default() }
    }

    /// Bytes before the first message, and whether one begins there.
    fn find(&self, direction: Direction, bytes: &[u8], out: &Messages) -> (usize, Probe) {
        for at in 0..bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.format.begins(direction, rest, out) {
                Probe::No => {}
                found => return (at, found),
            }
        }
        (bytes.len(), Probe::No)
    }
}

impl<F: Format> Parser for Framed<F> {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.sides[direction].state {
                State::Lost => {
                    let (before, found) = self.find(direction, rest, out);
                    at += before;
                    match found {
                        Probe::Yes => self.sides[direction].state = State::Between,
                        Probe::More => return Progress::Need { consumed: at, more: 1 },
                        Probe::No => return Progress::Consumed(at),
                    }
                }
                State::Between if rest.is_empty() => return Progress::Consumed(at),
                State::Between if rest.len() < F::HEAD => {
                    return Progress::Need { consumed: at, more: F::HEAD - rest.len() };
                }
                State::Between => {
                    let Some(left) =
                        self.format.length(direction, rest).filter(|n| *n >= F::HEAD as u64)
                    else {
                        return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
                    };
                    self.sides[direction].state = State::Within { left, read: true };
                }
                State::Within { left: 0, .. } => {
                    self.format.close(direction, at, out);
                    self.sides[direction].state = State::Between;
                }
                State::Within { left, read } => {
                    let here = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let shown = rest.get(..here).unwrap_or_default();
                    let step = match read {
                        true => self.format.step(direction, shown, left, at, out),
                        false => Ok(FormatStep::Take(left)),
                    };
                    match step {
                        Ok(FormatStep::Take(n)) => {
                            let n = n.clamp(1, left);
                            self.sides[direction].state = State::Within { left: left - n, read };
                            let in_sight = n.min(here as u64);
                            at += in_sight as usize;
                            if n > in_sight {
                                return Progress::Skip { consumed: at, body: n - in_sight };
                            }
                        }
                        Ok(FormatStep::Need(n)) if n > here && n as u64 <= left => {
                            return Progress::Need { consumed: at, more: n - here };
                        }
                        Ok(FormatStep::Need(_) | FormatStep::Done) => {
                            self.sides[direction].state = State::Within { left, read: false };
                        }
                        Err(reason) => return Progress::GiveUp { consumed: at, reason },
                    }
                }
            }
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], _: &mut Messages) {
        self.sides[direction].truncated = bytes.len() as u64;
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let side = &mut self.sides[direction];
        let missing = std::mem::take(&mut side.truncated).saturating_add(len);
        match side.state {
            State::Within { left, .. } if len > 0 && left >= missing => {
                side.state = State::Within { left: left - missing, read: false };
            }
            _ => {
                side.state = State::Lost;
                self.format.on_loss(direction, out);
                out.mark_loss();
            }
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if let State::Within { .. } = self.sides[direction].state {
            self.format.on_loss(direction, out);
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.format.bytes()
    }
}
