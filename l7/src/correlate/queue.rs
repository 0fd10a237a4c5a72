use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::{Direction, PerDirection};

use super::{Entry, Kind};

/// Entries from which on it is remembered which ids there are.
const MANY: usize = 64;
/// Entries that there is room for when it is reused.
const KEPT: usize = 64;

/// Messages of one kind and asker that are open.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    count: usize,
    /// Number of the entry that was opened last.
    last: u64,
}

/// Exchanges in the making, in the order in which they began, and how they are found again: what a message costs does not grow with
/// how many of them wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Box<Entry>>,
    /// What each is paired by: ids side by side are compared without a look at what they belong to.
    ids: VecDeque<u64>,
    /// How many there are of each id, while there are many.
    counts: Option<HashMap<u64, u32, RandomState>>,
    /// Number of the next entry.
    next: u64,
    /// Number of the entry of which a message was opened last.
    touched: u64,
    requests: PerDirection<Open>,
    responses: PerDirection<Open>,
    /// Bytes of the entries, as far as they were reckoned.
    held: usize,
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

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().map(|entry| &mut **entry)
    }

    pub(super) fn newest_first(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().rev().map(|entry| &mut **entry)
    }

    /// Bytes of the entries, without what was added to them since it was reckoned.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Adds one behind the others; `by_id`: it is going to be looked for by its id.
    pub(super) fn push(&mut self, mut entry: Box<Entry>, by_id: bool) -> usize {
        entry.number = self.next;
        self.next += 1;
        entry.held = entry.bytes();
        self.held += entry.held;
        if let Some(counts) = &mut self.counts {
            *counts.entry(entry.id).or_default() += 1;
        }
        self.ids.push_back(entry.id);
        self.entries.push_back(entry);
        if by_id && self.counts.is_none() && self.entries.len() > MANY {
            let mut counts: HashMap<u64, u32, RandomState> = HashMap::default();
            self.ids.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
            self.counts = Some(counts);
        }
        self.entries.len() - 1
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Box<Entry>> {
        let entry = self.entries.remove(index)?;
        self.ids.remove(index);
        self.held -= entry.held;
        if let Some(counts) = &mut self.counts {
            if let Some(count) = counts.get_mut(&entry.id) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&entry.id);
                }
            }
            if self.entries.len() < MANY / 2 {
                self.counts = None;
            }
        }
        if entry.request_open {
            self.requests[entry.asker].count -= 1;
        }
        if entry.response_open {
            self.responses[entry.asker].count -= 1;
        }
        Some(entry)
    }

    /// Reckons what an entry takes.
    pub(super) fn reckon(&mut self, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            let bytes = entry.bytes();
            self.held = self.held - entry.held + bytes;
            entry.held = bytes;
        }
    }

    /// The request (or one-way message) or the response of an entry begins.
    pub(super) fn open(&mut self, index: usize, kind: Kind) -> &mut Entry {
        // What the message opened before says is there by now. Few cannot be too large.
        if self.entries.len() > MANY
            && let Some(touched) = self.index_of(self.touched)
        {
            self.reckon(touched);
        }
        let entry = &mut self.entries[index];
        let (flag, open) = match kind {
            Kind::Response => (&mut entry.response_open, &mut self.responses[entry.asker]),
            Kind::Request | Kind::OneWay => (&mut entry.request_open, &mut self.requests[entry.asker]),
        };
        if !std::mem::replace(flag, true) {
            open.count += 1;
        }
        open.last = entry.number;
        self.touched = entry.number;
        entry
    }

    /// It ends.
    pub(super) fn shut(&mut self, index: usize, kind: Kind) -> &mut Entry {
        if kind != Kind::Response {
            self.reckon(index);
        }
        let entry = &mut self.entries[index];
        let (flag, open) = match kind {
            Kind::Response => (&mut entry.response_open, &mut self.responses[entry.asker]),
            Kind::Request | Kind::OneWay => (&mut entry.request_open, &mut self.requests[entry.asker]),
        };
        if std::mem::replace(flag, false) {
            open.count -= 1;
        }
        entry
    }

    /// How many messages of this kind are open.
    pub(super) fn open_count(&self, kind: Kind, asker: Direction) -> usize {
        self.opened(kind)[asker].count
    }

    /// The open message of this kind, of this id if one is given: the one that was opened last, or else the first.
    pub(super) fn open_index(&self, kind: Kind, asker: Direction, id: Option<u64>) -> Option<usize> {
        let Open { count, last } = self.opened(kind)[asker];
        if count == 0 {
            return None;
        }
        let wanted = |e: &Entry| e.asker == asker && e.is_open(kind);
        if self.entries.len() == 1 {
            let only = &self.entries[0];
            return (wanted(only) && id.is_none_or(|id| id == only.id)).then_some(0);
        }
        let found = self.index_of(last).filter(|&index| {
            let entry = &self.entries[index];
            wanted(entry) && id.is_none_or(|id| id == entry.id)
        });
        found.or_else(|| self.position(id, wanted))
    }

    /// The first entry, of this id if one is given, for which `wanted` holds.
    pub(super) fn position(&self, id: Option<u64>, wanted: impl Fn(&Entry) -> bool) -> Option<usize> {
        let Some(id) = id else { return self.entries.iter().position(|e| wanted(e)) };
        if !self.has(id) {
            return None;
        }
        let (front, back) = self.ids.as_slices();
        let among = |ids: &[u64], before: usize| {
            let mut from = 0;
            while let Some(found) = ids.get(from..)?.iter().position(|other| *other == id) {
                let index = before + from + found;
                if wanted(&self.entries[index]) {
                    return Some(index);
                }
                from += found + 1;
            }
            None
        };
        among(front, 0).or_else(|| among(back, front.len()))
    }

    /// The first entry with an id for which `fits` holds, and for which itself `wanted` does.
    pub(super) fn find(&self, fits: impl Fn(u64) -> bool, wanted: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let mut fitting = self.ids.iter().enumerate().filter(|(_, id)| fits(**id));
        fitting.find_map(|(index, _)| self.entries.get(index).filter(|e| wanted(e)).map(|e| &**e))
    }

    /// Entries from the one with this number on.
    pub(super) fn since(&mut self, number: u64) -> impl Iterator<Item = &mut Entry> {
        let index = self.entries.partition_point(|entry| entry.number < number);
        self.entries.range_mut(index..).map(|entry| &mut **entry)
    }

    /// Number that the next entry will have.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whether there may be an entry of this id.
    fn has(&self, id: u64) -> bool {
        self.counts.as_ref().is_none_or(|counts| counts.contains_key(&id))
    }

    fn opened(&self, kind: Kind) -> &PerDirection<Open> {
        match kind {
            Kind::Response => &self.responses,
            Kind::Request | Kind::OneWay => &self.requests,
        }
    }

    fn index_of(&self, number: u64) -> Option<usize> {
        let is_it = |index: &usize| self.entries.get(*index).is_some_and(|e| e.number == number);
        // At one of the ends, most of the time.
        let from_front = number.checked_sub(self.entries.front()?.number);
        let from_back = self.entries.back()?.number.checked_sub(number);
        let front = from_front.and_then(|n| usize::try_from(n).ok());
        let back = from_back.and_then(|n| (self.entries.len() - 1).checked_sub(usize::try_from(n).ok()?));
        let near = back.filter(is_it).or(front.filter(is_it));
        near.or_else(|| self.entries.binary_search_by_key(&number, |entry| entry.number).ok())
    }

    /// Forgets everything, and keeps the memory of short lists.
    pub(super) fn reset(&mut self) {
        let Self { entries, ids, .. } = self;
        entries.clear();
        ids.clear();
        entries.shrink_to(KEPT);
        ids.shrink_to(KEPT);
        let (entries, ids) = (std::mem::take(entries), std::mem::take(ids));
        *self = Self { entries, ids, ..Self::default() };
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let slots =
            self.entries.capacity() * size_of::<Box<Entry>>() + self.ids.capacity() * size_of::<u64>();
        let counts = self.counts.as_ref().map_or(0, |counts| counts.allocation_size());
        self.iter().map(Entry::bytes).sum::<usize>() + slots + counts
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
            entry.id = id;
            queue.push(entry, true);
        }
        queue
    }

    #[test]
    fn ids_are_found_however_many_there_are() {
        let mut queue = queue((0..500).map(|n| n % 250));
        assert!(queue.counts.is_some());
        assert_eq!(queue.position(Some(7), |_| true), Some(7));
        assert_eq!(queue.position(Some(7), |e| e.number > 7), Some(257));
        assert_eq!(queue.position(Some(250), |_| true), None);
        queue.remove(7);
        assert_eq!(queue.position(Some(7), |_| true), Some(256));
        queue.remove(256);
        assert!(!queue.has(7));
        while queue.len() > 10 {
            queue.remove(0);
        }
        assert!(queue.counts.is_none());
        assert_eq!(queue.position(Some(249), |_| true), Some(9));
        assert_eq!(queue.find(|id| id > 247, |_| true).map(|e| e.id), Some(248));
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
        queue.shut(289, kind);
        assert_eq!(queue.open_index(kind, asker, None), Some(20));
        queue.remove(20);
        assert_eq!(queue.open_count(kind, asker), 0);
        assert_eq!(queue.index_of(150), Some(148));
    }

    #[test]
    fn what_it_holds_is_told() {
        let mut queue = queue(0..3);
        let before = queue.held();
        queue[1].exchange.attributes.push_text("url.path", &"x".repeat(1000));
        queue.reckon(1);
        assert!(queue.held() >= before + 1000);
        queue.remove(1);
        queue.remove(1);
        queue.remove(0);
        assert_eq!((queue.held(), queue.len()), (0, 0));
    }
}
