//! Wireshark's TCP analysis: what each segment is, and round-trip times.

use fact::{RttLeftOut, TcpCounter};
use wire::decode::{Tcp, TcpFlags};
use wire::{SeqNum, Side, Timestamp};

use super::{Acked, Copies, Findings, Retransmission, RoundTrip, Segment, Sent, Unacked};
use crate::per_side::PerSide;

/// Within this time after the second duplicate ACK a repeated segment counts as fast
/// retransmission.
const FAST_RETRANSMISSION_NS: i64 = 20_000_000;
/// Time within which a segment is out of order, where the initial round-trip time is not known.
const REORDERING_NS: u64 = 3_000_000;
/// After this time nothing of what was sent before is on its way: the shortest interval of
/// keep-alives (Linux: `TCP_KEEPINTVL` of 1 s), and of a retransmission timer by RFC 6298.
const SILENCE_NS: u64 = 1_000_000_000;
/// Value of `duplicates` after an ACK of bytes that were never seen: it counts as many duplicates.
const DUPLICATES_UNKNOWN: u16 = u16::MAX;
/// Time within which a frame with the same IP identification as another is a copy of it: longer
/// than the way through a router, and less than the shortest time-out after which a stack that
/// gives no identification of their own sends segments again (200 ms on Linux).
const SAME_ID_NS: u64 = 50_000_000;
/// The same for frames without identification: less than the earliest probe of a sender that heard
/// nothing (RFC 8985, section 7.2; on Linux two ticks of its timer, 2 ms).
const NO_ID_NS: u64 = 1_000_000;
/// Window before the first segment: differs from every window field.
const WINDOW_UNKNOWN: u32 = u32::MAX;
/// Distance at which a number still belongs to a connection: more than any receive buffer in use,
/// and one of 128 numbers of an unrelated connection.
const NEAR: u32 = 1 << 24;
/// Segments remembered of a side whose peer was never seen.
const ONE_WAY_SEGMENTS: usize = 256;

/// Finds retransmissions, reordering, keep-alives and window events, one segment after the other.
/// The results are those of Wireshark 4.0's `tcp.analysis`.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    senders: PerSide<Sender>,
    handshake: Handshake,
}

#[derive(Clone, Copy, Debug, Default)]
enum Handshake {
    #[default]
    Unseen,
    /// Time of the last SYN.
    Syn(Timestamp),
    /// From the last SYN to the first ACK after it, in nanoseconds. Negative times wrap, as all
    /// times in this comparison do.
    RoundTrip(u64),
}

/// What one side sent so far. As in Wireshark, sequence number 0 stands for "not known".
#[derive(Debug)]
struct Sender {
    /// One past the highest byte sent, and when it was sent.
    next: SeqNum,
    next_time: Timestamp,
    /// One past the highest byte up to which nothing is missing.
    contiguous: SeqNum,
    last_ack: SeqNum,
    last_ack_time: Timestamp,
    window: u32,
    duplicates: u16,
    /// Those of them that are copies of frames.
    duplicate_copies: u8,
    /// IPv4 identification of the last segment.
    last_id: u16,
    /// Initial sequence number: of the SYN, or one before the first byte or ACK.
    base: SeqNum,
    has_base: bool,
    scale: Scale,
    /// The last segment was a SYN: windows are not scaled yet.
    unscaled: bool,
    /// Which probe the last segment was.
    probe: Probe,
    /// The last segment carried SACK blocks beyond its acknowledgement.
    sack_beyond_ack: bool,
    has_sent: bool,
    unacked: Unacked,
}

/// Whether a segment asks for an answer and carries nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    None,
    ZeroWindow,
    KeepAlive,
    /// The first keep-alive after nothing was sent for so long that what comes next answers it.
    KeepAliveAfterSilence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Unknown,
    Unused,
    Shift(u8),
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            next: SeqNum(0),
            next_time: Timestamp::ZERO,
            contiguous: SeqNum(0),
            last_ack: SeqNum(0),
            last_ack_time: Timestamp::ZERO,
            window: WINDOW_UNKNOWN,
            duplicates: 0,
            duplicate_copies: 0,
            last_id: 0,
            base: SeqNum(0),
            has_base: false,
            scale: Scale::Unknown,
            unscaled: false,
            probe: Probe::None,
            sack_beyond_ack: false,
            has_sent: false,
            unacked: Unacked::default(),
        }
    }
}

