use std::collections::BTreeMap;

/// The receiving half. Offsets count from the first byte of the stream; a FIN has one too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receiver {
    pub(crate) next: u64,
    /// Everything before `next`, without the FIN.
    pub(crate) bytes: Vec<u8>,
    later: BTreeMap<u64, Vec<u8>>,
    pub(crate) fin: Option<u64>,
    /// Bytes that the application took.
    pub(crate) taken: u64,
    /// Ranges in the order in which they were touched last, the newest first.
    recent: Vec<(u64, u64)>,
    duplicate: Option<(u64, u64)>,
    /// Segments for which an acknowledgement is due.
    pub(crate) owed: u32,
}

/// What a segment means for the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    InOrder,
    /// To be answered at once.
    Odd,
}

impl Receiver {
    /// Takes `payload` at `start`, as far as it lies below `limit`.
    pub(crate) fn segment(&mut self, start: u64, payload: &[u8], fin: bool, limit: u64) -> Taken {
        let end = start + payload.len() as u64;
        if fin && end <= limit {
            self.fin.get_or_insert(end);
        }
        let old_next = self.next;
        let kept = payload.len().min(limit.saturating_sub(start) as usize);
        let cut = kept < payload.len();
        let (payload, end) = (&payload[..kept], start + kept as u64);
        if end <= self.next && !(fin && self.fin == Some(self.next)) {
            if kept > 0 {
                self.duplicate = Some((start, end));
            }
            return Taken::Odd;
        }
        let had_hole = !self.later.is_empty();
        if start > self.next {
            if self.later.get(&start).is_some_and(|known| known.len() >= kept) {
                self.duplicate = Some((start, end));
            } else if kept > 0 {
                self.later.insert(start, payload.to_vec());
            }
            if end > start {
                self.touch(start, end);
            }
            return Taken::Odd;
        }
        self.append(start, payload);
        while let Some((start, bytes)) = self.later.pop_first() {
            if start > self.next {
                self.later.insert(start, bytes);
                break;
            }
            self.append(start, &bytes);
        }
        let next = self.next;
        self.recent.retain(|range| range.1 > next);
        if self.fin == Some(self.next) {
            self.next += 1;
            return Taken::Odd;
        }
        if start < old_next && kept > 0 {
            self.duplicate = Some((start, old_next));
        }
        if had_hole || cut { Taken::Odd } else { Taken::InOrder }
    }

    fn append(&mut self, start: u64, bytes: &[u8]) {
        let known = (self.next - start) as usize;
        if let Some(new) = bytes.get(known..) {
            self.bytes.extend(new);
            self.next += new.len() as u64;
        }
    }

    fn touch(&mut self, mut start: u64, mut end: u64) {
        self.recent.retain(|&(s, e)| {
            let meets = s <= end && start <= e;
            if meets {
                (start, end) = (start.min(s), end.max(e));
            }
            !meets
        });
        self.recent.insert(0, (start, end));
    }

    pub(crate) fn ended(&self) -> bool {
        self.fin.is_some_and(|fin| self.next > fin)
    }

    /// Blocks for the SACK option, a duplicate first (RFC 2883).
    pub(crate) fn blocks(&mut self) -> Vec<(u64, u64)> {
        let duplicate = self.duplicate.take();
        duplicate.into_iter().chain(self.recent.iter().copied()).collect()
    }
}
