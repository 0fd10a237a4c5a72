//! From packets to facts: the flow of each packet, and when flows end.

use wire::decode::{Decoded, Layer4};
use wire::{InputClock, Timestamp, invariant};

use crate::config::Config;
use crate::flow::{Fit, Flow, Gone, Table, record};
use crate::tcp::{Budget, EndCause, Segment};
use crate::usage::Usage;
use fact::{self, Fact, FlowId, Sink};
use l7::SessionPool;

/// Flows with the same addresses and ports in as many networks. All of them are looked at for a
/// packet in a new one.
const MAX_SAME_KEY: usize = 64;

/// From packets to facts: finds the flow of each packet, keeps its figures, ends it when its time
/// is over.
#[derive(Debug)]
pub(crate) struct Tracker {
    config: Config,
    table: Table,
    gone: Gone,
    pool: SessionPool,
    reassembly_bytes: usize,
    /// Time of the latest packet.
    latest: Timestamp,
    /// Time of the last tick.
    ticked: Option<Timestamp>,
    /// Flows with packets since the last tick, by their slots at the time. A slot may have another
    /// flow since; the number tells.
    changed: Vec<(FlowId, u32)>,
    /// Flows of which something may come out at a tick.
    watched: Vec<(FlowId, u32)>,
    /// Empty; reused for lists of slots.
    scratch: Vec<u32>,
}

impl Tracker {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            pool: SessionPool::new(config.requests),
            table: Table::with_seed(config.hash_seed),
            config,
            gone: Gone::default(),
            reassembly_bytes: 0,
            latest: Timestamp::ZERO,
            ticked: None,
            changed: Vec::new(),
            watched: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Takes the packet of the frame with that number.
    pub(crate) fn packet<S: Sink>(&mut self, number: u64, packet: &Decoded<'_>, sink: &mut S) {
        let limit = self.ticked.map_or(Timestamp::MAX, |ticked| ticked + InputClock::STEP);
        self.latest = self.latest.max(packet.time.min(limit));
        let Some(slot) = self.flow_of(number, packet, limit, sink) else {
            sink.emit(Fact::Stray { tap: packet.key.tap });
            return;
        };
        let Some(flow) = self.table.get_mut(slot) else {
            invariant!("the slot of a packet's flow holds a flow");
            return;
        };
        flow.count(packet, limit);
        let mut budget =
            Budget { limits: &self.config.reassembly, used: &mut self.reassembly_bytes };
        match &packet.layer4 {
            Layer4::Tcp(tcp) => {
                let (time, side, ip_id) = (packet.time, packet.side, packet.ip.id);
                let segment = Segment { time, side, ip_id, tcp };
                let max_unacked = self.config.unacked_segments;
                if let Some(connection) = &mut flow.connection
                    && connection.on_segment(&segment, packet.ip.ecn, max_unacked)
                {
                    flow.on_segment(&segment, &mut self.pool, &mut budget, sink);
                }
            }
            Layer4::Udp(udp) => {
                let (side, time, id) = (packet.side, packet.time, packet.ip.id);
                flow.on_datagram(side, time, id, udp.payload, &mut self.pool, sink);
            }
        }
        if !flow.changed {
            flow.changed = true;
            self.changed.push((flow.id, slot));
        }
        self.table.touch(slot);
    }