/// What the analysis says of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) findings: Findings,
    /// The capture has the frame twice.
    pub(crate) copy: bool,
    /// Since the segment that this one acknowledges, by Wireshark's choice among copies; never 0,
    /// negative if the clock went back.
    pub(crate) ack_rtt_ns: Option<i64>,
    /// Since the segment that this one acknowledges, and whether that is the network's time.
    pub(crate) round_trip: RoundTrip,
}

impl Analysis {
    /// Whether a segment of `side` opens another connection on the same addresses and ports.
    pub(crate) fn is_new_connection(&self, side: Side, tcp: &Tcp<'_>) -> bool {
        tcp.flags.syn() && !tcp.flags.ack() && self.senders.get(side).has_other_base(tcp.seq)
    }

    /// Whether a segment of `side` may be one of this connection, by its numbers. The first SYN of
    /// a side decides on its initial sequence number; a SYN/ACK is known by the SYN that it
    /// acknowledges: several may answer one SYN (SYN proxies).
    pub(crate) fn takes(&self, side: Side, tcp: &Tcp<'_>) -> bool {
        let (own, peer) = (self.senders.get(side), self.senders.get(side.other()));
        if tcp.flags.syn() && !tcp.flags.ack() {
            return !own.has_other_base(tcp.seq);
        }
        let ack = !tcp.flags.ack() || peer.is_near(own, tcp.ack);
        // A RST without a connection has sequence number 0 (RFC 9293, section 3.5.2).
        let seq = tcp.flags.syn()
            || (tcp.flags.rst() && tcp.flags.ack() && tcp.seq.0 == 0)
            || own.is_near(peer, tcp.seq);
        ack && seq
    }

    pub(crate) fn window_scale(&self, side: Side) -> Option<u8> {
        match self.senders.get(side).scale {
            Scale::Shift(shift) => Some(shift),
            Scale::Unknown | Scale::Unused => None,
        }
    }

    /// Whether `segment` acknowledges all that the other side sent.
    pub(crate) fn acks_everything(&self, segment: &Segment<'_>) -> bool {
        self.senders.get(segment.side.other()).next == segment.tcp.ack
    }

    /// Whether each side acknowledges all that the other one sent.
    pub(crate) fn all_acked(&self) -> bool {
        let [low, high] = self.senders.both();
        low.next == high.last_ack && high.next == low.last_ack
    }

    /// One past what each side sent; None for a side that was not seen.
    pub(crate) fn next(&self) -> PerSide<Option<SeqNum>> {
        self.senders.map(|sender| (sender.next.0 != 0).then_some(sender.next))
    }

    /// Whether the receiver of `segment`, a RST, takes it for one of this connection: its number is
    /// no older than what the receiver acknowledged, and not far beyond what was sent (RFC 9293,
    /// section 3.10.7.4). A refusal has number 0, and acknowledges the SYN (section 3.5.2).
    pub(crate) fn accepts_rst(&self, segment: &Segment<'_>) -> bool {
        let (own, peer) = (self.senders.get(segment.side), self.senders.get(segment.side.other()));
        let seq = segment.tcp.seq;
        let sent = if own.next.0 != 0 { own.next } else { peer.last_ack };
        if sent.0 == 0 {
            return true;
        }
        let acked = if peer.last_ack.0 != 0 { peer.last_ack } else { own.base };
        !seq.before(acked) && (!seq.after(sent) || seq.distance(sent).unsigned_abs() <= NEAR)
    }

    /// Copies of segments of `side` that were sent more than once and are not acknowledged.
    pub(crate) fn unacked_retransmits(&self, side: Side) -> usize {
        self.senders.get(side).unacked.copies()
    }

