use std::borrow::Cow;

use super::frame::{CONTINUATION, Frame, HEADER, PUSH_PROMISE};

/// Bytes of a header block, with its frame headers, that are looked at. It is told before all of it came only if it is longer.
const LONGEST: usize = 48 * 1024;

/// The header block (RFC 9113 section 4.3) of a HEADERS or PUSH_PROMISE frame and the CONTINUATION frames behind it.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) fragments: Cow<'a, [u8]>,
    /// Of PUSH_PROMISE.
    pub(super) promised: u32,
    /// Bytes that it takes with its frame headers.
    pub(super) used: usize,
    /// Where it is longer than what is looked at: bytes of the frame behind `used`, and whether more frames follow.
    pub(super) rest: Option<(u64, bool)>,
}

/// Why there is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoBlock {
    /// At least `more` bytes are needed; the first `walked` of those shown are whole frames, and the next look can begin behind them.
    Need {
        more: usize,
        walked: usize,
    },
    Malformed,
}

/// Reads the block whose first frame stands at the beginning of `bytes`, of which the first `walked` were found to be whole frames
/// before. `cut`: no more bytes will come.
pub(super) fn read(bytes: &[u8], walked: usize, cut: bool) -> Result<Block<'_>, NoBlock> {
    let first = Frame::read(bytes).ok_or(NoBlock::Malformed)?;
    let end = HEADER + first.length;
    let looked_at = end.min(LONGEST);
    if bytes.len() < looked_at && !cut {
        return Err(NoBlock::Need { more: looked_at - bytes.len(), walked: 0 });
    }
    let mut payload = bytes.get(HEADER..looked_at.min(bytes.len())).ok_or(NoBlock::Malformed)?;
    let mut take = |n: usize| {
        let (head, rest) = payload.split_at_checked(n)?;
        payload = rest;
        Some(head)
    };
    let padding = if first.is_padded() { usize::from(take(1).ok_or(NoBlock::Malformed)?[0]) } else { 0 };
    if first.has_priority() {
        take(5).ok_or(NoBlock::Malformed)?;
    }
    let mut promised = 0;
    if first.kind == PUSH_PROMISE {
        let id = take(4).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes);
        promised = id.ok_or(NoBlock::Malformed)? & 0x7fff_ffff;
    }
    let whole = looked_at == end && bytes.len() >= end;
    if whole {
        let length = payload.len().checked_sub(padding).ok_or(NoBlock::Malformed)?;
        payload = &payload[..length];
    }
    let used = looked_at.min(bytes.len());
    let mut block = Block { fragments: Cow::Borrowed(payload), promised, used, rest: None };
    if !whole {
        block.rest = Some(((end - used) as u64, !first.ends_headers()));
    } else if !first.ends_headers() {
        block.go_on(bytes, first.stream, walked, cut)?;
    }
    Ok(block)
}

impl Block<'_> {
    fn go_on(&mut self, bytes: &[u8], stream: u32, walked: usize, cut: bool) -> Result<(), NoBlock> {
        let (first, mut at) = (self.used, walked.max(self.used));
        loop {
            let Some(rest) = bytes.get(at..) else { return Err(NoBlock::Malformed) };
            let frame = match Frame::read(rest) {
                Some(frame) => frame,
                None if cut => break self.rest = Some((0, true)),
                None => return Err(NoBlock::Need { more: HEADER - rest.len(), walked: at }),
            };
            if frame.kind != CONTINUATION || frame.stream != stream {
                return Err(NoBlock::Malformed);
            }
            let end = HEADER + frame.length;
            if at + end > LONGEST {
                break self.rest = Some((0, true));
            }
            if rest.len() < end {
                if cut {
                    at = bytes.len();
                    break self.rest = Some((0, true));
                }
                return Err(NoBlock::Need { more: end - rest.len(), walked: at });
            }
            at += end;
            if frame.ends_headers() {
                break;
            }
        }
        let mut all = self.fragments.to_vec();
        let mut rest = bytes.get(first..at).unwrap_or_default();
        while let Some(frame) = Frame::read(rest) {
            let (piece, behind) = rest.split_at(rest.len().min(HEADER + frame.length));
            all.extend_from_slice(piece.get(HEADER..).unwrap_or_default());
            rest = behind;
        }
        (self.used, self.fragments) = (at, Cow::Owned(all));
        Ok(())
    }
}
