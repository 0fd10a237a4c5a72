use wire::Side;

use super::Progress;
use crate::per_side::PerSide;
use fact::{CloseReason, FlowState, Notes, Trouble};

/// What is known of a connection when it is asked what went wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symptoms<'a> {
    pub(super) progress: &'a Progress,
    pub(super) sides: PerSide<Symptom>,
    pub(super) state: FlowState,
    /// None while the flow is open.
    pub(super) reason: Option<CloseReason>,
}

/// What concerns one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Symptom {
    pub(super) retransmissions: u32,
    pub(super) keep_alives: u32,
    pub(super) goodput: u64,
    /// Its window is closed.
    pub(super) shut: bool,
    /// Segments that it sent again, and that are not acknowledged.
    pub(super) unheard: usize,
}

/// Copies that wait for an acknowledgement until the other side is called silent: the first and two repeats.
const UNHEARD: usize = 3;
/// Repeats of data that a listener ignores until its queue is called full.
const IGNORED: u32 = 2;

impl Symptoms<'_> {
    /// The name that explains most, if anything went wrong.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.opening().or_else(|| self.mutual()).or_else(|| self.reset()).or_else(|| self.unfinished())
    }

    fn opening(&self) -> Option<Trouble> {
        let progress = self.progress;
        if progress.stale() && !progress.established() {
            return Some(Trouble::StalePeer);
        }
        match (self.state, self.reason) {
            (_, Some(CloseReason::SynUnanswered)) => return Some(Trouble::SynUnanswered),
            (_, Some(CloseReason::SynAckUnanswered)) => return Some(Trouble::SynAckUnanswered),
            (_, Some(CloseReason::ServerRefused)) => return Some(Trouble::Refused),
            (FlowState::HandshakeFailed, Some(_)) => return Some(Trouble::HandshakeAborted),
            _ => {}
        }
        let ignored = progress.not_taken().is_some_and(|client| {
            let client = self.sides.get(client);
            client.goodput > 0 && client.retransmissions >= IGNORED
        });
        (ignored || progress.late_syn_acks() > 0).then_some(Trouble::AcceptQueueFull)
    }

    fn mutual(&self) -> Option<Trouble> {
        self.progress.notes().has(Notes::ACK_STORM).then_some(Trouble::AckStorm)
    }

    /// Whether what `side` sent is repeated and not acknowledged.
    fn unheard(&self, side: Side) -> bool {
        self.sides.get(side).unheard >= UNHEARD
    }

    fn reset(&self) -> Option<Trouble> {
        if self.state != FlowState::Reset {
            return None;
        }
        let progress = self.progress;
        Some(match (progress.reset_by(), progress.speakers()) {
            (Some(by), _) if self.unheard(by) => Trouble::PeerSilent,
            _ if progress.any_fin() => Trouble::ResetAfterFin,
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
        if low.shut || high.shut {
            return Some(Trouble::WindowShut);
        }
        if self.unheard(Side::Low) || self.unheard(Side::High) {
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
        let nothing_said = self.progress.speakers() == 0 || (low.goodput <= 1 && high.goodput <= 1);
        if low.keep_alives + high.keep_alives > 0 && nothing_said {
            return Some(Trouble::KeepAliveOnly);
        }
        (reason == CloseReason::Idle).then_some(Trouble::Idle)
    }
}
