//! How far a TCP connection came: handshake, FIN, RST, and the state and reason of its record.

use std::num::NonZeroU64;

use fact::TcpCounter;
use wire::{Side, Timestamp};

use super::marks::{By, Marks};
use super::{Findings, Segment};
use fact::{CloseReason, Connected, FlowState, Handshake, Notes};

/// A SYN/ACK this long after the client's ACK is no copy that crossed it.
const LATE_SYN_ACK_NS: u64 = 200_000_000;
/// So many ACKs that answer each other are no coincidence.
const ACK_STORM_LEN: u8 = 10;

/// How far a connection came: its handshake, its FINs and its RST.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lifecycle {
    syn: Option<NonZeroTime>,
    syn_ack: Option<NonZeroTime>,
    /// First plain ACK of the client after the SYN/ACK.
    ack: Option<NonZeroTime>,
    marks: Marks,
    /// SYNs and SYN/ACKs that were sent again before `ack`.
    syn_repeats: u8,
    syn_ack_repeats: u8,
    /// Duplicate ACKs in a row, each of which answers one of the other side; stays at
    /// [`ACK_STORM_LEN`].
    ack_storm: u8,
    /// Until the next control flag, no segment changes anything here.
    settled: bool,
}

/// A time of which `Option` takes 8 bytes. The epoch itself becomes the nanosecond after it.
#[derive(Clone, Copy, Debug)]
struct NonZeroTime(NonZeroU64);

impl NonZeroTime {
    fn new(time: Timestamp) -> Self {
        Self(NonZeroU64::new(time.as_nanos()).unwrap_or(NonZeroU64::MIN))
    }

    fn time(self) -> Timestamp {
        Timestamp::from_nanos(self.0.get())
    }
}

/// Which time-out a flow is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Handshake,
    Established,
    HalfClosed,
    Closed,
}

/// Why a flow leaves the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndCause {
    Idle,
    InputEnd,
    PortReused,
    Evicted,
}

impl Lifecycle {
    /// Takes a RST that its receiver ignores: its sequence number is outside of the window (RFC
    /// 9293, section 3.10.7.4).
    pub(crate) fn on_wrong_rst(&mut self) {
        self.marks.set(Marks::RESET_IGNORED);
    }

    /// Takes the next segment and what the analysis found in it.
    pub(crate) fn on_segment(&mut self, segment: &Segment<'_>, found: Findings) {
        let tcp = &segment.tcp;
        if segment.has_control_flag() || !self.settled {
            self.on_handshake_or_end(segment);
        }
        if tcp.payload_len > 0 && !found.has(TcpCounter::KeepAlive) && !tcp.flags.rst() {
            self.marks.set_by(By::DATA, segment.side);
        }
        if found.has(TcpCounter::DuplicateAck) {
            self.on_duplicate_ack(segment.side);
        } else if (1..ACK_STORM_LEN).contains(&self.ack_storm) {
            self.ack_storm = 0;
            self.marks.clear(By::DUPLICATE_ACK);
        }
    }

    fn on_handshake_or_end(&mut self, segment: &Segment<'_>) {
        let (flags, side) = (segment.tcp.flags, segment.side);
        if flags.rst() {
            self.on_rst(segment);
            return;
        }
        if self.marks.any(By::RESET) && !flags.syn() {
            self.on_segment_after_reset(side);
        }
        if flags.syn() && segment.tcp.options.sack_permitted {
            self.marks.set_by(By::SACK, side);
        }
        if segment.is_syn() {
            self.on_syn(segment);
        } else if segment.is_syn_ack() {
            self.on_syn_ack(segment);
        } else if flags.ack() {
            self.on_ack(segment);
        }
        if flags.fin() {
            self.marks.set_by(By::FIN, side);
        }
        let handshake_over =
            !self.saw_handshake() || (self.ack.is_some() && self.marks.has(Marks::SERVER_SENT));
        self.settled =
            handshake_over && self.marks.has(Marks::ESTABLISHED) && !self.marks.any(By::RESET);
    }

