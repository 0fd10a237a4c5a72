//! Reassembly of one direction of a connection: segments in, chunks in order out.
//!
//! Bytes have 64-bit stream offsets; offset 0 is the byte after the SYN, or the first byte that is
//! new to the receiver where the capture begins in the middle. A segment at the expected offset
//! comes out at once. One that lies ahead waits in the [`OutOfOrderQueue`] until the hole before it
//! is filled or dropped. A hole is dropped, and comes out as [`Chunk::Gap`], when
//!
//! * its receiver acknowledged it ([`Stream::on_ack`]): the bytes passed without being captured,
//! * it stayed open for longer than [`hole_wait`](crate::ReassemblyLimits::hole_wait)
//!   ([`Stream::expire`]),
//! * too many bytes wait behind it ([`Stream::on_segment`]),
//! * the connection is over ([`Stream::flush`]).

use std::num::NonZeroU64;

use wire::{SeqNum, Timestamp, invariant};

use super::{Budget, Chunk, OutOfOrderQueue, Segment};

/// Bytes ahead of the expected one at which a segment or an acknowledgement is still believed: the
/// largest window of TCP (RFC 7323, section 2.3).
const MAX_AHEAD: i64 = 1 << 30;
/// Numbers of other SYNs that are remembered until the peer acknowledges one.
const MAX_OTHER_BASES: usize = 8;

/// One direction of a connection. Every byte comes out once; of different copies, the first one.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Sequence number of offset 0.
    base: SeqNum,
    /// `base` is final: a segment of this direction was seen.
    started: bool,
    /// Not started, but the peer acknowledged everything before `base`.
    has_ack: bool,
    /// Everything up to the FIN came out.
    finished: bool,
    /// Offset of the next byte to come out.
    next: u64,
    /// Offset of the FIN plus one, once a FIN was seen.
    fin: Option<NonZeroU64>,
    /// Allocated with the first hole.
    extra: Option<Box<Extra>>,
}

/// What a stream without a hole never needs.
#[derive(Debug, Default)]
struct Extra {
    queue: OutOfOrderQueue,
    /// Offset up to which the receiver acknowledged, where that is beyond `next`.
    acked: u64,
    /// When it first acknowledged beyond `next`.
    acked_since: Timestamp,
    /// Bytes that came out as gaps.
    missing_bytes: u64,
    /// Those of them of which no packet was captured. The others were cut off by the snap length.
    lost_bytes: u64,
    /// Bytes in the queue, as many as were on the wire.
    queued_bytes: u64,
    differing_overlaps: u32,
    /// Where offset 0 would be by other SYNs of this side than the last one.
    other_bases: Vec<SeqNum>,
}

/// What a call did besides passing chunks on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reassembled {
    /// Everything up to the FIN has now come out. True once a stream.
    pub(crate) finished: bool,
    /// Holes dropped since too many bytes waited behind them.
    pub(crate) holes_dropped: u64,
}

impl Stream {
    /// Sequence number of offset 0.
    pub(crate) fn base(&self) -> SeqNum {
        self.base
    }

    /// Bytes seen, each of them once.
    pub(crate) fn goodput_bytes(&self) -> u64 {
        self.extra.as_ref().map_or(self.next, |x| self.next - x.lost_bytes + x.queued_bytes)
    }

    /// Bytes that were sent and not captured.
    pub(crate) fn missing_bytes(&self) -> u64 {
        self.extra.as_ref().map_or(0, |extra| extra.missing_bytes)
    }

    /// Segments with other content than an earlier copy of the same bytes, as far as the earlier
    /// copy was still in the queue.
    pub(crate) fn differing_overlaps(&self) -> u32 {
        self.extra.as_ref().map_or(0, |extra| extra.differing_overlaps)
    }

