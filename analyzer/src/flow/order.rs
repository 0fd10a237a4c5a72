//! Lists of flows by the time at which they become idle.

use wire::{Timestamp, invariant};

use super::TimeoutClass;

const NONE: u32 = u32::MAX;
/// A flow moves to the end of its list at most once in this time, about a second.
const GRAIN_BITS: u32 = 30;

/// Slots in order of their last packet, a linked list for each time-out; exact to [`GRAIN_BITS`].
#[derive(Debug, Default)]
pub(crate) struct Order {
    links: Vec<Link>,
    lists: [List; TimeoutClass::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NONE, last: NONE }
    }
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    mark: Mark,
}

impl Link {
    const FREE: Self = Self { before: NONE, after: NONE, mark: Mark::NONE };
}

/// The list that a slot is in, in the lowest bits, and the time of its last move in grains, modulo
/// 2^29.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u32);

impl Mark {
    /// In no list.
    const NONE: Self = Self(0);
    const CLASS_BITS: u32 = 3;

    fn new(class: TimeoutClass, time: Timestamp) -> Self {
        let grain = (time.as_nanos() >> GRAIN_BITS) as u32;
        Self(grain << Self::CLASS_BITS | (class as u32 + 1))
    }

    fn class(self) -> Option<TimeoutClass> {
        let number = self.0 & ((1 << Self::CLASS_BITS) - 1);
        TimeoutClass::ALL.get((number as usize).checked_sub(1)?).copied()
    }
}

impl Order {
    /// Puts `slot` at the end of a list; it must be in none.
    pub(crate) fn push(&mut self, slot: u32, class: TimeoutClass, time: Timestamp) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, Link::FREE);
        }
        let list = &mut self.lists[class as usize];
        let before = list.last;
        list.last = slot;
        if before == NONE {
            list.first = slot;
        } else if let Some(link) = self.links.get_mut(before as usize) {
            link.after = slot;
        }
        if let Some(link) = self.links.get_mut(slot as usize) {
            *link = Link { before, after: NONE, mark: Mark::new(class, time) };
        }
    }

    /// Removes `slot`, which is in a list.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(place) = self.links.get_mut(slot as usize) else {
            invariant!("a slot that is removed was pushed");
            return;
        };
        let link = std::mem::replace(place, Link::FREE);
        let Some(class) = link.mark.class() else {
            invariant!("a slot that is removed is in a list");
            return;
        };
        match self.links.get_mut(link.before as usize) {
            Some(before) if link.before != NONE => before.after = link.after,
            _ => self.lists[class as usize].first = link.after,
        }
        match self.links.get_mut(link.after as usize) {
            Some(after) if link.after != NONE => after.before = link.before,
            _ => self.lists[class as usize].last = link.before,
        }
    }

    /// Moves `slot` to the end of the list of `class`, unless it was moved there just now.
    pub(crate) fn touch(&mut self, slot: u32, class: TimeoutClass, time: Timestamp) {
        match self.links.get(slot as usize) {
            Some(link) if link.mark == Mark::new(class, time) => {}
            _ => {
                self.remove(slot);
                self.push(slot, class, time);
            }
        }
    }

    pub(crate) fn first(&self, class: TimeoutClass) -> Option<u32> {
        self.iter(class).next()
    }

    /// Slots of a list, the one that was idle for longest first.
    pub(crate) fn iter(&self, class: TimeoutClass) -> impl Iterator<Item = u32> {
        let mut at = self.lists[class as usize].first;
        std::iter::from_fn(move || {
            let slot = (at != NONE).then_some(at)?;
            at = self.links.get(slot as usize).map_or(NONE, |link| link.after);
            Some(slot)
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.links.capacity() * size_of::<Link>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(order: &Order, class: TimeoutClass) -> Vec<u32> {
        order.iter(class).collect()
    }

    #[test]
    fn slots_keep_the_order_of_their_last_packets() {
        let at = |s: u64| Timestamp::from_parts(s * 10, 0);
        let mut order = Order::default();
        for slot in 0..4 {
            order.push(slot, TimeoutClass::Established, at(u64::from(slot)));
        }
        order.touch(1, TimeoutClass::Established, at(9));
        order.touch(3, TimeoutClass::Closed, at(9));
        assert_eq!(list(&order, TimeoutClass::Established), [0, 2, 1]);
        assert_eq!(list(&order, TimeoutClass::Closed), [3]);
        order.remove(0);
        order.remove(1);
        assert_eq!(list(&order, TimeoutClass::Established), [2]);
        order.push(0, TimeoutClass::Established, at(10));
        assert_eq!(list(&order, TimeoutClass::Established), [2, 0]);
        order.remove(2);
        order.remove(0);
        order.remove(3);
        assert!(TimeoutClass::ALL.into_iter().all(|class| order.first(class).is_none()));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "in a list")]
    fn a_slot_is_removed_once() {
        let mut order = Order::default();
        order.push(0, TimeoutClass::Established, Timestamp::ZERO);
        order.remove(0);
        order.remove(0);
    }
}
