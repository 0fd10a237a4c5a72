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
    /// At least so many bytes more are needed.
    Need(usize),
    Malformed,
}

/// Reads the block whose first frame stands at the beginning of `bytes`. `cut`: no more bytes will come.
pub(super) fn read(bytes: &[u8], cut: bool) -> Result<Block<'_>, NoBlock> {
    let first = Frame::read(bytes).ok_or(NoBlock::Malformed)?;
    let end = HEADER + first.length;
    let looked_at = end.min(LONGEST);
    if bytes.len() < looked_at && !cut {
        return Err(NoBlock::Need(looked_at - bytes.len()));
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
        block.go_on(bytes, first.stream, cut)?;
    }
    Ok(block)
}

impl Block<'_> {
    fn go_on(&mut self, bytes: &[u8], stream: u32, cut: bool) -> Result<(), NoBlock> {
        let mut all = self.fragments.to_vec();
        loop {
            let Some(rest) = bytes.get(self.used..) else { return Err(NoBlock::Malformed) };
            let frame = match Frame::read(rest) {
                Some(frame) => frame,
                None if cut => break self.rest = Some((0, true)),
                None => return Err(NoBlock::Need(HEADER - rest.len())),
            };
            if frame.kind != CONTINUATION || frame.stream != stream {
                return Err(NoBlock::Malformed);
            }
            let end = HEADER + frame.length;
            if self.used + end > LONGEST {
                break self.rest = Some((0, true));
            }
            match rest.get(HEADER..end) {
                Some(fragment) => all.extend_from_slice(fragment),
                None if cut => {
                    all.extend_from_slice(&rest[HEADER..]);
                    self.used = bytes.len();
                    break self.rest = Some((0, true));
                }
                None => return Err(NoBlock::Need(end - rest.len())),
            }
            self.used += end;
            if frame.ends_headers() {
                break;
            }
        }
        self.fragments = Cow::Owned(all);
        Ok(())
    }
}