    fn on_rst(&mut self, segment: &Segment<'_>) {
        if segment.tcp.payload_len > 0 {
            self.marks.set(Marks::RESET_WITH_DATA);
        }
        if self.marks.any(By::RESET) {
            return;
        }
        if self.marks.both(By::FIN) {
            self.marks.set(Marks::RESET_AFTER_FINS);
        }
        self.marks.set_by(By::RESET, segment.side);
        self.settled = false;
    }

    /// Something other than SYN and RST comes from `side` after a RST. It may have been under way
    /// when the RST was sent. But where both sides go on, and the one whose address the RST has
    /// goes on twice, the RST was ignored or not its own.
    fn on_segment_after_reset(&mut self, side: Side) {
        let resetter = self.marks.by(By::RESET, side);
        if resetter && self.marks.by(By::SENT_AFTER_RESET, side) {
            self.marks.set(Marks::RESETTER_SENT_TWICE);
        }
        self.marks.set_by(By::SENT_AFTER_RESET, side);
        let ignored =
            self.marks.both(By::SENT_AFTER_RESET) && self.marks.has(Marks::RESETTER_SENT_TWICE);
        if ignored && !self.marks.has(Marks::RESET_AFTER_FINS) {
            self.marks.set(Marks::RESET_IGNORED);
            self.marks.clear(By::RESET);
        }
    }

    fn on_syn(&mut self, segment: &Segment<'_>) {
        if self.marks.by(By::SYN, segment.side) {
            self.syn_repeats = self.syn_repeats.saturating_add(u8::from(self.ack.is_none()));
        }
        if self.syn.is_none() {
            self.syn = Some(NonZeroTime::new(segment.time));
            self.marks.set_by(By::FIRST_SYN, segment.side);
        }
        self.marks.set_by(By::SYN, segment.side);
        if segment.tcp.payload_len > 0 {
            self.marks.set(Marks::SYN_DATA);
        }
    }

    fn on_syn_ack(&mut self, segment: &Segment<'_>) {
        let side = segment.side;
        self.marks.set_by(By::SYN_ACK, side);
        if self.syn_ack.is_some() && self.ack.is_none() {
            self.syn_ack_repeats = self.syn_ack_repeats.saturating_add(1);
        }
        if self.marks.both(By::SYN_ACK) {
            self.marks.set(Marks::ESTABLISHED);
        }
        if self.syn_ack.is_none() && !segment.tcp.flags.fin() && !self.marks.by(By::FIRST_SYN, side)
        {
            self.syn_ack = Some(NonZeroTime::new(segment.time));
            self.marks.set_by(By::FIRST_SYN_ACK, side);
        }
        if self.ack.is_some_and(|ack| segment.time.nanos_since(ack.time()) >= LATE_SYN_ACK_NS)
            && !self.marks.has(Marks::SERVER_SENT)
        {
            self.marks.set(Marks::LATE_SYN_ACK);
        }
    }

    fn on_ack(&mut self, segment: &Segment<'_>) {
        let (flags, side) = (segment.tcp.flags, segment.side);
        let carries_data = segment.tcp.payload_len > 0 || flags.fin();
        match self.marks.who(By::FIRST_SYN_ACK) {
            Some(server) if side != server => {
                self.marks.set(Marks::ESTABLISHED);
                if self.ack.is_none() && !flags.fin() {
                    self.ack = Some(NonZeroTime::new(segment.time));
                    if segment.tcp.payload_len > 0 {
                        self.marks.set(Marks::ACK_WITH_PAYLOAD);
                    }
                }
            }
            Some(server) => {
                self.marks.set(Marks::SERVER_SENT);
                if segment.tcp.payload_len > 0 || self.marks.by(By::SYN_ACK, server.other()) {
                    self.marks.set(Marks::ESTABLISHED);
                }
            }
            None => match self.marks.who(By::FIRST_SYN) {
                Some(client)
                    if side != client && !carries_data && !self.marks.by(By::SYN_ACK, client) =>
                {
                    self.marks.set(Marks::ACK_FOR_SYN);
                }
                _ => self.marks.set(Marks::ESTABLISHED),
            },
        }
    }

