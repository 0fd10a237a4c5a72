//! The tapped interfaces, shared by all rings.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::{LinkType, TapId, TapKind};

use crate::interfaces::{self, Change, Choice, Interface, Selector};

/// Gives an id to the tap of an interface.
pub type InterfaceTaps = Box<dyn FnMut(&Interface) -> TapId + Send>;

/// What to do with the frames of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TapState {
    /// Hand them over.
    Tapped { tap: TapId, link_type: LinkType, loopback: bool, bridge: bool },
    /// The interface is not selected (or gone): reject them in the kernel.
    Rejected,
}

/// Which interfaces are tapped, shared by the rings of all shards and the watcher of interfaces.
///
/// Rings keep a copy and look at a version number once per batch, so that frames cost no lock. A
/// frame of an interface that is not known yet makes its ring ask the kernel about it at once:
/// nothing is missed before the watcher reports it.
pub struct Taps {
    version: AtomicU64,
    table: Mutex<Table>,
}

struct Table {
    selector: Selector,
    names: InterfaceTaps,
    /// By interface index.
    slots: HashMap<u32, TapState>,
    /// Taps that were named: an interface that goes down and comes back keeps its id.
    taps: HashMap<u32, (String, TapId)>,
    /// Interfaces that are gone, the oldest first.
    gone: VecDeque<u32>,
}

/// Interfaces that are gone and still remembered, for their frames that wait in a ring.
const MAX_GONE: usize = 256;
/// Interface indices up to here are found by index, further ones in a map.
const DENSE: u32 = 4096;

/// A ring's own copy of the table.
#[derive(Debug, Default)]
pub(super) struct TapStateCache {
    dense: Vec<Option<TapState>>,
    sparse: HashMap<u32, TapState>,
}

impl TapStateCache {
    pub(super) fn new(slots: &HashMap<u32, TapState>) -> Self {
        let mut cache = Self::default();
        for (&index, &slot) in slots {
            cache.insert(index, slot);
        }
        cache
    }

    pub(super) fn get(&self, index: u32) -> Option<TapState> {
        match self.dense.get(index as usize) {
            Some(slot) => *slot,
            None => self.sparse.get(&index).copied(),
        }
    }

    pub(super) fn insert(&mut self, index: u32, slot: TapState) {
        if index >= DENSE {
            self.sparse.insert(index, slot);
            return;
        }
        let at = index as usize;
        if self.dense.len() <= at {
            self.dense.resize(at + 1, None);
        }
        if let Some(entry) = self.dense.get_mut(at) {
            *entry = Some(slot);
        }
    }
}

impl Taps {
    /// Table of `interfaces` as `selector` chooses; `names` is asked once for each that is tapped.
    pub fn new<'a>(
        selector: Selector,
        interfaces: impl IntoIterator<Item = &'a Interface>,
        names: InterfaceTaps,
    ) -> Self {
        let mut table = Table {
            selector,
            names,
            slots: HashMap::new(),
            taps: HashMap::new(),
            gone: VecDeque::new(),
        };
        for interface in interfaces {
            table.set(interface);
        }
        Self { version: AtomicU64::new(1), table: Mutex::new(table) }
    }

    /// Applies a change from [`Watch`](interfaces::Watch); returns what was chosen for an
    /// interface that is there.
    pub fn apply(&self, change: &Change) -> Option<Choice> {
        let mut table = self.table();
        let (changed, choice) = match change {
            Change::Appeared(interface) | Change::Changed(interface) => {
                (table.set(interface), Some(table.selector.choose(interface)))
            }
            Change::Gone(interface) => (table.remove(interface.index), None),
        };
        drop(table);
        if changed {
            self.version.fetch_add(1, Ordering::Release);
        }
        choice
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn slots(&self) -> HashMap<u32, TapState> {
        self.table().slots.clone()
    }

    /// Looks up an interface that a frame came from before the watcher reported it.
    #[cold]
    pub(super) fn resolve(&self, index: u32) -> TapState {
        let mut table = self.table();
        if let Some(slot) = table.slots.get(&index) {
            return *slot;
        }
        // One that is gone already cannot be named, and so not be chosen.
        let Ok(Some(interface)) = interfaces::find(index) else { return TapState::Rejected };
        table.set(&interface);
        self.version.fetch_add(1, Ordering::Release);
        table.slots.get(&index).copied().unwrap_or(TapState::Rejected)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether the interface's slot is another than before.
    fn set(&mut self, interface: &Interface) -> bool {
        let slot = if self.selector.choose(interface).tap {
            self.tapped(interface)
        } else {
            TapState::Rejected
        };
        self.slots.insert(interface.index, slot) != Some(slot)
    }

    fn tapped(&mut self, interface: &Interface) -> TapState {
        let known = self.taps.get(&interface.index).filter(|(name, _)| *name == interface.name);
        let tap = known.map(|(_, tap)| *tap).unwrap_or_else(|| (self.names)(interface));
        self.taps.insert(interface.index, (interface.name.clone(), tap));
        TapState::Tapped {
            tap,
            link_type: interface.link_type,
            loopback: interface.kind == TapKind::Loopback,
            bridge: interface.kind == TapKind::Bridge,
        }
    }

    /// Remembers an interface that is gone for a while longer; whether another one was forgotten
    /// for it.
    fn remove(&mut self, index: u32) -> bool {
        self.gone.push_back(index);
        if self.gone.len() <= MAX_GONE {
            return false;
        }
        let oldest = self.gone.pop_front();
        oldest.is_some_and(|index| {
            self.taps.remove(&index);
            self.slots.remove(&index).is_some()
        })
    }
}
