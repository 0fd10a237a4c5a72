//! The last head of a direction and its attributes, for connections that repeat their heads.

use crate::correlate::Entry;
use crate::protocols::http::message_head::HeadInfo;
use fact::Attributes;

/// Longest head that is kept, in bytes.
const LONGEST: usize = 1024;
/// Misses in a row after which no head is kept any more.
const MOST_MISSES: u8 = 8;

/// The last head of one direction with its parsed form. A persistent connection often repeats a
/// head byte for byte (probes, polls, scrapes, calls whose parameters are in the body). Such a head
/// is not parsed again.
#[derive(Debug, Default)]
pub(super) struct HeadCache {
    /// Empty if none is kept.
    head: Vec<u8>,
    info: HeadInfo,
    operation: String,
    attributes: Attributes,
    /// Heads since the last hit.
    misses: u8,
}

impl HeadCache {
    /// Length and parsed form of the head that `bytes` begin with, if it is the kept one.
    pub(super) fn get(&mut self, bytes: &[u8]) -> Option<(usize, HeadInfo)> {
        if self.head.is_empty() || !bytes.starts_with(&self.head) {
            return None;
        }
        self.misses = 0;
        Some((self.head.len(), self.info))
    }

    /// Adds operation and attributes of the kept head to an entry.
    pub(super) fn fill(&self, entry: &mut Entry) {
        entry.exchange.operation.push_str(&self.operation);
        entry.exchange.attributes.extend_from(&self.attributes, 0);
    }

    /// Keeps a head with the attributes of `entry` from the `from`th on, unless there were
    /// `MOST_MISSES` misses in a row.
    pub(super) fn insert(&mut self, head: &[u8], info: HeadInfo, entry: &Entry, from: usize) {
        self.misses = self.misses.saturating_add(1);
        self.head.clear();
        if self.misses == MOST_MISSES {
            (self.head, self.attributes) = (Vec::new(), Attributes::default());
        }
        if self.misses >= MOST_MISSES || head.len() > LONGEST {
            return;
        }
        self.head.extend_from_slice(head);
        self.info = info;
        self.operation.clear();
        if info.code == 0 {
            self.operation.push_str(&entry.exchange.operation);
        }
        self.attributes.clear();
        self.attributes.extend_from(&entry.exchange.attributes, from);
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.head.capacity()
            + self.operation.capacity()
            + self.attributes.bytes()
    }
}
