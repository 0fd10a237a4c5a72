//! The parser of protocols whose frames are found again behind lost bytes: reads frame after frame,
//! closes the message that ends with one, skips what need not be read, and searches for the next
//! frame after a gap. How a frame looks and what it means stands in its protocol's
//! [`FrameFormat`].

use std::fmt;

use wire::{Direction, PerDirection};

use super::frames::{Frame, next_message};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};

/// What a [`FrameFormat`] made of the bytes at a place where a frame, or a part of one, begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameRead {
    /// At least so many bytes are needed, counted from the first of those shown.
    Need(usize),
    /// So many bytes are dealt with; those beyond the bytes shown are skipped. Behind them the
    /// message `ends` is closed.
    Take { len: usize, ends: Option<(Kind, u64)> },
    /// What stands behind so many bytes is not read.
    GiveUp { after: usize, reason: Reason },
}

impl FrameRead {
    /// No frame of the protocol looks like this.
    pub(crate) const MALFORMED: Self = Self::GiveUp { after: 0, reason: Reason::Malformed };

    /// So many bytes are dealt with, and no message ends behind them.
    pub(crate) const fn take(len: usize) -> Self {
        Self::Take { len, ends: None }
    }
}

/// The frames of one protocol, and the state of one connection.
pub(crate) trait FrameFormat: fmt::Debug + Send {
    /// What `bytes` look like as the beginning of a frame of `direction`. Called where no frame is
    /// known to begin, so it has to be strict.
    fn frame(&self, direction: Direction, bytes: &[u8]) -> Frame;

    /// Reads the frame, or the part of a frame, that `rest` begins with. `rest` is not empty; it
    /// is at `at` in the bytes that the parser is shown.
    fn read_frame(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> FrameRead;

    /// Reads the beginning of a frame of which the rest never comes.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages);

    /// Bytes of `direction` are lost: forgets what depends on them. The next call of this
    /// direction is at a frame's beginning.
    fn on_loss(&mut self, direction: Direction);

    /// The direction ended in order (FIN).
    fn end(&mut self, direction: Direction, out: &mut Messages) {
        let _ = (direction, out);
    }

    /// Bytes allocated on the heap.
    fn heap_bytes(&self) -> usize {
        0
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct FrameSide {
    /// The message to close behind the bytes that were dealt with last.
    ends: Option<(Kind, u64)>,
    /// Where the next frame begins is not known.
    lost: bool,
}

/// The parser of a [`FrameFormat`].
#[derive(Debug, Default)]
pub(crate) struct Resync<F> {
    frames: F,
    sides: PerDirection<FrameSide>,
}

impl<F: FrameFormat> Resync<F> {
    /// The first byte of each direction begins a frame.
    pub(crate) fn new(frames: F) -> Self {
        Self { frames, sides: PerDirection::default() }
    }
}

impl<F: FrameFormat> Parser for Resync<F> {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        if self.sides[direction].lost && !bytes.is_empty() {
            match next_message(bytes, |bytes| self.frames.frame(direction, bytes)) {
                Some(found) => at = found,
                None => return Progress::Consumed(bytes.len()),
            }
            self.sides[direction].lost = false;
        }
        loop {
            if let Some((kind, id)) = self.sides[direction].ends.take() {
                out.close(kind, id, at);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            match self.frames.read_frame(direction, rest, at, out) {
                FrameRead::Need(len) => {
                    let lacks = len > rest.len();
                    wire::invariant!(lacks, "a frame needs more bytes than it is shown");
                    let more = len.saturating_sub(rest.len()).max(1);
                    return Progress::Need { consumed: at, more };
                }
                FrameRead::Take { len, ends } => {
                    self.sides[direction].ends = ends;
                    if len > rest.len() {
                        let body = (len - rest.len()) as u64;
                        return Progress::Skip { consumed: bytes.len(), body };
                    }
                    at += len;
                }
                FrameRead::GiveUp { after, reason } => {
                    return Progress::GiveUp { consumed: at + after, reason };
                }
            }
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if !self.sides[direction].lost {
            self.frames.read_truncated(direction, bytes, out);
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = FrameSide { ends: None, lost: true };
        self.frames.on_loss(direction);
        Ok(())
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        self.frames.end(direction, out);
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.frames.heap_bytes()
    }
}
