use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use wire::{FlowKey, Timestamp};

use super::{Class, Flow, Order};
use crate::config::FlowLimits;

/// All open flows: found by key, kept in order of their last packet for each time-out.
#[derive(Debug)]
pub(crate) struct Table {
    hasher: FixedState,
    /// Low half of the hash, and slot.
    index: HashTable<(u32, u32)>,
    flows: Vec<Option<Box<Flow>>>,
    free: Vec<u32>,
    order: Order,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            hasher: FixedState::with_seed(0),
            index: HashTable::new(),
            flows: Vec::new(),
            free: Vec::new(),
            order: Order::default(),
        }
    }
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn find(&self, key: &FlowKey) -> Option<u32> {
        let hash = self.hasher.hash_one(key) as u32;
        let flows = &self.flows;
        self.index
            .find(spread(hash), |&(h, slot)| h == hash && flow(flows, slot).is_some_and(|f| f.key == *key))
            .map(|&(_, slot)| slot)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Flow> {
        flow(&self.flows, slot)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot as usize)?.as_deref_mut()
    }

    pub(crate) fn insert(&mut self, new: Box<Flow>) -> u32 {
        let hash = self.hasher.hash_one(new.key) as u32;
        let (class, time) = (new.class(), new.last);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flows.push(None);
            (self.flows.len() - 1) as u32
        });
        if let Some(place) = self.flows.get_mut(slot as usize) {
            *place = Some(new);
        }
        self.index.insert_unique(spread(hash), (hash, slot), |&(h, _)| spread(h));
        self.order.push(slot, class, time);
        slot
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Box<Flow>> {
        let removed = self.flows.get_mut(slot as usize)?.take()?;
        let hash = self.hasher.hash_one(removed.key) as u32;
        if let Ok(entry) = self.index.find_entry(spread(hash), |&(_, s)| s == slot) {
            entry.remove();
        }
        self.order.remove(slot);
        self.free.push(slot);
        Some(removed)
    }

    /// Notes that the flow of `slot` had a packet.
    pub(crate) fn touch(&mut self, slot: u32) {
        if let Some(flow) = flow(&self.flows, slot) {
            self.order.touch(slot, flow.class(), flow.last);
        }
    }

    /// The flow that was idle for longest; flows that are closed anyway go first.
    pub(crate) fn oldest(&self) -> Option<u32> {
        if let Some(closed) = self.order.first(Class::Closed) {
            return Some(closed);
        }
        Class::ALL
            .into_iter()
            .filter_map(|class| self.order.first(class))
            .min_by_key(|&slot| self.get(slot).map(|f| (f.last, f.id)))
    }

    /// Slots of flows that were idle for as long as their time-out allows.
    pub(crate) fn expired(&self, now: Timestamp, limits: &FlowLimits, out: &mut Vec<u32>) {
        for class in Class::ALL {
            for slot in self.order.iter(class) {
                match self.get(slot) {
                    Some(flow) if limits.expired(flow, now) => out.push(slot),
                    _ => break,
                }
            }
        }
    }

    /// Slots of all flows, in no particular order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        self.index.iter().map(|&(_, slot)| slot)
    }

    /// Memory of the table itself, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.index.allocation_size()
            + self.flows.capacity() * size_of::<Option<Box<Flow>>>()
            + self.order.bytes()
    }
}

/// Hash of which both ends differ, as the index needs it: it takes buckets from the low end and tags from the high one.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash.rotate_left(16)) << 32
}

fn flow(flows: &[Option<Box<Flow>>], slot: u32) -> Option<&Flow> {
    flows.get(slot as usize)?.as_deref()
}

impl FlowLimits {
    /// Whether the time-out of `flow` is over at `now`.
    pub(crate) fn expired(&self, flow: &Flow, now: Timestamp) -> bool {
        let limit = match flow.class() {
            Class::Closed => self.closed_linger,
            Class::Handshake => self.handshake_idle,
            Class::Datagrams => self.udp_idle,
            Class::HalfClosed => self.half_closed_idle,
            Class::Established => self.established_idle,
        };
        u128::from(now.nanos_since(flow.last)) > limit.as_nanos()
    }
}
