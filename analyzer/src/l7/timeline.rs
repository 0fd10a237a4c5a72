use wire::Timestamp;

/// When the bytes of one direction passed, as far back as bytes are kept.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    marks: Vec<(u64, Timestamp)>,
    end: u64,
}

impl Timeline {
    /// Bytes from `offset` to `end` came at `time`.
    pub(super) fn mark(&mut self, offset: u64, end: u64, time: Timestamp) {
        if let [only] = self.marks.as_mut_slice()
            && only.1 == time
        {
            only.0 = only.0.min(offset);
        } else {
            self.marks.push((offset, time));
        }
        self.end = end;
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.marks.clear();
        self.end = 0;
    }

    /// Nothing before `offset` is asked for any more.
    pub(super) fn forget(&mut self, offset: u64) {
        let dead = self.marks.iter().skip(1).take_while(|&&(start, _)| start <= offset).count();
        if dead > 0 {
            self.marks.drain(..dead);
        }
    }

    /// When the byte at `offset` passed.
    pub(super) fn at(&self, offset: u64) -> Timestamp {
        let later = self.marks.iter().rev().find(|&&(start, _)| start <= offset);
        later.or(self.marks.first()).map_or(Timestamp::ZERO, |&(_, time)| time)
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.marks.capacity() * size_of::<(u64, Timestamp)>()
    }

    /// One past the last byte seen.
    pub(super) fn end(&self) -> u64 {
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
}