    fn on_duplicate_ack(&mut self, side: Side) {
        if self.ack_storm >= ACK_STORM_LEN {
            return;
        }
        let answers = self.marks.by(By::DUPLICATE_ACK, side.other());
        self.ack_storm = if answers { self.ack_storm + 1 } else { 1 };
        self.marks.clear(By::DUPLICATE_ACK);
        self.marks.set_by(By::DUPLICATE_ACK, side);
    }

    /// The connection before on these ports ended with FINs, and may still be in TIME-WAIT.
    pub(crate) fn on_time_wait_reuse(&mut self) {
        self.marks.set(Marks::TIME_WAIT_REUSE);
    }

    /// Whether the SYN carried data (RFC 7413).
    pub(crate) fn has_syn_data(&self) -> bool {
        self.marks.has(Marks::SYN_DATA)
    }

    /// The SYN/ACK acknowledges the data of the SYN.
    pub(crate) fn on_syn_data_accepted(&mut self) {
        self.marks.set(Marks::SYN_DATA_ACCEPTED);
    }

    /// Whether both sides may use SACK (RFC 2018). Assumed where the handshake was not seen.
    pub(crate) fn sack_permitted(&self) -> bool {
        self.marks.both(By::SACK) || !(self.marks.any(By::SYN) || self.marks.any(By::SYN_ACK))
    }

    /// Whether a SYN or a SYN/ACK was seen.
    pub(crate) fn saw_handshake(&self) -> bool {
        self.syn.is_some() || self.syn_ack.is_some()
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.marks.any(By::RESET) || self.marks.both(By::FIN) {
            Phase::Closed
        } else if self.marks.any(By::FIN) {
            Phase::HalfClosed
        } else if self.saw_handshake() && !self.is_established() {
            Phase::Handshake
        } else {
            Phase::Established
        }
    }

    pub(crate) fn is_established(&self) -> bool {
        self.marks.has(Marks::ESTABLISHED)
    }

    /// Who sent the RST that ended it.
    pub(crate) fn reset_by(&self) -> Option<Side> {
        self.marks.who(By::RESET)
    }

    pub(crate) fn has_fin(&self) -> bool {
        self.marks.any(By::FIN)
    }

    /// How many sides sent payload.
    pub(crate) fn sides_with_data(&self) -> usize {
        [Side::Low, Side::High].into_iter().filter(|&side| self.marks.by(By::DATA, side)).count()
    }

    /// Whether the server answered the SYN with an ACK of an older connection (RFC 9293, section
    /// 3.5.1, half-open connections).
    pub(crate) fn has_stale_peer(&self) -> bool {
        self.marks.has(Marks::ACK_FOR_SYN) && !self.marks.any(By::SYN_ACK)
    }

    /// The client that completed the handshake, if the server sent nothing but SYN/ACKs since.
    pub(crate) fn unaccepted_client(&self) -> Option<Side> {
        let taken = self.ack.is_none() || self.marks.has(Marks::SERVER_SENT);
        self.marks.who(By::FIRST_SYN_ACK).filter(|_| !taken).map(Side::other)
    }

    /// Whether a SYN/ACK came after the client had completed the handshake.
    pub(crate) fn has_late_syn_ack(&self) -> bool {
        self.marks.has(Marks::LATE_SYN_ACK)
    }

    pub(crate) fn notes(&self) -> Notes {
        let marks = self.marks;
        let two_syns = marks.both(By::SYN);
        let all = [
            (two_syns && marks.both(By::SYN_ACK), Notes::SIMULTANEOUS_OPEN),
            (
                two_syns && !marks.both(By::SYN_ACK) && marks.any(By::SYN_ACK),
                Notes::SPLIT_HANDSHAKE,
            ),
            (marks.has(Marks::SYN_DATA_ACCEPTED), Notes::FAST_OPEN),
            (
                marks.has(Marks::SYN_DATA)
                    && self.syn_ack.is_some()
                    && !marks.has(Marks::SYN_DATA_ACCEPTED),
                Notes::FAST_OPEN_REFUSED,
            ),
            (marks.has(Marks::TIME_WAIT_REUSE), Notes::TIME_WAIT_REUSE),
            (marks.has(Marks::RESET_WITH_DATA), Notes::RESET_WITH_DATA),
            (marks.has(Marks::RESET_IGNORED), Notes::RESET_IGNORED),
            (self.ack_storm >= ACK_STORM_LEN, Notes::ACK_STORM),
        ];
        let mut notes = Notes::default();
        all.into_iter().filter(|(so, _)| *so).for_each(|(_, note)| notes.add(note));
        notes
    }

