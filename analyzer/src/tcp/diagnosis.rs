//! What went wrong with a TCP connection, in one name.

use wire::Side;

use super::Lifecycle;
use crate::per_side::PerSide;
use fact::{CloseReason, FlowState, Notes, Trouble};

/// What is known of a connection when its record is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Diagnosis<'a> {
    pub(super) lifecycle: &'a Lifecycle,
    pub(super) sides: PerSide<SideState>,
    pub(super) state: FlowState,
    /// None while the flow is open.
    pub(super) reason: Option<CloseReason>,
}

/// What concerns one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SideState {
    pub(super) retransmissions: u32,
    pub(super) keep_alives: u32,
    pub(super) goodput: u64,
    /// Its window is closed.
    pub(super) window_closed: bool,
    /// Copies of segments that it sent more than once and that are not acknowledged.
    pub(super) unacked_retransmits: usize,
}

/// Unacknowledged copies at which the peer is silent: the segment and two retransmissions.
const SILENT_PEER_RETRANSMITS: usize = 3;
/// Ignored retransmissions of the client's data at which the server's accept queue is full.
const IGNORED_RETRANSMITS: u32 = 2;

impl Diagnosis<'_> {
    /// The trouble that explains most, if there is one.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.handshake()
            .or_else(|| self.ack_storm())
            .or_else(|| self.reset())
            .or_else(|| self.unfinished())
    }

    fn handshake(&self) -> Option<Trouble> {
        let lifecycle = self.lifecycle;
        if lifecycle.has_stale_peer() && !lifecycle.is_established() {
            return Some(Trouble::StalePeer);
        }
        match (self.state, self.reason) {
            (_, Some(CloseReason::SynUnanswered)) => return Some(Trouble::SynUnanswered),
            (_, Some(CloseReason::SynAckUnanswered)) => return Some(Trouble::SynAckUnanswered),
            (_, Some(CloseReason::ServerRefused)) => return Some(Trouble::Refused),
            (FlowState::HandshakeFailed, Some(_)) => return Some(Trouble::HandshakeAborted),
            _ => {}
        }
        let ignored = lifecycle.unaccepted_client().is_some_and(|client| {
            let client = self.sides.get(client);
            client.goodput > 0 && client.retransmissions >= IGNORED_RETRANSMITS
        });
        (ignored || lifecycle.has_late_syn_ack()).then_some(Trouble::AcceptQueueFull)
    }

    fn ack_storm(&self) -> Option<Trouble> {
        self.lifecycle.notes().has(Notes::ACK_STORM).then_some(Trouble::AckStorm)
    }

    /// Whether the peer of `side` does not acknowledge what `side` retransmits.
    fn peer_is_silent(&self, side: Side) -> bool {
        self.sides.get(side).unacked_retransmits >= SILENT_PEER_RETRANSMITS
    }

    fn reset(&self) -> Option<Trouble> {
        if self.state != FlowState::Reset {
            return None;
        }
        let lifecycle = self.lifecycle;
        Some(match (lifecycle.reset_by(), lifecycle.sides_with_data()) {
            (Some(by), _) if self.peer_is_silent(by) => Trouble::PeerSilent,
            _ if lifecycle.has_fin() => Trouble::ResetAfterFin,
            (_, 0) => Trouble::ResetBeforeData,
            (_, 1) => Trouble::ResetUnanswered,
            _ => Trouble::ResetMidway,
        })
    }

    fn unfinished(&self) -> Option<Trouble> {
        if self.state == FlowState::Closed {
            return None;
        }
        let [low, high] = self.sides.both();
        if low.window_closed || high.window_closed {
            return Some(Trouble::WindowShut);
        }
        if self.peer_is_silent(Side::Low) || self.peer_is_silent(Side::High) {
            return Some(Trouble::PeerSilent);
        }
        let reason = self.reason.filter(|&reason| reason != CloseReason::Evicted)?;
        if reason == CloseReason::PortReused {
            return Some(Trouble::PortReused);
        }
        if self.state == FlowState::HalfClosed {
            return Some(Trouble::HalfClosed);
        }
        // A keep-alive may carry a byte, which is not known for one if it comes first.
        let no_data =
            self.lifecycle.sides_with_data() == 0 || (low.goodput <= 1 && high.goodput <= 1);
        if low.keep_alives + high.keep_alives > 0 && no_data {
            return Some(Trouble::KeepAliveOnly);
        }
        (reason == CloseReason::Idle).then_some(Trouble::Idle)
    }
}
