use std::num::NonZeroU64;

use wire::{SeqNum, Timestamp};

use super::{Budget, Chunk, Held, Segment};
use crate::config::ReassemblyLimits;

/// Bytes beyond the expected one that a segment or an acknowledgement can lie and still be believed.
const FARTHEST: i64 = 1 << 30;

/// One direction of a connection, put in order: chunks come out by offset, every byte once, the first copy of it wins.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    base: SeqNum,
    started: bool,
    /// Not started, and the receiver has everything before `base`.
    received: bool,
    /// Told that the stream ended.
    ended: bool,
    next: u64,
    /// Offset behind the last byte plus one, once a FIN told it.
    fin: Option<NonZeroU64>,
    /// What a stream without a hole never has.
    rare: Option<Box<Rare>>,
}

#[derive(Debug, Default)]
struct Rare {
    held: Held,
    /// Farthest byte that the receiver acknowledged beyond `next`, and since when.
    acked: u64,
    acked_since: Timestamp,
    missing: u64,
    /// Those of `missing` of which no packet was captured.
    lost: u64,
    /// Bytes on the wire of what is held.
    waiting: u64,
    differing_overlaps: u32,
}

/// What a call of [`Stream`] came to besides chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The last byte came out, and a FIN stands behind it.
    pub(crate) ended: bool,
    /// Holes that were given up because too much was waiting.
    pub(crate) forced: u64,
}

impl Stream {
    /// Sequence number of offset 0.
    pub(crate) fn base(&self) -> SeqNum {
        self.base
    }

    /// Bytes seen, every one once.
    pub(crate) fn goodput(&self) -> u64 {
        self.rare.as_ref().map_or(self.next, |rare| self.next - rare.lost + rare.waiting)
    }

