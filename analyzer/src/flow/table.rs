//! The flow table: all open flows, found by key, in order of their last packet.

use std::time::Duration;

use wire::decode::Decoded;
use wire::{FlowKey, Timestamp, invariant};

use super::index::Index;
use super::{Flow, Order, TimeoutClass};
use crate::config::FlowLimits;

/// All open flows: found by key, kept in order of their last packet for each time-out.
#[derive(Debug)]
pub(crate) struct Table {
    index: Index,
    /// By slot; free slots are empty.
    flows: Vec<Option<Box<Flow>>>,
    free: Vec<u32>,
    order: Order,
}

impl Table {
    /// Empty table. `seed` decides where keys are in it, and nothing that can be seen outside.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            index: Index::with_seed(seed),
            flows: Vec::new(),
            free: Vec::new(),
            order: Order::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Slot of the flow that has the key of `packet`, and the sender of which is known to send in
    /// its network.
    #[inline]
    pub(crate) fn find(&self, packet: &Decoded<'_>) -> Option<u32> {
        let belongs =
            |flow: &Flow| flow.key == packet.key && flow.networks.has(packet.side, packet.network);
        self.index.find(self.index.hash(&packet.key), |slot| self.get(slot).is_some_and(belongs))
    }

    /// Slots of all flows with this key, in an order that must not reach the output.
    pub(crate) fn with_key(&self, key: &FlowKey) -> impl Iterator<Item = u32> {
        let has_key = |&slot: &u32| self.get(slot).is_some_and(|flow| flow.key == *key);
        self.index.with_hash(self.index.hash(key)).filter(has_key)
    }

    /// Hash of a key by which a connection that left the table is known.
    pub(crate) fn long_hash(&self, key: &FlowKey) -> u64 {
        self.index.long_hash(key)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Flow> {
        self.flows.get(slot as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Adds a flow; returns its slot.
    pub(crate) fn insert(&mut self, flow: Box<Flow>) -> u32 {
        let (hash, class, time) = (self.index.hash(&flow.key), flow.timeout_class(), flow.last);
        let slot = match self.free.pop() {
            Some(slot) => {
                let place = self.flows.get_mut(slot as usize);
                match place.filter(|place| invariant!(place.is_none(), "a free slot is empty")) {
                    Some(place) => *place = Some(flow),
                    None => _ = invariant!("a free slot is a slot of the table"),
                }
                slot
            }
            None => {
                self.flows.push(Some(flow));
                (self.flows.len() - 1) as u32
            }
        };
        self.index.insert(hash, slot);
        self.order.push(slot, class, time);
        slot
    }

    /// Removes the flow of a slot that is not free.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Box<Flow>> {
        let Some(removed) = self.flows.get_mut(slot as usize).and_then(Option::take) else {
            invariant!("only flows in the table are removed");
            return None;
        };
        self.index.remove(self.index.hash(&removed.key), slot);
        self.order.remove(slot);
        self.free.push(slot);
        Some(removed)
    }

    /// Moves the flow of `slot` to its place by its last packet and its time-out.
    pub(crate) fn touch(&mut self, slot: u32) {
        let Some(flow) = self.flows.get(slot as usize).and_then(Option::as_deref) else {
            invariant!("a flow that has a packet is in the table");
            return;
        };
        self.order.touch(slot, flow.timeout_class(), flow.last);
    }

    /// The flow that was idle for longest; flows that are closed go first.
    pub(crate) fn oldest(&self) -> Option<u32> {
        let over = [TimeoutClass::Closed, TimeoutClass::Closing];
        if let Some(closed) = over.into_iter().find_map(|class| self.order.first(class)) {
            return Some(closed);
        }
        TimeoutClass::ALL
            .into_iter()
            .filter_map(|class| self.order.first(class))
            .min_by_key(|&slot| self.get(slot).map(|f| (f.last, f.id)))
    }

    /// Adds to `slots` those of flows that were idle for as long as their time-out allows.
    pub(crate) fn expired(&self, now: Timestamp, limits: &FlowLimits, slots: &mut Vec<u32>) {
        for class in TimeoutClass::ALL {
            for slot in self.order.iter(class) {
                match self.get(slot) {
                    Some(flow) if limits.expired(flow, now) => slots.push(slot),
                    _ => break,
                }
            }
        }
    }

    /// Slots of all flows, in an order that must not reach the output.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        self.index.slots()
    }

    /// Memory of the table itself, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes()
            + self.flows.capacity() * size_of::<Option<Box<Flow>>>()
            + self.order.bytes()
    }
}

impl FlowLimits {
    /// Whether the time-out of `flow` is over at `now`.
    pub(crate) fn expired(&self, flow: &Flow, now: Timestamp) -> bool {
        u128::from(now.nanos_since(flow.last)) > self.idle_limit(flow).as_nanos()
    }

    /// When the time-out of `flow` is over if nothing more comes.
    pub(crate) fn expires_at(&self, flow: &Flow) -> Timestamp {
        flow.last + self.idle_limit(flow)
    }

    fn idle_limit(&self, flow: &Flow) -> Duration {
        match flow.timeout_class() {
            TimeoutClass::Closed => self.closed_linger,
            TimeoutClass::Closing => self.closing_idle,
            TimeoutClass::Handshake => self.handshake_idle,
            TimeoutClass::Datagrams => self.udp_idle,
            TimeoutClass::HalfClosed => self.half_closed_idle,
            TimeoutClass::Established => self.established_idle,
        }
    }
}
