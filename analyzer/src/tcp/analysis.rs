use fact::TcpCounter;
use wire::decode::TcpFlags;
use wire::{SeqNum, Side, Timestamp};

use super::{Circumstance, Findings, Segment, Unacked};
use crate::per_side::PerSide;

/// Within this time after the second duplicate ACK a repeated segment counts as fast retransmission.
const FAST_RETRANSMISSION_NS: i64 = 20_000_000;
/// What counts as reordering where the initial round-trip time is not known.
const REORDERING_NS: u64 = 3_000_000;
/// Value of `duplicates` after an ACK of bytes that were never seen: as good as many duplicates.
const DUPLICATES_UNKNOWN: u32 = u32::MAX;
/// Window before the first segment: differs from every window field.
const WINDOW_UNKNOWN: u32 = u32::MAX;
/// Segments remembered of a side whose peer was never seen.
const ONE_WAY_SEGMENTS: usize = 256;

/// Tells retransmissions, reordering, keep-alives and window troubles apart with the results of Wireshark 4.0's
/// `tcp.analysis`, one segment after the other.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    tracks: PerSide<Track>,
    handshake: Handshake,
}

#[derive(Clone, Copy, Debug, Default)]
enum Handshake {
    #[default]
    Unseen,
    /// Time of the last SYN.
    Syn(Timestamp),
    /// From the last SYN to the first ACK after it, in nanoseconds. Negative times wrap, as all times in this comparison do.
    RoundTrip(u64),
}

/// What one side sent so far. A sequence number of 0 stands for "not known".
#[derive(Debug)]
struct Track {
    /// One past the highest byte sent, and when it was sent.
    next: SeqNum,
    next_time: Timestamp,
    /// One past the highest byte up to which nothing is missing.
    contiguous: SeqNum,
    last_ack: SeqNum,
    last_ack_time: Timestamp,
    window: u32,
    duplicates: u32,
    /// Initial sequence number, real or reckoned.
    base: SeqNum,
    based: bool,
    scale: Scale,
    /// The last segment was a SYN: windows are not scaled yet.
    unscaled: bool,
    /// Which probe the last segment was: `ZeroWindowProbe` or `KeepAlive`, if it was one.
    probe: Option<TcpCounter>,
    /// The last segment carried SACK blocks beyond its acknowledgement.
    selective: bool,
    seen: bool,
    unacked: Unacked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Unknown,
    Unused,
    Shift(u8),
}

impl Default for Track {
    fn default() -> Self {
        Self {
            next: SeqNum(0),
            next_time: Timestamp::ZERO,
            contiguous: SeqNum(0),
            last_ack: SeqNum(0),
            last_ack_time: Timestamp::ZERO,
            window: WINDOW_UNKNOWN,
            duplicates: 0,
            base: SeqNum(0),
            based: false,
            scale: Scale::Unknown,
            unscaled: false,
            probe: None,
            selective: false,
            seen: false,
            unacked: Unacked::default(),
        }
    }
}

/// Outcome of the analysis of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) findings: Findings,
    /// Since the segment that this one acknowledges, by Wireshark's choice among copies; never 0, negative if the clock
    /// went back.
    pub(crate) ack_rtt_ns: Option<i64>,
    /// Since the segment that this one acknowledges, where it is certain which.
    pub(crate) rtt_ns: Option<u64>,
}

impl Analysis {
    /// Whether `segment` opens another connection on the same addresses and ports.
    pub(crate) fn starts_over(&self, segment: &Segment<'_>) -> bool {
        segment.opens() && self.tracks.get(segment.side).based_elsewhere(segment.tcp.seq)
    }

    pub(crate) fn window_scale(&self, side: Side) -> Option<u8> {
        match self.tracks.get(side).scale {
            Scale::Shift(shift) => Some(shift),
            Scale::Unknown | Scale::Unused => None,
        }
    }

    /// Whether `segment` acknowledges all that the other side sent.
    pub(crate) fn covers(&self, segment: &Segment<'_>) -> bool {
        self.tracks.get(segment.side.other()).next == segment.tcp.ack
    }

    /// Copies of segments of `side` that were sent more than once and are not acknowledged.
    pub(crate) fn unheard(&self, side: Side) -> usize {
        self.tracks.get(side).unacked.copies()
    }

