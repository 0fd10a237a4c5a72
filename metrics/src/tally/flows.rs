//! What a shard counted of flows of every transport.

use fact::{CloseReason, FlowRecord};
use wire::{Direction, PerDirection};

use crate::snapshot::Snapshot;

/// Flows of every transport.
#[derive(Debug, Default)]
pub(crate) struct FlowTally {
    pub(crate) opened: u64,
    /// Change of the number of open flows; none where no flow came or went.
    pub(crate) active: Option<i64>,
    /// Each reason that occurred, with its count.
    pub(crate) closed: Vec<(CloseReason, u64)>,
    pub(crate) traffic: PerDirection<Traffic>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) packets: u64,
    pub(crate) ip_bytes: u64,
}

impl FlowTally {
    pub(super) fn add(&mut self, now: &FlowRecord, before: Option<&Snapshot>) {
        for direction in Direction::BOTH {
            let now = &now.directions[direction];
            let (packets, ip_bytes) = before.map_or((0, 0), |before| {
                let before = &before.directions[direction];
                (before.packets, before.ip_bytes)
            });
            let traffic = &mut self.traffic[direction];
            traffic.packets += now.packets.saturating_sub(packets);
            traffic.ip_bytes += now.ip_bytes.saturating_sub(ip_bytes);
        }
    }

    /// Changes the number of open flows.
    pub(crate) fn add_active(&mut self, change: i64) {
        *self.active.get_or_insert(0) += change;
    }

    pub(super) fn closed(&mut self, reason: CloseReason) {
        match self.closed.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.closed.push((reason, 1)),
        }
    }
}
