//! The flows of a shard that `/api/flows` lists. The shard updates it, the HTTP server reads it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, TryLockError};

use fact::{DirectionRecord, FlowRecord, Latencies, TunnelRecord};
use wire::{PerDirection, invariant};

/// The flows of one shard that can be listed: open ones as of the last tick, and the last that were
/// closed.
#[derive(Default)]
pub(crate) struct FlowBoard {
    flows: HashMap<u64, ListedFlow>,
    /// Ids of closed flows, the one closed first in front.
    closed: VecDeque<u64>,
    limit: usize,
}

/// The figures of a flow without the distributions of its times. The list does not show those, and
/// each may be a box of 424 bytes that would be allocated anew for every update.
#[derive(Debug)]
pub(crate) struct ListedFlow(FlowRecord);

impl ListedFlow {
    pub(crate) fn new(record: &FlowRecord) -> Self {
        Self(figures(record, record.vlans.clone(), record.tunnels.clone()))
    }

    /// Takes over the figures of `record`, in the memory that is there.
    fn update(&mut self, record: &FlowRecord) {
        let mut vlans = std::mem::take(&mut self.0.vlans);
        vlans.clone_from(&record.vlans);
        let mut tunnels = std::mem::take(&mut self.0.tunnels);
        tunnels.clone_from(&record.tunnels);
        self.0 = figures(record, vlans, tunnels);
    }

    /// The record; its `rtt_latencies` are empty.
    pub(crate) const fn record(&self) -> &FlowRecord {
        &self.0
    }
}

/// A record of the same figures as `record`, made without copying a distribution.
fn figures(record: &FlowRecord, vlans: Vec<u16>, tunnels: Vec<TunnelRecord>) -> FlowRecord {
    let direction = |direction: &DirectionRecord| DirectionRecord {
        rtt_latencies: Latencies::default(),
        ..*direction
    };
    let PerDirection { to_server, to_client } = &record.directions;
    let directions =
        PerDirection { to_server: direction(to_server), to_client: direction(to_client) };
    FlowRecord { vlans, tunnels, directions, ..*record }
}

impl FlowBoard {
    /// An empty board with room for `limit` flows.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes the present figures of a flow. A full board gives the place of the flow that was
    /// closed first to a new one; without a closed flow the new one is not listed.
    ///
    /// Where the board is full or has the flow already, nothing is allocated but for a flow with
    /// more VLANs or tunnels than its place had before.
    pub(crate) fn update(&mut self, record: &FlowRecord) {
        let id = record.id.0;
        if let Some(listed) = self.flows.get_mut(&id) {
            listed.update(record);
        } else if self.flows.len() < self.limit {
            self.flows.insert(id, ListedFlow::new(record));
        } else {
            let Some(oldest) = self.closed.pop_front() else { return };
            let Some(mut place) = self.flows.remove(&oldest) else {
                invariant!("a closed flow stays on the board until it is the oldest");
                return;
            };
            place.update(record);
            self.flows.insert(id, place);
        }
        if record.close_reason.is_some() {
            self.closed.push_back(id);
        }
    }

    /// Removes the flows that are not known to be closed. Those that are open come again at the
    /// next tick.
    fn remove_open(&mut self) {
        self.flows.retain(|_, listed| listed.record().close_reason.is_some());
    }

    /// The flows on the board, in no order.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &ListedFlow> {
        self.flows.values()
    }
}

/// The shard's side of its board: it never waits for a reader.
#[derive(Default)]
pub(crate) struct BoardUpdater {
    /// Closed flows that came while the board was read. Figures of open flows come again at the
    /// next tick; those of closed flows do not, and without them the flow would stay open in the
    /// list.
    missed: Vec<ListedFlow>,
    /// Closed flows came for which there was no room in `missed`.
    lost: bool,
}

/// Closed flows that may wait until the board was read. A reader copies the board, which takes less
/// than a millisecond for 2000 flows; 1024 in that time are a million connections a second. Where
/// more come, nobody knows which flows of the board are still open, and those that are show
/// themselves anew: else the places of the closed ones would never be given to others.
const MAX_MISSED: usize = 1024;

impl BoardUpdater {
    /// Shows the present figures of a flow, now or at the first update after the board was read.
    pub(crate) fn update(&mut self, board: &Mutex<FlowBoard>, record: &FlowRecord) {
        let mut board = match board.try_lock() {
            Ok(board) => board,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if record.close_reason.is_some() {
                    if self.missed.len() < MAX_MISSED {
                        self.missed.push(ListedFlow::new(record));
                    } else {
                        self.lost = true;
                    }
                }
                return;
            }
        };
        if std::mem::take(&mut self.lost) {
            board.remove_open();
        }
        for missed in self.missed.drain(..) {
            board.update(missed.record());
        }
        board.update(record);
    }
}