    /// Under which circumstances `segment`, which was judged just now, is repeated.
    pub(crate) fn circumstance(&self, segment: &Segment<'_>, selective: bool) -> Circumstance {
        let (own, peer) = (self.tracks.get(segment.side), self.tracks.get(segment.side.other()));
        let end = segment.tcp.seq.plus(segment.tcp.payload_len + u32::from(segment.counted_flag()));
        Circumstance {
            called: peer.calls(),
            silence_ns: segment.time.nanos_since(peer.last_ack_time),
            round_trip_ns: match self.handshake {
                Handshake::RoundTrip(ns) => Some(ns).filter(|&ns| ns.cast_signed() > 0),
                Handshake::Unseen | Handshake::Syn(_) => None,
            },
            unacked: peer.last_ack,
            start: segment.tcp.seq,
            tail: end == own.next,
            sent: own.next,
            selective,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.tracks.both().iter().map(|t| t.unacked.bytes()).sum()
    }

    /// Judges the next segment, at most `max_unacked` of which are remembered a side.
    pub(crate) fn segment(&mut self, segment: &Segment<'_>, max_unacked: usize) -> Verdict {
        let reordering = match self.handshake {
            Handshake::RoundTrip(ns) => ns,
            Handshake::Unseen | Handshake::Syn(_) => REORDERING_NS,
        };
        let (own, peer) = self.tracks.pair_mut(segment.side);
        let hole = own.calls();
        own.rebase(peer, segment);
        let mut findings = own.windows_and_acks(peer, segment);
        own.acknowledges_unseen(peer, segment, &mut findings);
        own.repeats(peer, segment, reordering, &mut findings);
        own.advance(peer, segment, findings, max_unacked);

        let echo = segment.tcp.options.timestamps.map(|t| t.echo);
        let acked = peer.unacked.acknowledge(segment.tcp.ack, echo, hole);
        let verdict = Verdict {
            findings,
            ack_rtt_ns: acked.oldest.map(|sent| segment.time.signed_nanos_since(sent)).filter(|&ns| ns != 0),
            rtt_ns: acked
                .certain
                .map(|sent| segment.time.nanos_since(sent))
                .filter(|&ns| ns > 0 && segment.tcp.flags.ack()),
        };
        own.options(peer, segment);
        self.handshake_time(segment);
        verdict
    }

    fn handshake_time(&mut self, segment: &Segment<'_>) {
        match self.handshake {
            Handshake::RoundTrip(_) => {}
            _ if segment.opens() => self.handshake = Handshake::Syn(segment.time),
            Handshake::Syn(syn) if segment.tcp.flags.ack() && !segment.tcp.flags.syn() => {
                let ns = segment.time.signed_nanos_since(syn).cast_unsigned();
                // A SYN at the epoch has no time, as all else there: captures that programs make up begin so.
                if ns > 0 && syn.as_nanos() > 0 {
                    self.handshake = Handshake::RoundTrip(ns);
                }
            }
            Handshake::Unseen | Handshake::Syn(_) => {}
        }
    }
}

impl Track {
    fn rebase(&mut self, peer: &mut Self, segment: &Segment<'_>) {
        let seq = segment.tcp.seq;
        if segment.opens() && self.based && self.base == seq {
            self.next = self.contiguous;
        }
        if segment.tcp.flags.syn() {
            (self.base, self.based) = (seq, true);
        } else if !self.based {
            (self.base, self.based) = (seq.plus(u32::MAX), true);
        }
        if segment.tcp.flags.ack() && !peer.based {
            (peer.base, peer.based) = (segment.tcp.ack.plus(u32::MAX), true);
        }
        self.seen = true;
    }

    /// Whether its last segment told of a hole in what it receives.
    fn calls(&self) -> bool {
        self.selective || (1..DUPLICATES_UNKNOWN).contains(&self.duplicates)
    }

    fn based_elsewhere(&self, seq: SeqNum) -> bool {
        self.based && self.base != seq
    }

    fn windows_and_acks(&mut self, peer: &Self, segment: &Segment<'_>) -> Findings {
        let mut found = Findings::default();
        let tcp = &segment.tcp;
        let (seq, len, window) = (tcp.seq, tcp.payload_len, u32::from(tcp.window));
        if len == 1 && seq == self.next && peer.window == 0 {
            found.add(TcpCounter::ZeroWindowProbe);
            return found;
        }
        if window == 0 && !segment.control() {
            found.add(TcpCounter::ZeroWindow);
        }
        if self.next.0 != 0 && self.next.before(seq) && !tcp.flags.rst() {
            found.add(TcpCounter::LostSegment);
        }
        if len <= 1 && self.next.0 == seq.0.wrapping_add(1) && !segment.control() {
            found.add(TcpCounter::KeepAlive);
        }
        let same_place = len == 0 && seq == self.next && tcp.ack == self.last_ack && !segment.control();
        if same_place && window != 0 && window != self.window {
            found.add(TcpCounter::WindowUpdate);
        }
        if len > 0 && !segment.control() && self.fills_window_of(peer, seq.plus(len)) {
            found.add(TcpCounter::WindowFull);
        }
        if !same_place || window != self.window {
            return found;
        }
        if window == 0 {
            if peer.probe == Some(TcpCounter::ZeroWindowProbe) {
                found.add(TcpCounter::ZeroWindowProbeAck);
            }
        } else if peer.probe == Some(TcpCounter::KeepAlive) {
            found.add(TcpCounter::KeepAliveAck);
        } else {
            found.add(TcpCounter::DuplicateAck);
            self.duplicates = if self.duplicates == DUPLICATES_UNKNOWN { 1 } else { self.duplicates + 1 };
        }
        found
    }

    fn fills_window_of(&self, peer: &Self, end: SeqNum) -> bool {
        let shift = match peer.scale {
            Scale::Unknown => return false,
            Scale::Unused => 0,
            Scale::Shift(_) if peer.unscaled => 0,
            Scale::Shift(shift) => shift,
        };
        end == peer.last_ack.plus(peer.window.wrapping_shl(u32::from(shift)))
    }