    /// Heap memory besides the queue, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        if self.extra.is_some() { size_of::<Extra>() } else { 0 }
    }

    /// Bytes that the queue is counted for in the [`Budget`].
    #[cfg(test)]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.extra.as_ref().map_or(0, |extra| extra.queue.cost())
    }

    /// Whether everything up to the FIN came out.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether a hole is open, so that [`Self::expire`] may drop it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.queue().is_some() || self.acked() > self.next
    }

    /// The queue, if anything is in it.
    fn queue(&self) -> Option<&OutOfOrderQueue> {
        self.extra.as_ref().map(|extra| &extra.queue).filter(|queue| !queue.is_empty())
    }

    /// Offset of the first byte in the queue.
    fn queue_start(&self) -> Option<u64> {
        self.queue().and_then(OutOfOrderQueue::start)
    }

    /// Offset up to which the receiver acknowledged, as far as that matters: 0 or beyond `next`
    /// at the time of the acknowledgement.
    fn acked(&self) -> u64 {
        self.extra.as_ref().map_or(0, |extra| extra.acked)
    }

    fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether the receiver acknowledged bytes that did not come out, if it acknowledges `ack` now.
    pub(crate) fn is_behind(&self, ack: SeqNum) -> bool {
        self.started && (self.acked() > self.next || self.offset_of(ack) > self.next as i64)
    }

    /// Whether the receiver has payload that was not seen yet, if it acknowledges `ack`.
    pub(crate) fn lacks(&self, ack: SeqNum) -> bool {
        let ahead = self.offset_of(ack) - self.next as i64;
        // One byte may be a FIN that was not captured.
        self.started && (2..=MAX_AHEAD).contains(&ahead) && self.fin.is_none()
    }

    /// Whether all payload of `segment` came out before.
    pub(crate) fn has_delivered(&self, segment: &Segment<'_>) -> bool {
        let len = i64::from(segment.tcp.payload_len);
        self.started && len > 0 && self.offset_of(segment.payload_seq()) + len <= self.next as i64
    }

    /// Stream offset of a sequence number: the one that is nearest to the expected byte. Negative
    /// for bytes before offset 0.
    fn offset_of(&self, seq: SeqNum) -> i64 {
        let expected = self.base.plus(self.next as u32);
        self.next as i64 + i64::from(seq.distance(expected))
    }

    /// Takes a segment of this direction. Without `keep`, the queue stores lengths and no bytes.
    pub(crate) fn on_segment(
        &mut self,
        segment: &Segment<'_>,
        keep: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Reassembled {
        let tcp = &segment.tcp;
        if tcp.flags.rst() {
            return Reassembled::default();
        }
        self.start(segment);
        let start = self.offset_of(segment.payload_seq());
        let end = start + i64::from(tcp.payload_len);
        if start > self.next as i64 + MAX_AHEAD {
            return Reassembled::default();
        }
        if tcp.flags.fin() && self.fin.is_none() {
            self.fin = u64::try_from(end).ok().and_then(|end| NonZeroU64::new(end + 1));
        }
        let mut reassembled = Reassembled::default();
        if end > self.next as i64 {
            self.on_payload(start, end as u64, segment, keep, budget, out);
            reassembled.holes_dropped = self.enforce_limits(segment.time, budget, out);
        }
        reassembled.finished = self.take_finished();
        reassembled
    }

    /// Takes an acknowledgement of the peer, which tells what it received of several SYNs with
    /// numbers of their own: a SYN proxy or a load balancer answers a client as well as the server
    /// does. A `syn_ack` acknowledges the SYN that it answers.
    pub(crate) fn on_ack_of_syn(&mut self, ack: SeqNum, syn_ack: bool) {
        if !self.started || ack == self.base || !self.is_empty() {
            return;
        }
        let answered = |extra: &Extra| extra.other_bases.contains(&ack);
        if syn_ack || self.extra.as_deref().is_some_and(answered) {
            self.base = ack;
        }
    }

    /// Whether nothing but SYNs was seen of this direction.
    fn is_empty(&self) -> bool {
        self.next == 0 && self.queue().is_none()
    }

    /// Decides which byte has offset 0, if `segment` is the first of this direction. Where the
    /// capture begins in the middle, it is the first byte that the receiver does not have: what
    /// lies before it is a retransmission of something that was over before.
    pub(crate) fn start(&mut self, segment: &Segment<'_>) {
        let tcp = &segment.tcp;
        let first = segment.payload_seq();
        // Payload so far from the SYN belongs to another SYN, which was not captured.
        let is_far = |stream: &Self| {
            tcp.payload_len > 0 && !(-1..=MAX_AHEAD).contains(&stream.offset_of(first))
        };
        let anew = self.started && self.is_empty() && (tcp.flags.syn() || is_far(self));
        if tcp.flags.rst() || (self.started && !anew) {
            return;
        }
        if anew && first != self.base && tcp.flags.syn() {
            let base = self.base;
            let others = &mut self.extra_mut().other_bases;
            if others.len() < MAX_OTHER_BASES && !others.contains(&base) {
                others.push(base);
            }
        }
        let retransmitted = self.has_ack && !tcp.flags.syn() && first.before(self.base);
        if !retransmitted {
            self.base = first;
        }
        self.started = true;
    }

    /// Takes an acknowledgement of the peer before any segment of this direction.
    pub(crate) fn on_ack_before_start(&mut self, ack: SeqNum) {
        if self.started || (self.has_ack && ack.before(self.base)) {
            return;
        }
        self.base = ack;
        self.has_ack = true;
    }

    /// Takes the payload of a segment, which has stream offsets `start..end` and ends beyond
    /// `next`.
    fn on_payload(
        &mut self,
        start: i64,
        end: u64,
        segment: &Segment<'_>,
        keep: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) {
        let from = start.max(self.next as i64) as u64;
        let known = (from as i64 - start) as usize;
        // Fewer than `end - from` where the snap length cut the frame.
        let mut captured = segment.tcp.payload.get(known..).unwrap_or(&[]);
        if from == self.next {
            let until = self.queue_start().map_or(end, |start| start.min(end));
            let len = usize::try_from(until - from).unwrap_or(usize::MAX).min(captured.len());
            let (now, rest) = captured.split_at(len);
            self.deliver(until - from, until - from - len as u64, segment.time, now, out);
            captured = rest;
        }
        let from = from.max(self.next);
        if from < end {
            let extra = self.extra_mut();
            let before = extra.queue.cost();
            let inserted = extra.queue.insert(from, end - from, captured, keep, segment.time);
            budget.add(extra.queue.cost() - before);
            extra.queued_bytes += inserted.new;
            let differs = u32::from(inserted.differs);
            extra.differing_overlaps = extra.differing_overlaps.saturating_add(differs);
        }
        self.deliver_queued(budget, out);
    }

    /// Passes on `len` bytes at the expected offset: `bytes` are those that were kept, and the last
    /// `cut` were not captured.
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
        self.emit_gap(cut, time, true, out);
    }

    /// Passes on a gap of `len` bytes at the expected offset. `cut`: by the snap length.
    fn emit_gap(&mut self, len: u64, time: Timestamp, cut: bool, out: &mut impl FnMut(Chunk<'_>)) {
        if len > 0 {
            out(Chunk::Gap { offset: self.next, len, time, cut });
            self.next += len;
            let extra = self.extra_mut();
            extra.missing_bytes += len;
            extra.lost_bytes += if cut { 0 } else { len };
        }
    }

    /// Passes on what the queue has at the expected offset.
    fn deliver_queued(&mut self, budget: &mut Budget<'_>, out: &mut impl FnMut(Chunk<'_>)) {
        while let Some(extra) = &mut self.extra {
            let before = extra.queue.cost();
            let Some(piece) = extra.queue.pop_at(self.next) else { break };
            budget.release(before - extra.queue.cost());
            extra.queued_bytes -= piece.len;
            self.deliver(piece.len, piece.cut, piece.time, &piece.bytes, out);
        }
    }

    /// Drops the first hole; returns whether there was one.
    fn drop_first_hole(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> bool {
        let Some(start) = self.queue_start() else { return false };
        if !invariant!(start > self.next, "a hole lies before what is queued") {
            return false;
        }
        self.emit_gap(start - self.next, time, false, out);
        self.deliver_queued(budget, out);
        true
    }

    /// Drops holes while too many bytes wait; returns how many.
    fn enforce_limits(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> u64 {
        let over = |queue: &OutOfOrderQueue, budget: &Budget<'_>| {
            queue.cost() > budget.limits.stream_bytes || budget.exceeded()
        };
        let mut dropped = 0;
        while self.queue().is_some_and(|queue| over(queue, budget)) {
            if !self.drop_first_hole(time, budget, out) {
                invariant!("what is queued waits for a hole");
                break;
            }
            dropped += 1;
        }
        dropped
    }

    /// Takes an acknowledgement of the receiver, which has everything up to `ack`. Bytes of it that
    /// were not seen passed without being captured, unless the capture is out of order: holes
    /// before `ack` are dropped after
    /// [`acked_hole_wait`](crate::ReassemblyLimits::acked_hole_wait), or at once if the receiver
    /// `answered` with data.
    pub(crate) fn on_ack(
        &mut self,
        ack: SeqNum,
        time: Timestamp,
        answered: bool,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Reassembled {
        if !self.started {
            return Reassembled::default();
        }
        let ahead = self.offset_of(ack) - self.next as i64;
        if ahead > 0 && ahead <= MAX_AHEAD {
            let mut upto = self.next + ahead as u64;
            if let Some(fin) = self.fin {
                upto = upto.min(fin.get() - 1);
            }
            // A single byte beyond everything seen is a FIN that was not captured.
            let fin_only = ahead == 1 && self.queue().is_none();
            if upto > self.next && !fin_only {
                let next = self.next;
                let extra = self.extra_mut();
                if extra.acked <= next {
                    extra.acked_since = time;
                }
                extra.acked = extra.acked.max(upto);
            }
        }
        let Some(extra) = self.extra.as_ref().filter(|extra| extra.acked > self.next) else {
            return Reassembled::default();
        };
        let waited = time.nanos_since(extra.acked_since);
        if answered || u128::from(waited) >= budget.limits.acked_hole_wait.as_nanos() {
            self.drop_acked_holes(time, budget, out);
        }
        Reassembled { finished: self.take_finished(), holes_dropped: 0 }
    }

    /// Drops the holes before what the receiver acknowledged.
    fn drop_acked_holes(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) {
        while self.acked() > self.next {
            let acked = self.acked();
            let until = self.queue_start().map_or(acked, |start| start.min(acked));
            if !invariant!(until > self.next, "a hole lies before what is queued") {
                return;
            }
            self.emit_gap(until - self.next, time, false, out);
            self.deliver_queued(budget, out);
        }
    }

    /// Drops the holes that were open for too long at `now`.
    pub(crate) fn expire(
        &mut self,
        now: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Reassembled {
        let over = |since: Timestamp, wait: std::time::Duration| {
            u128::from(now.nanos_since(since)) >= wait.as_nanos()
        };
        let next = self.next;
        let late = |extra: &Extra| {
            extra.acked > next && over(extra.acked_since, budget.limits.acked_hole_wait)
        };
        if self.extra.as_deref().is_some_and(late) {
            self.drop_acked_holes(now, budget, out);
        }
        let since = |stream: &Self| stream.queue().and_then(OutOfOrderQueue::since);
        while since(self).is_some_and(|since| over(since, budget.limits.hole_wait)) {
            if !self.drop_first_hole(now, budget, out) {
                invariant!("what is queued waits for a hole");
                break;
            }
        }
        Reassembled { finished: self.take_finished(), holes_dropped: 0 }
    }

    /// Drops all holes.
    pub(crate) fn flush(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        out: &mut impl FnMut(Chunk<'_>),
    ) -> Reassembled {
        self.drop_acked_holes(time, budget, out);
        while self.drop_first_hole(time, budget, out) {}
        Reassembled { finished: self.take_finished(), holes_dropped: 0 }
    }

    /// Whether the stream is finished since this call.
    fn take_finished(&mut self) -> bool {
        let now = !self.finished && self.fin.is_some_and(|fin| self.next >= fin.get() - 1);
        self.finished |= now;
        now
    }
}