#[cfg(test)]
mod tests {
    use fact::{ClientBy, CloseReason, FlowId, FlowState, Notes};
    use wire::{Endpoint, TapId, Timestamp, Transport};

    use super::*;

    fn flow(id: u64) -> FlowRecord {
        let end = |port| Endpoint::new("192.0.2.1".parse().unwrap(), port);
        FlowRecord {
            id: FlowId(id),
            tap: TapId(0),
            transport: Transport::Tcp,
            client: end(40_000),
            server: end(80),
            client_by: ClientBy::Syn,
            vlans: vec![7, 8],
            tunnels: Vec::new(),
            start: Timestamp::from_nanos(1),
            end: Timestamp::from_nanos(2),
            state: FlowState::Open,
            close_reason: None,
            trouble: None,
            notes: Notes::default(),
            directions: PerDirection::default(),
            handshake: None,
            l7: None,
        }
    }

    fn closed(id: u64) -> FlowRecord {
        FlowRecord { state: FlowState::Closed, close_reason: Some(CloseReason::Fin), ..flow(id) }
    }

    fn ids(board: &FlowBoard) -> Vec<u64> {
        let mut ids: Vec<u64> = board.flows().map(|flow| flow.record().id.0).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn a_full_board_gives_the_place_of_the_flow_closed_first() {
        let mut board = FlowBoard::new(2);
        board.update(&flow(1));
        board.update(&flow(2));
        board.update(&flow(3));
        assert_eq!(ids(&board), [1, 2], "open flows keep their places");
        board.update(&closed(2));
        board.update(&flow(3));
        assert_eq!(ids(&board), [1, 3]);
        board.update(&closed(1));
        board.update(&closed(3));
        board.update(&flow(4));
        assert_eq!(ids(&board), [3, 4]);
    }

    #[test]
    fn an_update_uses_the_memory_that_is_there() {
        let mut board = FlowBoard::new(1);
        let mut record = flow(1);
        (0..100).for_each(|n| record.directions.to_server.rtt_latencies.record(n));
        board.update(&record);
        let memory = |board: &FlowBoard| {
            let listed = board.flows().next().unwrap().record();
            assert_eq!(listed.directions.to_server.rtt_latencies, Latencies::default());
            listed.vlans.as_ptr()
        };
        let first = memory(&board);
        record.directions.to_server.packets = 9;
        board.update(&record);
        assert_eq!(memory(&board), first, "of the same flow");
        assert_eq!(board.flows().next().unwrap().record().directions.to_server.packets, 9);
        board.update(&closed(1));
        board.update(&flow(2));
        assert_eq!(ids(&board), [2]);
        assert_eq!(memory(&board), first, "of a flow that takes the place of another");
    }

    #[test]
    fn a_flow_that_was_closed_while_the_board_was_read_is_shown_as_closed() {
        let (board, mut updater) = (Mutex::new(FlowBoard::new(9)), BoardUpdater::default());
        updater.update(&board, &flow(1));
        {
            let _reader = board.lock().unwrap();
            updater.update(&board, &closed(1));
        }
        updater.update(&board, &flow(2));
        let board = board.lock().unwrap();
        let one = board.flows().find(|flow| flow.record().id == FlowId(1)).unwrap();
        assert_eq!(one.record().close_reason, Some(CloseReason::Fin));
    }

    #[test]
    fn places_of_flows_whose_end_was_missed_are_given_to_others() {
        let count = MAX_MISSED as u64 + 10;
        let board = Mutex::new(FlowBoard::new(count as usize));
        let mut updater = BoardUpdater::default();
        (0..count).for_each(|id| updater.update(&board, &flow(id)));
        {
            let _reader = board.lock().unwrap();
            (0..count).for_each(|id| updater.update(&board, &closed(id)));
        }
        updater.update(&board, &flow(count));
        let board = board.into_inner().unwrap();
        let open = board.flows().filter(|flow| flow.record().close_reason.is_none());
        assert_eq!(open.map(|flow| flow.record().id.0).collect::<Vec<_>>(), [count]);
        assert_eq!(board.flows().count(), MAX_MISSED + 1);
    }
}
