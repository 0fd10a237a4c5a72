//! Header blocks (RFC 9113 section 4.3): joins the fragments of HEADERS, PUSH_PROMISE and
//! CONTINUATION frames. What the fragments encode is `hpack`'s.

use std::borrow::Cow;

use super::frame::{CONTINUATION, Frame, HEADER, PRIORITY_LEN, PUSH_PROMISE, STREAM_ID};

/// Most bytes of a header block, with its frame headers, that are read. Only a longer block is
/// reported before all of it came.
const LONGEST: usize = 48 * 1024;

/// The header block of a HEADERS or PUSH_PROMISE frame and the CONTINUATION frames behind it.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) fragments: Cow<'a, [u8]>,
    /// Promised stream (RFC 9113 section 6.6); PUSH_PROMISE only.
    pub(super) promised: u32,
    /// Bytes that it takes with its frame headers.
    pub(super) used: usize,
    /// Set if the block is longer than `LONGEST`: bytes of the frame behind `used`, and whether
    /// more frames follow.
    pub(super) rest: Option<(u64, bool)>,
}

/// Why there is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoBlock {
    /// At least `more` bytes are needed. The first `walked` of those shown are whole frames: the
    /// next call can begin behind them.
    Need {
        more: usize,
        walked: usize,
    },
    Malformed,
}

/// Reads the block whose first frame is at the beginning of `bytes`. An earlier call found whole
/// frames in the first `walked` bytes.
///
/// `cut`: no more bytes will come.
pub(super) fn read(bytes: &[u8], walked: usize, cut: bool) -> Result<Block<'_>, NoBlock> {
    let first = Frame::read(bytes).ok_or(NoBlock::Malformed)?;
    let end = HEADER + first.length;
    let read_to = end.min(LONGEST);
    if bytes.len() < read_to && !cut {
        return Err(NoBlock::Need { more: read_to - bytes.len(), walked: 0 });
    }
    let mut payload = bytes.get(HEADER..read_to.min(bytes.len())).ok_or(NoBlock::Malformed)?;
    let mut take = |n: usize| {
        let (head, rest) = payload.split_at_checked(n)?;
        payload = rest;
        Some(head)
    };
    let padding =
        if first.is_padded() { usize::from(take(1).ok_or(NoBlock::Malformed)?[0]) } else { 0 };
    if first.has_priority() {
        take(PRIORITY_LEN).ok_or(NoBlock::Malformed)?;
    }
    let mut promised = 0;
    if first.kind == PUSH_PROMISE {
        let id = take(4).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes);
        promised = id.ok_or(NoBlock::Malformed)? & STREAM_ID;
    }
    let whole = read_to == end && bytes.len() >= end;
    if whole {
        let length = payload.len().checked_sub(padding).ok_or(NoBlock::Malformed)?;
        payload = &payload[..length];
    }
    let used = read_to.min(bytes.len());
    let mut block = Block { fragments: Cow::Borrowed(payload), promised, used, rest: None };
    if !whole {
        block.rest = Some(((end - used) as u64, !first.ends_headers()));
    } else if !first.ends_headers() {
        block.append_continuations(bytes, first.stream, walked, cut)?;
    }
    Ok(block)
}

impl Block<'_> {
    /// Appends the fragments of the CONTINUATION frames (RFC 9113 section 6.10) behind the first
    /// frame.
    fn append_continuations(
        &mut self,
        bytes: &[u8],
        stream: u32,
        walked: usize,
        cut: bool,
    ) -> Result<(), NoBlock> {
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