    /// Slot of the flow that `packet` belongs to; makes a new one where there is none, or where the
    /// old one is over. A time beyond `limit` may be wrong: no flow is over by it. None for a late
    /// packet of a connection that is gone.
    fn flow_of<S: Sink>(
        &mut self,
        number: u64,
        packet: &Decoded<'_>,
        limit: Timestamp,
        sink: &mut S,
    ) -> Option<u32> {
        let now = packet.time.min(limit);
        let mut closed_well = false;
        let found = self.table.find(packet).or_else(|| self.find_by_content(packet, now, sink));
        if let Some(slot) = found
            && let Some(flow) = self.table.get(slot)
        {
            if flow.starts_over(packet) {
                closed_well = flow.closed_well();
                self.close(slot, EndCause::PortReused, now, sink);
            } else if self.config.flows.expired(flow, now) {
                self.close(slot, EndCause::Idle, now, sink);
            } else {
                return Some(slot);
            }
        }
        if let Layer4::Tcp(tcp) = &packet.layer4
            && self.gone.has(self.table.long_hash(&packet.key), packet.side, tcp, now)
        {
            return None;
        }
        if self.table.len() >= self.config.flows.max_flows.max(1)
            && let Some(oldest) = self.table.oldest()
        {
            self.close(oldest, EndCause::Evicted, now, sink);
            sink.emit(Fact::Evicted { table: fact::Table::Flows, entries: 1 });
        }
        let mut flow = Box::new(Flow::new(FlowId(number), packet));
        if closed_well && let Some(connection) = &mut flow.connection {
            connection.lifecycle.on_time_wait_reuse();
        }
        sink.emit(Fact::FlowOpened(&flow.opening()));
        Some(self.table.insert(flow))
    }

    /// Slot of the flow that `packet` belongs to, where no flow with its addresses and ports is
    /// known to be in its network: the one whose numbers it continues. Others with the same
    /// addresses and ports are other connections, which only their networks tell apart.
    #[cold]
    fn find_by_content<S: Sink>(
        &mut self,
        packet: &Decoded<'_>,
        now: Timestamp,
        sink: &mut S,
    ) -> Option<u32> {
        let mut slots = std::mem::take(&mut self.scratch);
        slots.extend(self.table.with_key(&packet.key));
        let fitting = slots.iter().filter_map(|&slot| {
            let flow = self.table.get(slot).filter(|f| !self.config.flows.expired(f, now))?;
            Some((flow.fits(packet)?, flow.last, flow.id, slot))
        });
        let found = fitting.max_by_key(|&(fit, last, id, _)| (fit, last, id));
        if let Some((fit, .., slot)) = found {
            if let Some(flow) = self.table.get_mut(slot) {
                let corrects =
                    matches!(fit, Fit::Answer | Fit::Network) || !flow.has_sent(packet.side);
                let remembers_all = flow.networks.add(packet, corrects);
                if fit == Fit::Answer {
                    flow.networks.suppose(packet.side);
                }
                if !remembers_all {
                    sink.emit(Fact::Evicted { table: fact::Table::FlowNetworks, entries: 1 });
                }
            }
        } else {
            for &slot in &slots {
                if let Some(flow) = self.table.get_mut(slot) {
                    flow.networks.retract(packet.side.other(), packet.network);
                }
            }
        }
        if found.is_none() && slots.len() >= MAX_SAME_KEY {
            let last = |&slot: &u32| self.table.get(slot).map(|flow| (flow.last, flow.id));
            if let Some(oldest) = slots.iter().copied().min_by_key(last) {
                self.close(oldest, EndCause::Evicted, now, sink);
                sink.emit(Fact::Evicted { table: fact::Table::Flows, entries: 1 });
            }
        }
        slots.clear();
        self.scratch = slots;
        found.map(|(.., slot)| slot)
    }

    /// Removes a flow from the table and emits its final record.
    fn close<S: Sink>(&mut self, slot: u32, cause: EndCause, now: Timestamp, sink: &mut S) {
        let Some(mut flow) = self.table.remove(slot) else {
            invariant!("a flow that is closed is in the table");
            return;
        };
        if let Some(gone) = flow.gone() {
            self.gone.insert(self.table.long_hash(&flow.key), gone);
        }
        let mut budget =
            Budget { limits: &self.config.reassembly, used: &mut self.reassembly_bytes };
        // It was over at its time-out, however late that is noticed.
        let over = if cause == EndCause::Idle {
            now.min(self.config.flows.expires_at(&flow))
        } else {
            now
        };
        flow.finish(cause, over, &mut budget, &mut self.pool, sink);
        let (state, reason) = flow.end(cause, now);
        sink.emit(Fact::FlowClosed(&record(&flow, flow.last, state, Some(reason))));
        flow.close_conversation(&mut self.pool);
    }

