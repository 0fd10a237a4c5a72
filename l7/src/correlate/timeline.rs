//! When the bytes of one direction passed.

use wire::Timestamp;

/// Times that are kept of one direction exactly: 16 KB. Of bytes that come in more pieces, most
/// have the time of a piece before theirs.
const MOST: usize = 1024;
/// Times for which there is room when the timeline is reused.
const REUSED: usize = 64;

/// When the bytes of one direction passed, as far back as bytes are kept.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// Where bytes of another time begin, and that time.
    marks: Vec<(u64, Timestamp)>,
    end: u64,
    closed_at: Option<Timestamp>,
}

impl Timeline {
    /// Bytes from `offset` to `end` came at `time`.
    pub(crate) fn mark(&mut self, offset: u64, end: u64, time: Timestamp) {
        if let [only] = self.marks.as_mut_slice()
            && only.1 == time
        {
            only.0 = only.0.min(offset);
        } else {
            self.add(offset, end, time);
        }
        self.end = end;
    }

    fn add(&mut self, offset: u64, end: u64, time: Timestamp) {
        if self.marks.len() >= MOST
            && let [first, .., before, last] = self.marks.as_mut_slice()
        {
            let first = first.0;
            if last.0 - before.0 < end.saturating_sub(first) / MOST as u64 {
                *last = (offset, time);
                return;
            }
            if self.marks.len() >= 2 * MOST {
                let mut index = 0;
                self.marks.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
            }
        }
        self.marks.push((offset, time));
    }

    /// Nothing more comes in this direction (FIN), as was seen at `time`.
    pub(crate) fn close(&mut self, time: Timestamp) {
        self.closed_at.get_or_insert(time);
    }

    /// Since when nothing more comes in this direction.
    pub(crate) fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// An empty timeline with the memory of this one, if that is little.
    pub(crate) fn emptied(self) -> Self {
        let mut marks = self.marks;
        marks.clear();
        marks.shrink_to(REUSED);
        Self { marks, ..Self::default() }
    }

    /// Forgets times of bytes before `offset`: nobody asks for them any more.
    pub(crate) fn forget(&mut self, offset: u64) {
        let dead = self.before(offset).saturating_sub(1);
        if dead > 0 {
            self.marks.drain(..dead);
        }
    }

    /// Marks of bytes up to `offset`.
    fn before(&self, offset: u64) -> usize {
        match self.marks.as_slice() {
            [] => 0,
            // Most of the time there is one, of the packet at hand.
            [only] => usize::from(only.0 <= offset),
            marks => marks.partition_point(|&(start, _)| start <= offset),
        }
    }

    /// When the byte at `offset` passed.
    pub(crate) fn at(&self, offset: u64) -> Timestamp {
        let mark = self.marks.get(self.before(offset).saturating_sub(1));
        mark.map_or(Timestamp::ZERO, |&(_, time)| time)
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.marks.capacity() * size_of::<(u64, Timestamp)>()
    }

    /// One past the last byte seen.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_the_time_of_its_packet() {
        let mut line = Timeline::default();
        for n in 0..4 {
            line.mark(n * 10, n * 10 + 10, Timestamp::from_nanos(n));
        }
        assert_eq!(line.at(9).as_nanos(), 0);
        assert_eq!(line.at(10).as_nanos(), 1);
        line.forget(25);
        assert_eq!(line.marks.len(), 2);
        assert_eq!(line.at(25).as_nanos(), 2);
        assert_eq!(line.at(39).as_nanos(), 3);
        assert_eq!(line.end(), 40);
    }

    #[test]
    fn pieces_without_number_cost_little() {
        let mut line = Timeline::default();
        for n in 0..100_000 {
            line.mark(n, n + 1, Timestamp::from_nanos(n));
        }
        assert!(line.bytes() <= 2 * MOST * size_of::<(u64, Timestamp)>(), "{}", line.bytes());
        assert_eq!(line.at(0).as_nanos(), 0);
        assert_eq!(line.at(99_999).as_nanos(), 99_999);
        // The time of a piece nearby, and not of a later one.
        for n in (0..100_000).step_by(777) {
            assert!(
                (n - n.min(2000)..=n).contains(&line.at(n).as_nanos()),
                "{n}: {:?}",
                line.at(n)
            );
        }
    }
}
