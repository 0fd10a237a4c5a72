use std::num::NonZeroU64;

use fact::TcpCounter;
use wire::{Side, Timestamp};

use super::marks::{By, Marks};
use super::{Findings, Segment};
use fact::{CloseReason, FlowState, Handshake, Notes};

/// A SYN/ACK this long after the client's ACK is no copy that crossed it.
const LATE_NS: u64 = 200_000_000;
/// ACKs that answer each other: so many are no coincidence.
const STORM: u8 = 10;

/// How far a connection came: its handshake and its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    syn: Option<At>,
    syn_ack: Option<At>,
    /// First plain ACK of the client after the SYN/ACK.
    ack: Option<At>,
    marks: Marks,
    /// SYN/ACKs after `ack`.
    late_syn_acks: u8,
    /// Duplicate ACKs in a row, each of which answers one of the other side.
    volley: u8,
    /// Plain segments have nothing to tell any more.
    settled: bool,
}

/// A time that takes no more room where there is none. The epoch itself, which stands for "no time
/// given", becomes the nanosecond after it.
#[derive(Clone, Copy, Debug)]
struct At(NonZeroU64);

impl At {
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

/// What made a record final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Idle,
    InputEnd,
    PortReused,
    Evicted,
}

impl Progress {
    pub(crate) fn segment(&mut self, segment: &Segment<'_>, found: Findings) {
        let tcp = &segment.tcp;
        if segment.control() || !self.settled {
            self.step(segment);
        }
        if tcp.payload_len > 0 && !found.has(TcpCounter::KeepAlive) && !tcp.flags.rst() {
            self.marks.set_by(By::DATA, segment.side);
        }
        if found.has(TcpCounter::DuplicateAck) {
            self.duplicate_ack(segment.side);
        } else if self.volley > 0 {
            self.volley = 0;
            self.marks.forget(By::VOLLEY);
        }
    }

    fn step(&mut self, segment: &Segment<'_>) {
        let (flags, side) = (segment.tcp.flags, segment.side);
        if flags.rst() {
            self.reset(segment);
            return;
        }
        if self.marks.any(By::RESET) && !flags.syn() {
            self.went_on(side);
        }
        if flags.syn() && segment.tcp.options.sack_permitted {
            self.marks.set_by(By::SACK, side);
        }
        if segment.opens() {
            self.opens(segment);
        } else if segment.accepts() {
            self.accepts(segment);
        } else if flags.ack() {
            self.acknowledges(segment);
        }
        if flags.fin() {
            self.marks.set_by(By::FIN, side);
        }
        let shaken = !self.opened() || (self.ack.is_some() && self.marks.has(Marks::SERVER_ACTED));
        self.settled = shaken && self.marks.has(Marks::ESTABLISHED) && !self.marks.any(By::RESET);
    }