    pub(crate) fn tick<S: Sink>(&mut self, now: Timestamp, sink: &mut S) {
        self.latest = self.latest.max(now);
        self.ticked = Some(now);
        self.watch();
        self.expire_waiting(now, sink);
        self.expire(now, sink);
        self.gone.expire(now);
        self.report(now, sink);
        self.pool.emit_evicted(sink);
    }

    /// Adds changed flows to the watched ones if something waits in them.
    fn watch(&mut self) {
        for &(id, slot) in &self.changed {
            let Some(flow) = same_flow(&mut self.table, id, slot) else { continue };
            if !flow.watched && flow.waits() {
                flow.watched = true;
                self.watched.push((id, slot));
            }
        }
    }

    /// Gives up what waited long enough in streams and conversations.
    fn expire_waiting<S: Sink>(&mut self, now: Timestamp, sink: &mut S) {
        self.watched.sort_unstable();
        let mut watched = std::mem::take(&mut self.watched);
        watched.retain(|&(id, slot)| {
            let Some(flow) = same_flow(&mut self.table, id, slot) else { return false };
            let mut budget =
                Budget { limits: &self.config.reassembly, used: &mut self.reassembly_bytes };
            flow.on_tick(now, &mut budget, &mut self.pool, sink);
            flow.watched = flow.waits();
            flow.watched
        });
        self.watched = watched;
    }

    /// Closes flows whose time-out is over.
    fn expire<S: Sink>(&mut self, now: Timestamp, sink: &mut S) {
        let mut slots = std::mem::take(&mut self.scratch);
        self.table.expired(now, &self.config.flows, &mut slots);
        self.close_all(&mut slots, EndCause::Idle, now, sink);
        self.scratch = slots;
    }

    /// Emits the figures of changed flows.
    fn report<S: Sink>(&mut self, now: Timestamp, sink: &mut S) {
        self.changed.sort_unstable();
        let mut changed = std::mem::take(&mut self.changed);
        for (id, slot) in changed.drain(..) {
            let Some(flow) = same_flow(&mut self.table, id, slot) else { continue };
            flow.changed = false;
            if !self.config.progress {
                continue;
            }
            let state =
                flow.connection.as_ref().map_or(fact::FlowState::Open, |c| c.lifecycle.state());
            sink.emit(Fact::FlowProgress(&record(flow, now.max(flow.last), state, None)));
        }
        self.changed = changed;
    }

    /// Time of the latest packet or tick.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Closes everything; the input ended at `end`.
    pub(crate) fn finish<S: Sink>(&mut self, end: Timestamp, sink: &mut S) {
        let mut slots: Vec<u32> = self.table.slots().collect();
        self.close_all(&mut slots, EndCause::InputEnd, end, sink);
        self.changed.clear();
        self.watched.clear();
    }

    /// Closes flows by their number, whatever the order of slots.
    fn close_all<S: Sink>(
        &mut self,
        slots: &mut Vec<u32>,
        cause: EndCause,
        now: Timestamp,
        sink: &mut S,
    ) {
        slots.sort_unstable_by_key(|&slot| self.table.get(slot).map(|flow| flow.id));
        for slot in slots.drain(..) {
            self.close(slot, cause, now, sink);
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage {
            flows: self.table.len(),
            reassembly_bytes: self.reassembly_bytes,
            table_bytes: self.table.bytes() + self.gone.bytes(),
            flow_bytes: self.pool.bytes(),
            ..Usage::default()
        };
        for flow in self.table.slots().filter_map(|slot| self.table.get(slot)) {
            usage.flow_bytes += flow.bytes();
            usage.pending_requests += flow.conversation.as_ref().map_or(0, |c| c.pending() as u64);
        }
        usage
    }
}

/// The flow that had this slot. None: it was closed since, and another may have its slot.
fn same_flow(table: &mut Table, id: FlowId, slot: u32) -> Option<&mut Flow> {
    table.get_mut(slot).filter(|flow| flow.id == id)
}