    /// What recovery needs to know of `segment`, the last one analysed, which is a retransmission.
    pub(crate) fn retransmission(
        &self,
        segment: &Segment<'_>,
        sack_permitted: bool,
    ) -> Retransmission {
        let (own, peer) = (self.senders.get(segment.side), self.senders.get(segment.side.other()));
        let end = segment.tcp.seq.plus(segment.tcp.payload_len + u32::from(segment.occupies_seq()));
        Retransmission {
            ack_reports_loss: peer.reports_hole(),
            since_ack_ns: segment.time.nanos_since(peer.last_ack_time),
            round_trip_ns: match self.handshake {
                Handshake::RoundTrip(ns) => Some(ns).filter(|&ns| ns.cast_signed() > 0),
                Handshake::Unseen | Handshake::Syn(_) => None,
            },
            snd_una: peer.last_ack,
            start: segment.tcp.seq,
            is_tail: end == own.next,
            snd_nxt: own.next,
            sack_permitted,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.senders.both().iter().map(|t| t.unacked.bytes()).sum()
    }

    /// Analyses the next segment. Of each side, at most `max_unacked` segments are remembered.
    pub(crate) fn on_segment(&mut self, segment: &Segment<'_>, max_unacked: usize) -> Verdict {
        let reordering = match self.handshake {
            Handshake::RoundTrip(ns) => ns,
            Handshake::Unseen | Handshake::Syn(_) => REORDERING_NS,
        };
        let (own, peer) = self.senders.pair_mut(segment.side);
        let hole = own.reports_hole();
        let copy = own.is_copy(peer, segment);
        own.rebase(peer, segment);
        let mut findings = own.find_window_events(peer, segment);
        own.find_acked_lost_segment(peer, segment, &mut findings);
        own.find_retransmission(peer, segment, reordering, &mut findings);
        if copy && findings.has(TcpCounter::DuplicateAck) {
            own.duplicate_copies = own.duplicate_copies.saturating_add(1);
        }
        own.update(peer, segment, findings, copy, max_unacked);

        let echo = segment.tcp.options.timestamps.map(|t| t.echo);
        let acked = peer.unacked.acknowledge(segment.tcp.ack, echo, hole);
        let verdict = Verdict {
            findings,
            copy,
            ack_rtt_ns: acked
                .oldest
                .map(|sent| segment.time.signed_nanos_since(sent))
                .filter(|&ns| ns != 0),
            round_trip: own.round_trip(peer, segment, findings, acked),
        };
        own.update_window_scale(peer, segment);
        self.time_handshake(segment);
        verdict
    }

    fn time_handshake(&mut self, segment: &Segment<'_>) {
        match self.handshake {
            Handshake::RoundTrip(_) => {}
            _ if segment.is_syn() => self.handshake = Handshake::Syn(segment.time),
            Handshake::Syn(syn) if segment.tcp.flags.ack() && !segment.tcp.flags.syn() => {
                let ns = segment.time.signed_nanos_since(syn).cast_unsigned();
                // A SYN at the epoch has no time, as all else there: captures that programs make up
                // begin so.
                if ns > 0 && syn.as_nanos() > 0 {
                    self.handshake = Handshake::RoundTrip(ns);
                }
            }
            Handshake::Unseen | Handshake::Syn(_) => {}
        }
    }
}

impl Sender {
    fn rebase(&mut self, peer: &mut Self, segment: &Segment<'_>) {
        let seq = segment.tcp.seq;
        if segment.is_syn() && self.has_base && self.base == seq {
            self.next = self.contiguous;
        }
        if segment.tcp.flags.syn() {
            (self.base, self.has_base) = (seq, true);
        } else if !self.has_base {
            (self.base, self.has_base) = (seq.plus(u32::MAX), true);
        }
        if segment.tcp.flags.ack() && !peer.has_base {
            (peer.base, peer.has_base) = (segment.tcp.ack.plus(u32::MAX), true);
        }
        self.has_sent = true;
    }

    /// Whether its last segment reported a hole in what it receives.
    fn reports_hole(&self) -> bool {
        let own = u16::from(self.duplicate_copies) + 1..DUPLICATES_UNKNOWN;
        self.sack_beyond_ack || own.contains(&self.duplicates)
    }

    /// Whether `segment`, the next one of this side, is a frame that was captured before: at a port
    /// that mirrors both directions, at several interfaces of one capture, before and behind a
    /// router. What is sent again has an identification and a time stamp of its own.
    fn is_copy(&self, peer: &Self, segment: &Segment<'_>) -> bool {
        let (tcp, id) = (segment.tcp, segment.ip_id);
        let len = tcp.payload_len + u32::from(segment.occupies_seq());
        if len == 0 {
            return id != 0
                && (id, tcp.seq, tcp.ack) == (self.last_id, self.next, self.last_ack)
                && u32::from(tcp.window) == self.window
                && segment.time.nanos_since(self.last_ack_time) < SAME_ID_NS;
        }
        if self.next.0 == 0 || !tcp.seq.before(self.next) {
            return false;
        }
        let end = tcp.seq.plus(len);
        let Some(first) = self.unacked.find(tcp.seq, end, tcp.flags) else { return false };
        let passed = segment.time.nanos_since(first.time);
        let value = tcp.options.timestamps.map_or(0, |t| t.value);
        let same_time_stamp = first.timestamp == 0 || first.timestamp == value;
        if id != 0 || first.id != 0 {
            id == first.id && same_time_stamp && passed < SAME_ID_NS
        } else {
            // An ACK in between may have asked for a retransmission.
            same_time_stamp && passed < NO_ID_NS && peer.last_ack_time < first.time
        }
    }

