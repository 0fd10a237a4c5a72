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
    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead;

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

#[cfg(test)]
mod tests {
    use wire::Transport;

    use super::*;
    use crate::contract::{Clue, Probe, Protocol};
    use crate::correlate::Order;
    use crate::testing::{C, Talk};
    use fact::Outcome;

    /// A frame: `M`, the length of its payload in a byte, the payload, which is not read.
    #[derive(Debug, Default)]
    struct Toy;

    impl FrameFormat for Toy {
        fn frame(&self, _: Direction, bytes: &[u8]) -> Frame {
            match bytes {
                [b'M', len, rest @ ..] if rest.len() >= usize::from(*len) => {
                    Frame::Whole(2 + usize::from(*len))
                }
                [b'M', ..] => Frame::Part,
                _ => Frame::No,
            }
        }

        fn read_frame(
            &mut self,
            direction: Direction,
            rest: &[u8],
            at: usize,
            out: &mut Messages<'_>,
        ) -> FrameRead {
            match rest {
                [b'M', len, ..] => {
                    let kind = if direction == C { Kind::Request } else { Kind::Response };
                    out.open(kind, 0, at);
                    FrameRead::Take { len: 2 + usize::from(*len), ends: Some((kind, 0)) }
                }
                [b'M'] => FrameRead::Need(2),
                _ => FrameRead::MALFORMED,
            }
        }

        fn read_truncated(&mut self, _: Direction, _: &[u8], _: &mut Messages<'_>) {}

        fn on_loss(&mut self, _: Direction) {}
    }

    impl Protocol for Toy {
        const NAME: fact::Protocol = fact::Protocol::new("toy");
        const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
        const PORTS: &'static [u16] = &[7];
        const ORDER: Order = Order::InOrder;

        fn probe(_: &[u8], _: Direction, _: &Clue) -> Probe {
            Probe::No
        }

        fn parser(_: &Clue) -> Box<dyn Parser> {
            Box::new(Resync::new(Toy))
        }
    }

    /// Bytes of the request and of the response, and the outcome, of each exchange.
    fn exchanges(t: &mut Talk) -> Vec<(Option<u64>, Option<u64>, Outcome)> {
        let bytes = |span: Option<fact::MessageSpan>| span.map(|span| span.bytes);
        t.over().iter().map(|e| (bytes(e.request), bytes(e.response), e.outcome)).collect()
    }

    #[test]
    fn frames_are_read_and_skipped_however_they_are_cut() {
        let mut t = Talk::of::<Toy>();
        t.c("M").c("\x05ab").c("cd").c("eM\x00").s("M\x01xM").s("\x02yy");
        let expected = [(Some(7), Some(3), Outcome::Ok), (Some(2), Some(4), Outcome::Ok)];
        assert_eq!(exchanges(&mut t), expected);
    }

    #[test]
    fn the_next_frame_is_found_behind_a_gap() {
        let mut t = Talk::of::<Toy>();
        t.c("M\x01a").s("M\x01b").gap(C, 4).c("tailM\x01cM\x00").s("M\x02ddM\x00");
        let expected = [
            (Some(3), Some(3), Outcome::Ok),
            // Requests may be missing: which response is whose is not certain.
            (Some(3), None, Outcome::LostBytes),
            (None, Some(4), Outcome::NoRequest),
            (Some(2), None, Outcome::LostBytes),
            (None, Some(2), Outcome::NoRequest),
        ];
        assert_eq!(exchanges(&mut t), expected);
    }

    #[test]
    fn a_gap_in_a_skipped_payload_loses_no_frame() {
        let mut t = Talk::of::<Toy>();
        t.c("M\x09ab").gap(C, 5).c("cdM\x00").s("M\x00M\x00");
        let found = exchanges(&mut t);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], (Some(2), Some(2), Outcome::Ok));
    }
}
