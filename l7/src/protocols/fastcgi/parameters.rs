//! Name-value pairs (FastCGI Specification section 3.4).

/// The name-value pairs of a PARAMS record.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'a> {
    rest: &'a [u8],
    /// Bytes of the last pair that are in the next record. None if its lengths are cut.
    pub(super) beyond: Option<u64>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, beyond: Some(0) }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], &'a [u8]);

    /// A name and its value, which is cut at the end of the record.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let lengths = length(self.rest)
            .and_then(|(name, rest)| length(rest).map(|(value, rest)| (name, value, rest)));
        let Some((name, value, rest)) = lengths else {
            (self.rest, self.beyond) = (&[], None);
            return None;
        };
        let all = name as u64 + value as u64;
        let missing = all.saturating_sub(rest.len() as u64);
        let (pair, behind) = rest.split_at((all - missing) as usize);
        (self.rest, self.beyond) = (behind, Some(missing));
        pair.split_at_checked(name)
    }
}

/// A length in one byte, or in four bytes if the highest bit of the first is set.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..0x80, rest @ ..] => Some((usize::from(*short), rest)),
        [a, b, c, d, rest @ ..] => {
            Some((u32::from_be_bytes([a & 0x7f, *b, *c, *d]) as usize, rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_and_cut_pairs() {
        let mut bytes = vec![1, 2];
        bytes.extend(b"abc");
        bytes.extend([1, 0x80, 0, 0, 3]);
        bytes.extend(b"kxyz");
        let all: Vec<_> = Parameters::new(&bytes).collect();
        assert_eq!(all, [(&b"a"[..], &b"bc"[..]), (&b"k"[..], &b"xyz"[..])]);
        let mut cut = Parameters::new(&bytes[..12]);
        assert_eq!(cut.by_ref().last(), Some((&b"k"[..], &b"x"[..])));
        assert_eq!(cut.beyond, Some(2));
        let mut cut = Parameters::new(&bytes[..7]);
        assert_eq!(cut.by_ref().count(), 1);
        assert_eq!(cut.beyond, None);
    }
}