    /// Whether `seq` may be one of this side's numbers soon, or was one just now. `receiver` is the
    /// other side, which knows where this one is if it sends itself.
    fn is_near(&self, receiver: &Self, seq: SeqNum) -> bool {
        let at = if self.next.0 != 0 {
            self.next
        } else if receiver.has_sent && receiver.last_ack.0 != 0 {
            receiver.last_ack
        } else if self.has_base {
            self.base
        } else {
            return true;
        };
        seq.distance(at).unsigned_abs() <= NEAR
    }

    fn has_other_base(&self, seq: SeqNum) -> bool {
        self.has_base && self.base != seq
    }

    fn find_window_events(&mut self, peer: &Self, segment: &Segment<'_>) -> Findings {
        let mut found = Findings::default();
        let tcp = &segment.tcp;
        let (seq, len, window) = (tcp.seq, tcp.payload_len, u32::from(tcp.window));
        if len == 1 && seq == self.next && peer.window == 0 {
            found.add(TcpCounter::ZeroWindowProbe);
            return found;
        }
        if window == 0 && !segment.has_control_flag() {
            found.add(TcpCounter::ZeroWindow);
        }
        if self.next.0 != 0 && self.next.before(seq) && !tcp.flags.rst() {
            found.add(TcpCounter::LostSegment);
        }
        if len <= 1 && self.next.0 == seq.0.wrapping_add(1) && !segment.has_control_flag() {
            found.add(TcpCounter::KeepAlive);
        }
        let same_place =
            len == 0 && seq == self.next && tcp.ack == self.last_ack && !segment.has_control_flag();
        if same_place && window != 0 && window != self.window {
            found.add(TcpCounter::WindowUpdate);
        }
        if len > 0 && !segment.has_control_flag() && self.fills_window_of(peer, seq.plus(len)) {
            found.add(TcpCounter::WindowFull);
        }
        if !same_place || window != self.window {
            return found;
        }
        if window == 0 {
            if peer.probe == Probe::ZeroWindow {
                found.add(TcpCounter::ZeroWindowProbeAck);
            }
        } else if matches!(peer.probe, Probe::KeepAlive | Probe::KeepAliveAfterSilence) {
            found.add(TcpCounter::KeepAliveAck);
        } else {
            found.add(TcpCounter::DuplicateAck);
            self.duplicates = match self.duplicates {
                DUPLICATES_UNKNOWN => 1,
                count => (count + 1).min(DUPLICATES_UNKNOWN - 1),
            };
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

    fn find_acked_lost_segment(
        &mut self,
        peer: &mut Self,
        segment: &Segment<'_>,
        found: &mut Findings,
    ) {
        let ack = segment.tcp.ack;
        if ack != self.last_ack {
            (self.duplicates, self.duplicate_copies) = (0, 0);
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

    fn find_retransmission(
        &self,
        peer: &Self,
        segment: &Segment<'_>,
        reordering_ns: u64,
        found: &mut Findings,
    ) {
        let tcp = &segment.tcp;
        let (seq, len) = (tcp.seq, tcp.payload_len);
        if (len == 0 && !segment.occupies_seq()) || found.has(TcpCounter::KeepAlive) {
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
        if peer.duplicates >= 2
            && peer.last_ack == seq
            && (0..FAST_RETRANSMISSION_NS).contains(&since_ack)
        {
            found.add(TcpCounter::Retransmission);
            found.add(TcpCounter::FastRetransmission);
            return;
        }
        let since_next = segment.time.signed_nanos_since(self.next_time).cast_unsigned();
        let whole_end = end.plus(u32::from(segment.occupies_seq()));
        if since_next < reordering_ns && self.next != whole_end {
            found.add(TcpCounter::OutOfOrder);
            return;
        }
        found.add(TcpCounter::Retransmission);
    }

    /// What `segment`, which acknowledges `acked`, tells of the network's round-trip time.
    fn round_trip(
        &self,
        peer: &Self,
        segment: &Segment<'_>,
        found: Findings,
        acked: Acked,
    ) -> RoundTrip {
        let (tcp, flags) = (segment.tcp, segment.tcp.flags);
        if !flags.ack() {
            return RoundTrip::Nothing;
        }
        let since = |time: Timestamp| Some(segment.time.nanos_since(time)).filter(|&ns| ns > 0);
        // The kernel answers a keep-alive at once (RFC 9293, section 3.8.4).
        let probed = peer.probe == Probe::KeepAliveAfterSilence && peer.unacked.len() == 0;
        if found.has(TcpCounter::KeepAliveAck) && probed {
            return since(peer.last_ack_time).map_or(RoundTrip::Nothing, RoundTrip::Prompt);
        }
        let Some(sent) = acked.certain else {
            return match acked.oldest.and_then(since) {
                Some(_) => RoundTrip::LeftOut(RttLeftOut::Retransmitted, None),
                None => RoundTrip::Nothing,
            };
        };
        let Some(ns) = since(sent) else { return RoundTrip::Nothing };
        if tcp.payload_len > 0 {
            return RoundTrip::LeftOut(RttLeftOut::WithPayload, Some(ns));
        }
        // The kernel answers SYN and SYN/ACK at once, a SYN also with RST.
        if tcp.ack == peer.base.plus(1) || segment.is_syn_ack() {
            return RoundTrip::Prompt(ns);
        }
        if segment.has_control_flag() {
            return RoundTrip::LeftOut(RttLeftOut::Closing, Some(ns));
        }
        let next = acked.next.filter(|_| !self.sack_beyond_ack);
        RoundTrip::of_plain_ack(ns, next.map(|next| next.nanos_since(sent)))
    }

    fn update(
        &mut self,
        peer: &Self,
        segment: &Segment<'_>,
        found: Findings,
        copy: bool,
        max_unacked: usize,
    ) {
        let tcp = &segment.tcp;
        let mut end = tcp.seq.plus(tcp.payload_len);
        if tcp.payload_len > 0 || segment.occupies_seq() {
            if !copy && !peer.has_sent && self.unacked.len() >= ONE_WAY_SEGMENTS {
                self.unacked.pop_oldest();
            }
            if self.unacked.len() < max_unacked {
                end = end.plus(u32::from(segment.occupies_seq()));
                // What was acknowledged already may be echoed for an earlier copy (RFC 7323,
                // section 4.1: no such samples). In a simultaneous open, the SYN/ACK repeats a SYN
                // that the other side answers as well.
                let retransmitted = self.next.0 != 0 && tcp.seq.before(self.next);
                let fresh = peer.last_ack.0 == 0 || end.after(peer.last_ack);
                let named = if retransmitted { !tcp.flags.syn() } else { fresh };
                let copies = if retransmitted && !fresh { Copies::AfterAck } else { Copies::None };
                let timestamp = tcp.options.timestamps.filter(|_| named).map_or(0, |t| t.value);
                // The oldest copy is what Wireshark takes an acknowledgement for.
                if !copy {
                    let (time, start, flags, id) =
                        (segment.time, tcp.seq, tcp.flags, segment.ip_id);
                    let sent = Sent { time, start, end, timestamp, id, flags, copies };
                    self.unacked.push(sent, retransmitted);
                }
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
        self.last_id = segment.ip_id;
        self.window = u32::from(tcp.window);
        let answered = self.probe == Probe::None || peer.last_ack_time > self.last_ack_time;
        let last = self.last_ack_time.max(peer.last_ack_time);
        let silence = segment.time.nanos_since(last) >= SILENCE_NS;
        self.probe = if found.has(TcpCounter::ZeroWindowProbe) {
            Probe::ZeroWindow
        } else if !found.has(TcpCounter::KeepAlive) {
            Probe::None
        } else if answered && silence {
            Probe::KeepAliveAfterSilence
        } else {
            Probe::KeepAlive
        };
        self.last_ack = tcp.ack;
        self.last_ack_time = segment.time;
        self.sack_beyond_ack = tcp.options.sack_count > 0
            && tcp
                .options
                .sack
                .iter()
                .take(usize::from(tcp.options.sack_count))
                .any(|b| b.1.after(tcp.ack));
    }

    fn update_window_scale(&mut self, peer: &mut Self, segment: &Segment<'_>) {
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