    fn acknowledges_unseen(&mut self, peer: &mut Self, segment: &Segment<'_>, found: &mut Findings) {
        let ack = segment.tcp.ack;
        if ack != self.last_ack {
            self.duplicates = 0;
        }
        if !segment.tcp.flags.ack() || peer.contiguous.0 == 0 || !peer.contiguous.before(ack) {
            return;
        }
        if peer.contiguous.before(peer.next) {
            peer.contiguous = peer.next;
            found.add(TcpCounter::AckedLostSegment);
        } else {
            if peer.duplicates == 0 {
                found.add(TcpCounter::AckedLostSegment);
            }
            peer.duplicates = DUPLICATES_UNKNOWN;
        }
    }

    fn repeats(&self, peer: &Self, segment: &Segment<'_>, reordering_ns: u64, found: &mut Findings) {
        let tcp = &segment.tcp;
        let (seq, len) = (tcp.seq, tcp.payload_len);
        if (len == 0 && !segment.counted_flag()) || found.has(TcpCounter::KeepAlive) {
            return;
        }
        let end = seq.plus(len);
        if len > 0 && peer.last_ack.0 != 0 && !end.after(peer.last_ack) {
            found.add(TcpCounter::Retransmission);
            found.add(TcpCounter::SpuriousRetransmission);
            return;
        }
        let probe = len > 1 && self.next.0 == seq.0.wrapping_add(1);
        if self.next.0 == 0 || !seq.before(self.next) || probe {
            return;
        }
        let since_ack = segment.time.signed_nanos_since(peer.last_ack_time);
        if peer.duplicates >= 2 && peer.last_ack == seq && (0..FAST_RETRANSMISSION_NS).contains(&since_ack) {
            found.add(TcpCounter::Retransmission);
            found.add(TcpCounter::FastRetransmission);
            return;
        }
        let since_next = segment.time.signed_nanos_since(self.next_time).cast_unsigned();
        let whole_end = end.plus(u32::from(segment.counted_flag()));
        if since_next < reordering_ns && self.next != whole_end {
            found.add(TcpCounter::OutOfOrder);
            return;
        }
        found.add(TcpCounter::Retransmission);
    }

    fn advance(&mut self, peer: &Self, segment: &Segment<'_>, found: Findings, max_unacked: usize) {
        let tcp = &segment.tcp;
        let mut end = tcp.seq.plus(tcp.payload_len);
        if tcp.payload_len > 0 || segment.counted_flag() {
            if !peer.seen && self.unacked.len() >= ONE_WAY_SEGMENTS {
                self.unacked.pop_oldest();
            }
            if self.unacked.len() < max_unacked {
                end = end.plus(u32::from(segment.counted_flag()));
                // What was acknowledged already may be echoed for an earlier copy (RFC 7323, section 4.1: no such samples).
                // In a simultaneous open, the SYN/ACK repeats a SYN that the other side answers as well.
                let again = self.next.0 != 0 && tcp.seq.before(self.next);
                let fresh = peer.last_ack.0 == 0 || end.after(peer.last_ack);
                let named = fresh && !(again && tcp.flags.syn());
                let timestamp = tcp.options.timestamps.filter(|_| named).map_or(0, |t| t.value);
                self.unacked.push(segment.time, tcp.seq, end, timestamp, again);
            }
        }
        if !found.has(TcpCounter::ZeroWindowProbe) {
            if self.next.0 == 0 || self.next.before(end) {
                self.next = end;
                self.next_time = segment.time;
            }
            if self.contiguous.0 == 0 || tcp.seq == self.contiguous {
                self.contiguous = self.next;
            }
        }
        self.window = u32::from(tcp.window);
        self.last_ack = tcp.ack;
        self.last_ack_time = segment.time;
        self.probe =
            [TcpCounter::ZeroWindowProbe, TcpCounter::KeepAlive].into_iter().find(|&probe| found.has(probe));
        self.selective = tcp.options.sack_count > 0
            && tcp.options.sack.iter().take(usize::from(tcp.options.sack_count)).any(|b| b.1.after(tcp.ack));
    }

    fn options(&mut self, peer: &mut Self, segment: &Segment<'_>) {
        let flags = segment.tcp.flags;
        if !flags.syn() {
            if flags.any(TcpFlags::ACK) {
                self.unscaled = false;
            }
            // No kernel believes it there (RFC 7323, section 2.3), but Wireshark does.
            if let Some(shift) = segment.tcp.options.window_scale {
                self.scale = Scale::Shift(shift.min(14));
            }
            return;
        }
        self.unscaled = true;
        match segment.tcp.options.window_scale {
            Some(shift) => self.scale = Scale::Shift(shift.min(14)),
            None if self.scale == Scale::Unknown => {
                self.scale = Scale::Unused;
                peer.scale = Scale::Unused;
            }
            None => {}
        }
        if flags.ack() && peer.scale == Scale::Unused {
            self.scale = Scale::Unused;
        }
    }
}
