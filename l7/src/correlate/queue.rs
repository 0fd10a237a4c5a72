//! Exchanges in the making, in the order in which they began, and how they are found again.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

use wire::{Direction, PerDirection};

use super::entry::Entry;
use super::ids::Ids;
use super::kind::Kind;

/// Entries from which on what an open message was given is measured while it is open: fewer cannot
/// be too large.
const MANY: usize = 64;
/// Entries for which there is room when the queue is reused.
const REUSED: usize = 64;

/// Open messages of one kind and asker.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    count: usize,
    /// Number of the entry that was opened last.
    last: u64,
}

/// Exchanges in the making. What a message costs does not grow with how many of them wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Box<Entry>>,
    ids: Ids,
    /// Number of the next entry.
    next_number: u64,
    /// Number of the entry of which a message was opened last.
    opened_last: u64,
    open_requests: PerDirection<Open>,
    open_responses: PerDirection<Open>,
    /// Bytes of the entries, as far as they were measured.
    measured_bytes: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn front(&self) -> Option<&Entry> {
        self.entries.front().map(|entry| &**entry)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Entry> {
        self.entries.get_mut(index).map(|entry| &mut **entry)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|entry| &**entry)
    }

    pub(super) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Entry> {
        self.entries.iter_mut().map(|entry| &mut **entry)
    }

    /// Entries from the one with this number on.
    pub(super) fn iter_from(&mut self, number: u64) -> impl Iterator<Item = &mut Entry> {
        let index = self.entries.partition_point(|entry| entry.slot.number < number);
        self.entries.range_mut(index..).map(|entry| &mut **entry)
    }

    /// Number that the next entry will have.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Bytes of the entries, without what was added to them since they were measured.
    pub(super) fn measured_bytes(&self) -> usize {
        self.measured_bytes
    }

    /// Adds an entry behind the others. `by_id`: it is going to be looked for by its id.
    pub(super) fn push(&mut self, mut entry: Box<Entry>, by_id: bool) -> usize {
        entry.slot.number = self.next_number;
        self.next_number += 1;
        entry.slot.bytes = entry.bytes();
        self.measured_bytes += entry.slot.bytes;
        self.ids.push(entry.slot.id, by_id);
        self.entries.push_back(entry);
        self.entries.len() - 1
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Box<Entry>> {
        let entry = self.entries.remove(index)?;
        self.ids.remove(index);
        self.measured_bytes -= entry.slot.bytes;
        for kind in [Kind::Request, Kind::Response] {
            if entry.message(kind).open {
                self.open_mut(kind)[entry.asker].count -= 1;
            }
        }
        Some(entry)
    }

    /// Measures what an entry takes.
    fn measure(&mut self, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            let bytes = entry.bytes();
            self.measured_bytes = self.measured_bytes - entry.slot.bytes + bytes;
            entry.slot.bytes = bytes;
        }
    }

    /// The request (or one-way message) or the response of an entry begins.
    pub(super) fn open(&mut self, index: usize, kind: Kind) -> &mut Entry {
        // The attributes of the message that was opened before are there by now.
        if self.entries.len() > MANY
            && let Some(opened_last) = self.index_of(self.opened_last)
        {
            self.measure(opened_last);
        }
        let entry = &mut self.entries[index];
        let open = match kind {
            Kind::Response => &mut self.open_responses[entry.asker],
            Kind::Request | Kind::OneWay => &mut self.open_requests[entry.asker],
        };
        if !std::mem::replace(&mut entry.message_mut(kind).open, true) {
            open.count += 1;
        }
        open.last = entry.slot.number;
        self.opened_last = entry.slot.number;
        entry
    }

    /// It ends.
    pub(super) fn close(&mut self, index: usize, kind: Kind) -> &mut Entry {
        if kind != Kind::Response {
            self.measure(index);
        }
        let entry = &mut self.entries[index];
        let open = match kind {
            Kind::Response => &mut self.open_responses[entry.asker],
            Kind::Request | Kind::OneWay => &mut self.open_requests[entry.asker],
        };
        if std::mem::replace(&mut entry.message_mut(kind).open, false) {
            open.count -= 1;
        }
        entry
    }

    /// Number of open messages of this kind.
    pub(super) fn open_count(&self, kind: Kind, asker: Direction) -> usize {
        self.open_messages(kind)[asker].count
    }

    /// The open message of this kind, of this id if one is given: the one that was opened last, or
    /// else the first.
    pub(super) fn open_index(
        &self,
        kind: Kind,
        asker: Direction,
        id: Option<u64>,
    ) -> Option<usize> {
        let Open { count, last } = self.open_messages(kind)[asker];
        if count == 0 {
            return None;
        }
        let wanted = |e: &Entry| e.asker == asker && e.message(kind).open;
        if self.entries.len() == 1 {
            let only = &self.entries[0];
            return (wanted(only) && id.is_none_or(|id| id == only.slot.id)).then_some(0);
        }
        let found = self.index_of(last).filter(|&index| {
            let entry = &self.entries[index];
            wanted(entry) && id.is_none_or(|id| id == entry.slot.id)
        });
        found.or_else(|| self.position(id, wanted))
    }

    /// The first entry, of this id if one is given, for which `wanted` holds.
    pub(super) fn position(
        &self,
        id: Option<u64>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<usize> {
        match id {
            None => self.entries.iter().position(|e| wanted(e)),
            Some(id) => self.ids.position(id, |index| wanted(&self.entries[index])),
        }
    }

    /// The first entry with an id for which `fits` holds, and for which itself `wanted` does.
    pub(super) fn find(
        &self,
        fits: impl Fn(u64) -> bool,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<&Entry> {
        let mut fitting = self.ids.iter().filter(|(_, id)| fits(*id));
        fitting.find_map(|(index, _)| self.entries.get(index).filter(|e| wanted(e)).map(|e| &**e))
    }

    fn open_messages(&self, kind: Kind) -> &PerDirection<Open> {
        match kind {
            Kind::Response => &self.open_responses,
            Kind::Request | Kind::OneWay => &self.open_requests,
        }
    }

    fn open_mut(&mut self, kind: Kind) -> &mut PerDirection<Open> {
        match kind {
            Kind::Response => &mut self.open_responses,
            Kind::Request | Kind::OneWay => &mut self.open_requests,
        }
    }

    fn index_of(&self, number: u64) -> Option<usize> {
        let is_it =
            |index: &usize| self.entries.get(*index).is_some_and(|e| e.slot.number == number);
        // At one of the ends, most of the time.
        let from_front = number.checked_sub(self.entries.front()?.slot.number);
        let from_back = self.entries.back()?.slot.number.checked_sub(number);
        let front = from_front.and_then(|n| usize::try_from(n).ok());
        let back =
            from_back.and_then(|n| (self.entries.len() - 1).checked_sub(usize::try_from(n).ok()?));
        let near = back.filter(is_it).or(front.filter(is_it));
        near.or_else(|| self.entries.binary_search_by_key(&number, |entry| entry.slot.number).ok())
    }

    /// An empty queue with the memory of the lists of this one, if that is little.
    pub(super) fn emptied(self) -> Self {
        let mut entries = self.entries;
        entries.clear();
        entries.shrink_to(REUSED);
        Self { entries, ids: self.ids.emptied(), ..Self::default() }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.entries.capacity() * size_of::<Box<Entry>>();
        self.iter().map(Entry::bytes).sum::<usize>() + slots + self.ids.bytes()
    }
}

impl Index<usize> for Queue {
    type Output = Entry;

    fn index(&self, index: usize) -> &Entry {
        &self.entries[index]
    }
}

impl IndexMut<usize> for Queue {
    fn index_mut(&mut self, index: usize) -> &mut Entry {
        &mut self.entries[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fact::Protocol;

    fn queue(ids: impl IntoIterator<Item = u64>) -> Queue {
        let mut queue = Queue::default();
        for id in ids {
            let mut entry = Box::new(Entry::new(Protocol::new("dns")));
            entry.slot.id = id;
            queue.push(entry, true);
        }
        queue
    }

    #[test]
    fn ids_are_found_however_many_there_are() {
        let mut queue = queue((0..500).map(|n| n % 250));
        assert!(queue.ids.is_indexed());
        assert_eq!(queue.position(Some(7), |_| true), Some(7));
        assert_eq!(queue.position(Some(7), |e| e.slot.number > 7), Some(257));
        assert_eq!(queue.position(Some(250), |_| true), None);
        queue.remove(7);
        assert_eq!(queue.position(Some(7), |_| true), Some(256));
        queue.remove(256);
        assert!(!queue.ids.may_have(7));
        while queue.len() > 10 {
            queue.remove(0);
        }
        assert!(!queue.ids.is_indexed());
        assert_eq!(queue.position(Some(249), |_| true), Some(9));
        assert_eq!(queue.find(|id| id > 247, |_| true).map(|e| e.slot.id), Some(248));
    }

    #[test]
    fn what_is_open_is_found_again() {
        let (kind, asker) = (Kind::Response, Direction::ToServer);
        let mut queue = queue([0; 300]);
        assert_eq!(queue.open_index(kind, asker, None), None);
        queue.open(20, kind);
        queue.open(290, kind);
        assert_eq!(queue.open_index(kind, asker, None), Some(290));
        assert_eq!(queue.open_index(Kind::Request, asker, None), None);
        queue.remove(100);
        assert_eq!(queue.open_index(kind, asker, Some(0)), Some(289));
        queue.close(289, kind);
        assert_eq!(queue.open_index(kind, asker, None), Some(20));
        queue.remove(20);
        assert_eq!(queue.open_count(kind, asker), 0);
        assert_eq!(queue.index_of(150), Some(148));
    }

    #[test]
    fn what_it_holds_is_told() {
        let mut queue = queue(0..3);
        let before = queue.measured_bytes();
        queue[1].exchange.attributes.push_text("url.path", &"x".repeat(1000));
        queue.measure(1);
        assert!(queue.measured_bytes() >= before + 1000);
        queue.remove(1);
        queue.remove(1);
        queue.remove(0);
        assert_eq!((queue.measured_bytes(), queue.len()), (0, 0));
    }
}