    /// Bytes that are known to have been sent, and were not captured.
    pub(crate) fn missing(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.missing)
    }

    /// Times that two copies of the same bytes said different things, as far as both were there to compare.
    pub(crate) fn differing_overlaps(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.differing_overlaps)
    }

    /// Memory besides what waits, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        if self.rare.is_some() { size_of::<Rare>() } else { 0 }
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.held.cost())
    }

    /// Whether everything up to the FIN came out.
    pub(crate) fn is_over(&self) -> bool {
        self.ended
    }

    /// Whether something waits for a time to pass.
    pub(crate) fn waits(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.held.is_empty() || rare.acked > self.next)
    }

    fn held(&self) -> Option<&Held> {
        self.rare.as_ref().map(|rare| &rare.held).filter(|held| !held.is_empty())
    }

    fn acked(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.acked)
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether an acknowledgement up to `ack` concerns bytes that did not come out yet.
    pub(crate) fn lags(&self, ack: SeqNum) -> bool {
        self.started && (self.acked() > self.next || self.offset_of(ack) > self.next as i64)
    }

    /// Whether all payload of `segment` came out before.
    pub(crate) fn had(&self, segment: &Segment<'_>) -> bool {
        let len = i64::from(segment.tcp.payload_len);
        self.started && len > 0 && self.offset_of(segment.payload_seq()) + len <= self.next as i64
    }

    fn offset_of(&self, seq: SeqNum) -> i64 {
        let expected = self.base.plus(self.next as u32);
        self.next as i64 + i64::from(seq.distance(expected))
    }

    /// Takes a segment of this direction. Without `keep`, payload that would have to wait is not stored.
    pub(crate) fn segment(
        &mut self,
        segment: &Segment<'_>,
        keep: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Outcome {
        let tcp = &segment.tcp;
        if tcp.flags.rst() {
            return Outcome::default();
        }
        self.begin(segment);
        let start = self.offset_of(segment.payload_seq());
        let end = start + i64::from(tcp.payload_len);
        if start > self.next as i64 + FARTHEST {
            return Outcome::default();
        }
        if tcp.flags.fin() && self.fin.is_none() {
            self.fin = u64::try_from(end).ok().and_then(|end| NonZeroU64::new(end + 1));
        }
        let mut outcome = Outcome::default();
        if end > self.next as i64 {
            self.payload(start, end as u64, segment, keep, budget, out);
            outcome.forced = self.enforce(segment.time, budget, out);
        }
        outcome.ended = self.take_end();
        outcome
    }

    /// Decides what offset 0 is, if `segment` is the first of this direction. Joined in the middle, a stream starts at its first
    /// byte that the receiver does not have: what comes from before that is a repeat of something that was over before the capture
    /// began.
    pub(crate) fn begin(&mut self, segment: &Segment<'_>) {
        let tcp = &segment.tcp;
        let fresh = self.next == 0 && self.held().is_none();
        if tcp.flags.rst() || (self.started && !(tcp.flags.syn() && fresh)) {
            return;
        }
        let repeat = self.received && !tcp.flags.syn() && segment.payload_seq().before(self.base);
        if !repeat {
            self.base = segment.payload_seq();
        }
        self.started = true;
    }

    /// Takes an acknowledgement that came before anything of this direction was seen.
    pub(crate) fn received_before_start(&mut self, ack: SeqNum) {
        if self.started || (self.received && ack.before(self.base)) {
            return;
        }
        self.base = ack;
        self.received = true;
    }

    fn payload(
        &mut self,
        start: i64,
        end: u64,
        segment: &Segment<'_>,
        keep: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) {
        let (time, mut bytes) = (segment.time, segment.tcp.payload);
        let from = start.max(self.next as i64) as u64;
        let known = (from as i64 - start) as usize;
        bytes = bytes.get(known..).unwrap_or(&[]);
        if from == self.next {
            let until = self.held().and_then(Held::start).map_or(end, |held| held.min(end));
            let len = usize::try_from(until - from).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(len);
            self.deliver(until - from, until - from - now.len() as u64, time, now, out);
            bytes = later;
        }
        let from = from.max(self.next);
        if from < end {
            let rare = self.rare();
            let before = rare.held.cost();
            let inserted =
                rare.held.insert(from, end - from, bytes, keep, time, ReassemblyLimits::SEGMENT_OVERHEAD);
            budget.add(rare.held.cost() - before);
            rare.waiting += inserted.new;
            rare.differing_overlaps = rare.differing_overlaps.saturating_add(u32::from(inserted.differs));
        }
        self.drain(budget, out);
    }

    /// Hands on `len` bytes at the expected offset, of which `bytes` were kept and the last `cut` not captured.
    fn deliver(
        &mut self,
        len: u64,
        cut: u64,
        time: Timestamp,
        bytes: &[u8],
        out: &mut impl FnMut(Chunk<'_>),
    ) {
        if !bytes.is_empty() {
            out(Chunk::Data { offset: self.next, time, bytes });
        }
        self.next += len - cut;
        self.skip(cut, time, true, out);
    }

    fn skip(&mut self, len: u64, time: Timestamp, cut: bool, out: &mut impl FnMut(Chunk<'_>)) {
        if len > 0 {
            out(Chunk::Gap { offset: self.next, len, time, cut });
            self.next += len;
            let rare = self.rare();
            rare.missing += len;
            rare.lost += if cut { 0 } else { len };
        }
    }

    fn drain(&mut self, budget: &mut Budget<'_>, out: &mut impl FnMut(Chunk<'_>)) {
        while let Some(rare) = &mut self.rare {
            let before = rare.held.cost();
            let Some(piece) = rare.held.take_at(self.next, ReassemblyLimits::SEGMENT_OVERHEAD) else { break };
            budget.release(before - rare.held.cost());
            rare.waiting -= piece.len;
            self.deliver(piece.len, piece.cut, piece.time, &piece.bytes, out);
        }
    }

    /// Gives up the first hole.
    fn skip_hole(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> bool {
        let Some(start) = self.held().and_then(Held::start) else { return false };
        self.skip(start.saturating_sub(self.next), time, false, out);
        self.drain(budget, out);
        true
    }

    fn enforce(&mut self, time: Timestamp, budget: &mut Budget<'_>, out: &mut impl FnMut(Chunk<'_>)) -> u64 {
        let mut forced = 0;
        while self.held().is_some_and(|held| held.cost() > budget.limits.stream_bytes || budget.exceeded()) {
            if !self.skip_hole(time, budget, out) {
                break;
            }
            forced += 1;
        }
        forced
    }

    /// The receiver says that it has everything up to `ack`. Bytes of it that were not seen passed by without being captured,
    /// unless the capture is out of order: they are given up after a short wait, or at once if an answer proves it.
    pub(crate) fn acknowledged(
        &mut self,
        ack: SeqNum,
        time: Timestamp,
        answered: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Outcome {
        if !self.started {
            return Outcome::default();
        }
        let ahead = self.offset_of(ack) - self.next as i64;
        if ahead > 0 && ahead <= FARTHEST {
            let mut upto = self.next + ahead as u64;
            if let Some(fin) = self.fin {
                upto = upto.min(fin.get() - 1);
            }
            // A single byte beyond everything seen is a FIN that was not captured.
            let fin_only = ahead == 1 && self.held().is_none();
            if upto > self.next && !fin_only {
                let next = self.next;
                let rare = self.rare();
                if rare.acked <= next {
                    rare.acked_since = time;
                }
                rare.acked = rare.acked.max(upto);
            }
        }
        let Some(rare) = self.rare.as_ref().filter(|rare| rare.acked > self.next) else {
            return Outcome::default();
        };
        let waited = time.nanos_since(rare.acked_since);
        if answered || u128::from(waited) >= budget.limits.acked_hole_wait.as_nanos() {
            self.skip_acked(time, budget, out);
        }
        Outcome { ended: self.take_end(), forced: 0 }
    }

    fn skip_acked(&mut self, time: Timestamp, budget: &mut Budget<'_>, out: &mut impl FnMut(Chunk<'_>)) {
        while self.acked() > self.next {
            let acked = self.acked();
            let until = self.held().and_then(Held::start).map_or(acked, |held| held.min(acked));
            self.skip(until.saturating_sub(self.next), time, false, out);
            self.drain(budget, out);
        }
    }

    /// Gives up what waited too long by `now`.
    pub(crate) fn expire(
        &mut self,
        now: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Outcome {
        let over = |since: Timestamp, wait: std::time::Duration| {
            u128::from(now.nanos_since(since)) >= wait.as_nanos()
        };
        let next = self.next;
        let late = |rare: &Rare| rare.acked > next && over(rare.acked_since, budget.limits.acked_hole_wait);
        if self.rare.as_deref().is_some_and(late) {
            self.skip_acked(now, budget, out);
        }
        while self.held().and_then(Held::since).is_some_and(|since| over(since, budget.limits.hole_wait)) {
            self.skip_hole(now, budget, out);
        }
        Outcome { ended: self.take_end(), forced: 0 }
    }

    /// Hands on everything that waits.
    pub(crate) fn flush(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Outcome {
        self.skip_acked(time, budget, out);
        while self.skip_hole(time, budget, out) {}
        Outcome { ended: self.take_end(), forced: 0 }
    }

    fn take_end(&mut self) -> bool {
        let now = !self.ended && self.fin.is_some_and(|fin| self.next >= fin.get() - 1);
        self.ended |= now;
        now
    }
}
