//! Reassembly of CRYPTO frames (RFC 9000 section 19.6).

/// Bytes of a direction's handshake that are kept.
const LONGEST: usize = 16 * 1024;
/// Most separate pieces that are kept.
const MOST_PIECES: usize = 32;

/// The beginning of the stream of handshake messages of one direction. Its parts may come in any
/// order.
#[derive(Debug, Default)]
pub(super) struct Crypto {
    bytes: Vec<u8>,
    /// Ranges that are there, in order and without touching each other.
    pieces: Vec<(usize, usize)>,
}

impl Crypto {
    /// Adds the bytes at `offset`. Those beyond `LONGEST`, or with one gap too many, are dropped.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) {
        let Some(start) = usize::try_from(offset).ok().filter(|&start| start < LONGEST) else {
            return;
        };
        let data = &data[..data.len().min(LONGEST - start)];
        let end = start + data.len();
        let touching = |&(from, to): &(usize, usize)| from <= end && start <= to;
        if data.is_empty() || self.pieces.len() >= MOST_PIECES && !self.pieces.iter().any(touching)
        {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(data);
        let mut merged = (start, end);
        self.pieces.retain(|piece| {
            let joins = piece.0 <= merged.1 && merged.0 <= piece.1;
            if joins {
                merged = (merged.0.min(piece.0), merged.1.max(piece.1));
            }
            !joins
        });
        let at = self.pieces.partition_point(|piece| piece.0 < merged.0);
        self.pieces.insert(at, merged);
    }

    /// The bytes that are there without a gap from the beginning.
    fn contiguous(&self) -> &[u8] {
        match self.pieces.first() {
            Some(&(0, end)) => self.bytes.get(..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Type and contents of the first message, once all of it (or all that is kept) is there.
    pub(super) fn message(&self) -> Option<(u8, &[u8])> {
        let contiguous = self.contiguous();
        let (&[kind, a, b, c], body) = contiguous.split_first_chunk()?;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        match body.get(..length) {
            Some(message) => Some((kind, message)),
            None if contiguous.len() == LONGEST => Some((kind, body)),
            None => None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<(usize, usize)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_together_in_any_order() {
        let whole: Vec<u8> = [1, 0, 0, 60].into_iter().chain(0..60).collect();
        let mut crypto = Crypto::default();
        for (from, to) in [(40, 50), (10, 20), (50, 64), (45, 52), (0, 5), (15, 41)] {
            crypto.add(from as u64, &whole[from..to]);
            assert_eq!(crypto.message(), None);
        }
        crypto.add(5, &whole[5..12]);
        assert_eq!(crypto.message(), Some((1, &whole[4..])));
        assert_eq!(crypto.pieces, [(0, 64)]);
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut crypto = Crypto::default();
        for n in 0..100_000u64 {
            crypto.add(n * 3, &[1]);
        }
        crypto.add(u64::MAX, &[1]);
        assert!(crypto.pieces.len() <= MOST_PIECES && crypto.bytes() <= 2 * LONGEST + 1024);
    }
}
