use std::num::NonZeroU64;

use wire::{Side, Timestamp};

use super::Segment;
use crate::fact::{CloseReason, FlowState, Handshake};

/// How far a connection came: its handshake and its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    syn: Option<At>,
    syn_ack: Option<At>,
    /// Who sent `syn_ack`.
    server: Option<Side>,
    /// First plain ACK of the client after the SYN/ACK.
    ack: Option<At>,
    /// Something was sent that only an established connection sends.
    established: bool,
    syn_repeated: bool,
    fin: [bool; 2],
    reset: Option<Side>,
    /// The reset came after FINs of both sides, and is only the way that this kernel cleans up.
    reset_after_fins: bool,
}

/// A time that takes no more room where there is none. The epoch itself, which stands for "no time given", becomes the nanosecond
/// after it.
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

const fn index(side: Side) -> usize {
    match side {
        Side::Low => 0,
        Side::High => 1,
    }
}

impl Progress {
    pub(crate) fn segment(&mut self, segment: &Segment<'_>) {
        let (flags, side) = (segment.tcp.flags, segment.side);
        if flags.rst() {
            self.reset_after_fins |= self.reset.is_none() && self.fin == [true; 2];
            self.reset.get_or_insert(side);
            return;
        }
        if segment.opens() {
            self.syn_repeated |= self.syn.is_some();
            self.syn.get_or_insert(At::new(segment.time));
        } else if segment.accepts() {
            let plain = !flags.fin();
            if plain && self.syn_ack.is_none() {
                (self.syn_ack, self.server) = (Some(At::new(segment.time)), Some(side));
            }
        } else if flags.ack() {
            match self.server {
                Some(server) if side != server => {
                    self.established = true;
                    if self.ack.is_none() && !flags.fin() {
                        self.ack = Some(At::new(segment.time));
                    }
                }
                Some(_) => self.established |= segment.tcp.payload_len > 0,
                None => self.established = true,
            }
        }
        if flags.fin() {
            self.fin[index(side)] = true;
        }
    }

    /// Whether a SYN or a SYN/ACK was seen.
    pub(crate) fn opened(&self) -> bool {
        self.syn.is_some() || self.syn_ack.is_some()
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.reset.is_some() || self.fin == [true; 2] {
            Phase::Closed
        } else if self.fin != [false; 2] {
            Phase::HalfClosed
        } else if self.opened() && !self.established {
            Phase::Handshake
        } else {
            Phase::Established
        }
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
        let closed = self.fin == [true; 2] && (self.reset.is_none() || self.reset_after_fins);
        match self.phase() {
            Phase::Closed if closed => FlowState::Closed,
            Phase::Closed if self.opened() && !self.established => FlowState::HandshakeFailed,
            Phase::Closed => FlowState::Reset,
            Phase::HalfClosed => FlowState::HalfClosed,
            Phase::Handshake | Phase::Established => FlowState::Open,
        }
    }

    /// State and reason of the final record; `patient` if an answer to the handshake would have come by now.
    pub(crate) fn end(&self, cause: Cause, client: Side, patient: bool) -> (FlowState, CloseReason) {
        let state = self.state();
        match (self.phase(), cause) {
            (Phase::Closed, _) => (state, self.closing(state, client)),
            (Phase::Handshake, Cause::Idle) => (FlowState::HandshakeFailed, self.unanswered()),
            (Phase::Handshake, _) if patient || self.syn_repeated => {
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
        match self.reset {
            _ if state == FlowState::Closed => CloseReason::Fin,
            None => CloseReason::Fin,
            Some(side) if side == client => CloseReason::ClientReset,
            Some(_) if self.syn.is_some() && self.syn_ack.is_none() && !self.established => {
                CloseReason::ServerRefused
            }
            Some(_) => CloseReason::ServerReset,
        }
    }
}