    pub(crate) fn handshake(&self) -> Option<Handshake> {
        if !self.saw_handshake() {
            return None;
        }
        let between = |from: Option<NonZeroTime>, to: Option<NonZeroTime>| {
            Some(to?.time().signed_nanos_since(from?.time()))
        };
        let first = between(self.syn, self.syn_ack);
        let second = between(self.syn_ack, self.ack);
        let server_rtt_ns = first.filter(|_| self.syn_repeats == 0);
        let client_rtt_ns = second
            .filter(|_| self.syn_ack_repeats == 0 && !self.marks.has(Marks::ACK_WITH_PAYLOAD));
        Some(Handshake {
            complete: self.syn.is_some() && self.ack.is_some(),
            syn_to_syn_ack_ns: first,
            syn_ack_to_ack_ns: second,
            server_rtt_ns,
            client_rtt_ns,
            connect_ns: self.connect_ns(),
        })
    }

    /// What the client waited for the connection: first SYN to the ACK that ends the handshake.
    pub(crate) fn connect_ns(&self) -> Option<u64> {
        let (syn, ack) = (self.syn?.time(), self.ack?.time());
        (ack >= syn).then(|| ack.nanos_since(syn))
    }

    /// How the handshake ended, where it is known how long it took.
    pub(crate) fn connected(&self) -> Option<Connected> {
        let at = self.ack.filter(|_| self.connect_ns().is_some())?.time();
        let repeats = u32::from(self.syn_repeats) + u32::from(self.syn_ack_repeats);
        Some(Connected { at, repeats })
    }

    /// State while the flow is open.
    pub(crate) fn state(&self) -> FlowState {
        let not_reset = !self.marks.any(By::RESET) || self.marks.has(Marks::RESET_AFTER_FINS);
        let closed = self.marks.both(By::FIN) && not_reset;
        match self.phase() {
            Phase::Closed if closed => FlowState::Closed,
            Phase::Closed if self.saw_handshake() && !self.is_established() => {
                FlowState::HandshakeFailed
            }
            Phase::Closed => FlowState::Reset,
            Phase::HalfClosed => FlowState::HalfClosed,
            Phase::Handshake | Phase::Established => FlowState::Open,
        }
    }

    /// State and reason of the final record. `waited`: long enough for an answer to the handshake.
    pub(crate) fn end(
        &self,
        cause: EndCause,
        client: Side,
        waited: bool,
    ) -> (FlowState, CloseReason) {
        let state = self.state();
        match (self.phase(), cause) {
            (Phase::Closed, _) => (state, self.close_reason(state, client)),
            (Phase::Handshake, EndCause::Idle) => (FlowState::HandshakeFailed, self.unanswered()),
            (Phase::Handshake, _) if waited || self.syn_repeats > 0 => {
                (FlowState::HandshakeFailed, self.unanswered())
            }
            (Phase::Established, EndCause::Idle) => (FlowState::TimedOut, CloseReason::Idle),
            (_, EndCause::Idle) => (state, CloseReason::Idle),
            (_, EndCause::InputEnd) => (state, CloseReason::InputEnd),
            (_, EndCause::PortReused) => (state, CloseReason::PortReused),
            (_, EndCause::Evicted) => (state, CloseReason::Evicted),
        }
    }

    fn unanswered(&self) -> CloseReason {
        if self.syn_ack.is_some() {
            CloseReason::SynAckUnanswered
        } else {
            CloseReason::SynUnanswered
        }
    }

    fn close_reason(&self, state: FlowState, client: Side) -> CloseReason {
        match self.reset_by() {
            _ if state == FlowState::Closed => CloseReason::Fin,
            None => CloseReason::Fin,
            Some(side) if side == client => CloseReason::ClientReset,
            Some(_) if self.syn.is_some() && self.syn_ack.is_none() && !self.is_established() => {
                CloseReason::ServerRefused
            }
            Some(_) => CloseReason::ServerReset,
        }
    }
}