    fn reset(&mut self, segment: &Segment<'_>) {
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

    /// Something other than SYN and RST comes from `side` after a RST. What was on the way then is
    /// no proof that the RST was in vain; that both sides go on, the one that is said to have sent
    /// it more than once, is.
    fn went_on(&mut self, side: Side) {
        let resetter = self.marks.by(By::RESET, side);
        if resetter && self.marks.by(By::WENT_ON, side) {
            self.marks.set(Marks::WENT_ON_TWICE);
        }
        self.marks.set_by(By::WENT_ON, side);
        let in_vain = self.marks.both(By::WENT_ON) && self.marks.has(Marks::WENT_ON_TWICE);
        if in_vain && !self.marks.has(Marks::RESET_AFTER_FINS) {
            self.marks.set(Marks::RESET_IGNORED);
            self.marks.forget(By::RESET);
        }
    }

    fn opens(&mut self, segment: &Segment<'_>) {
        if self.marks.by(By::SYN, segment.side) {
            self.marks.set(Marks::SYN_REPEATED);
        }
        if self.syn.is_none() {
            self.syn = Some(At::new(segment.time));
            self.marks.set_by(By::OPENED, segment.side);
        }
        self.marks.set_by(By::SYN, segment.side);
        if segment.tcp.payload_len > 0 {
            self.marks.set(Marks::SYN_DATA);
        }
    }

    fn accepts(&mut self, segment: &Segment<'_>) {
        let side = segment.side;
        self.marks.set_by(By::SYN_ACK, side);
        if self.marks.both(By::SYN_ACK) {
            self.marks.set(Marks::ESTABLISHED);
        }
        if self.syn_ack.is_none() && !segment.tcp.flags.fin() && !self.marks.by(By::OPENED, side) {
            self.syn_ack = Some(At::new(segment.time));
            self.marks.set_by(By::ACCEPTED, side);
        }
        if self.ack.is_some_and(|ack| segment.time.nanos_since(ack.time()) >= LATE_NS)
            && !self.marks.has(Marks::SERVER_ACTED)
        {
            self.late_syn_acks = self.late_syn_acks.saturating_add(1);
        }
    }

    fn acknowledges(&mut self, segment: &Segment<'_>) {
        let (flags, side) = (segment.tcp.flags, segment.side);
        let says = segment.tcp.payload_len > 0 || flags.fin();
        match self.marks.who(By::ACCEPTED) {
            Some(server) if side != server => {
                self.marks.set(Marks::ESTABLISHED);
                if self.ack.is_none() && !flags.fin() {
                    self.ack = Some(At::new(segment.time));
                }
            }
            Some(server) => {
                self.marks.set(Marks::SERVER_ACTED);
                if segment.tcp.payload_len > 0 || self.marks.by(By::SYN_ACK, server.other()) {
                    self.marks.set(Marks::ESTABLISHED);
                }
            }
            None => match self.marks.who(By::OPENED) {
                Some(client) if side != client && !says && !self.marks.by(By::SYN_ACK, client) => {
                    self.marks.set(Marks::ACK_FOR_SYN);
                }
                _ => self.marks.set(Marks::ESTABLISHED),
            },
        }
    }

    fn duplicate_ack(&mut self, side: Side) {
        let answers = self.marks.by(By::VOLLEY, side.other());
        self.volley = if answers { self.volley.saturating_add(1) } else { 1 };
        self.marks.forget(By::VOLLEY);
        self.marks.set_by(By::VOLLEY, side);
        if self.volley >= STORM {
            self.marks.set(Marks::ACK_STORM);
        }
    }

    /// The connection before on these ports was closed well, and may still be in TIME-WAIT.
    pub(crate) fn reuses_ports(&mut self) {
        self.marks.set(Marks::TIME_WAIT_REUSE);
    }

    /// Whether a SYN with data waits for the SYN/ACK that tells whether the data was taken.
    pub(crate) fn offered_data(&self) -> bool {
        self.marks.has(Marks::SYN_DATA)
    }

    /// The SYN/ACK acknowledges the data of the SYN.
    pub(crate) fn data_taken(&mut self) {
        self.marks.set(Marks::SYN_DATA_TAKEN);
    }

    /// Whether both sides may tell losses by selective acknowledgements; believed where the
    /// handshake was not seen.
    pub(crate) fn selective(&self) -> bool {
        self.marks.both(By::SACK) || !(self.marks.any(By::SYN) || self.marks.any(By::SYN_ACK))
    }

    /// Whether a SYN or a SYN/ACK was seen.
    pub(crate) fn opened(&self) -> bool {
        self.syn.is_some() || self.syn_ack.is_some()
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.marks.any(By::RESET) || self.marks.both(By::FIN) {
            Phase::Closed
        } else if self.marks.any(By::FIN) {
            Phase::HalfClosed
        } else if self.opened() && !self.established() {
            Phase::Handshake
        } else {
            Phase::Established
        }
    }

    pub(crate) fn established(&self) -> bool {
        self.marks.has(Marks::ESTABLISHED)
    }

    /// Who sent the RST that ended it.
    pub(crate) fn reset_by(&self) -> Option<Side> {
        self.marks.who(By::RESET)
    }

    pub(crate) fn any_fin(&self) -> bool {
        self.marks.any(By::FIN)
    }

    /// How many sides sent payload.
    pub(crate) fn speakers(&self) -> usize {
        [Side::Low, Side::High].into_iter().filter(|&side| self.marks.by(By::DATA, side)).count()
    }

    /// The server answered the SYN with an ACK of something else.
    pub(crate) fn stale(&self) -> bool {
        self.marks.has(Marks::ACK_FOR_SYN) && !self.marks.any(By::SYN_ACK)
    }

    /// The client that completed the handshake, as long as the server has not sent anything but
    /// SYN/ACKs since.
    pub(crate) fn not_taken(&self) -> Option<Side> {
        let taken = self.ack.is_none() || self.marks.has(Marks::SERVER_ACTED);
        self.marks.who(By::ACCEPTED).filter(|_| !taken).map(Side::other)
    }

    /// SYN/ACKs that came after the client had completed the handshake.
    pub(crate) fn late_syn_acks(&self) -> u8 {
        self.late_syn_acks
    }

    pub(crate) fn notes(&self) -> Notes {
        let marks = self.marks;
        let two_syns = marks.both(By::SYN);
        let told = [
            (two_syns && marks.both(By::SYN_ACK), Notes::SIMULTANEOUS_OPEN),
            (two_syns && !marks.both(By::SYN_ACK) && marks.any(By::SYN_ACK), Notes::SPLIT_HANDSHAKE),
            (marks.has(Marks::SYN_DATA_TAKEN), Notes::FAST_OPEN),
            (
                marks.has(Marks::SYN_DATA) && self.syn_ack.is_some() && !marks.has(Marks::SYN_DATA_TAKEN),
                Notes::FAST_OPEN_REFUSED,
            ),
            (marks.has(Marks::TIME_WAIT_REUSE), Notes::TIME_WAIT_REUSE),
            (marks.has(Marks::RESET_WITH_DATA), Notes::RESET_WITH_DATA),
            (marks.has(Marks::RESET_IGNORED), Notes::RESET_IGNORED),
            (marks.has(Marks::ACK_STORM), Notes::ACK_STORM),
        ];
        let mut notes = Notes::default();
        told.into_iter().filter(|(so, _)| *so).for_each(|(_, note)| notes.add(note));
        notes
    }

    pub(crate) fn handshake(&self) -> Option<Handshake> {
        if !self.opened() {
            return None;
        }
        let between = |from: Option<At>, to: Option<At>| Some(to?.time().signed_nanos_since(from?.time()));
        let first = between(self.syn, self.syn_ack);
        let second = between(self.syn_ack, self.ack);
        Some(Handshake {
            complete: self.syn.is_some() && self.ack.is_some(),
            syn_to_syn_ack_ns: first,
            syn_ack_to_ack_ns: second,
            rtt_ns: first.zip(second).map(|(a, b)| a.saturating_add(b)),
        })
    }

    /// State while the flow is open.
    pub(crate) fn state(&self) -> FlowState {
        let well = !self.marks.any(By::RESET) || self.marks.has(Marks::RESET_AFTER_FINS);
        let closed = self.marks.both(By::FIN) && well;
        match self.phase() {
            Phase::Closed if closed => FlowState::Closed,
            Phase::Closed if self.opened() && !self.established() => FlowState::HandshakeFailed,
            Phase::Closed => FlowState::Reset,
            Phase::HalfClosed => FlowState::HalfClosed,
            Phase::Handshake | Phase::Established => FlowState::Open,
        }
    }

    /// State and reason of the final record; `patient` if an answer to the handshake would have
    /// come by now.
    pub(crate) fn end(&self, cause: Cause, client: Side, patient: bool) -> (FlowState, CloseReason) {
        let state = self.state();
        match (self.phase(), cause) {
            (Phase::Closed, _) => (state, self.closing(state, client)),
            (Phase::Handshake, Cause::Idle) => (FlowState::HandshakeFailed, self.unanswered()),
            (Phase::Handshake, _) if patient || self.marks.has(Marks::SYN_REPEATED) => {
                (FlowState::HandshakeFailed, self.unanswered())
            }
            (Phase::Established, Cause::Idle) => (FlowState::TimedOut, CloseReason::Idle),
            (_, Cause::Idle) => (state, CloseReason::Idle),
            (_, Cause::InputEnd) => (state, CloseReason::InputEnd),
            (_, Cause::PortReused) => (state, CloseReason::PortReused),
            (_, Cause::Evicted) => (state, CloseReason::Evicted),
        }
    }

    fn unanswered(&self) -> CloseReason {
        if self.syn_ack.is_some() { CloseReason::SynAckUnanswered } else { CloseReason::SynUnanswered }
    }

    fn closing(&self, state: FlowState, client: Side) -> CloseReason {
        match self.reset_by() {
            _ if state == FlowState::Closed => CloseReason::Fin,
            None => CloseReason::Fin,
            Some(side) if side == client => CloseReason::ClientReset,
            Some(_) if self.syn.is_some() && self.syn_ack.is_none() && !self.established() => {
                CloseReason::ServerRefused
            }
            Some(_) => CloseReason::ServerReset,
        }
    }
}
