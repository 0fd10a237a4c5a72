//! Base64 (RFC 4648 sections 4 and 5) character by character, for gRPC-Web's text form.

/// A decoder. The text may consist of several parts that are padded separately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    /// Bits of `bits` that are not part of a byte yet.
    bit_count: u8,
}

impl Base64 {
    /// Adds a character. Returns a byte when one is complete, and `None` for what is no character
    /// of Base64.
    pub(super) fn push(&mut self, character: u8) -> Option<Option<u8>> {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                *self = Self::default();
                return Some(None);
            }
            b'\r' | b'\n' => return Some(None),
            _ => return None,
        };
        self.bits = self.bits << 6 | u32::from(value);
        self.bit_count += 6;
        if self.bit_count < 8 {
            return Some(None);
        }
        self.bit_count -= 8;
        Some(Some((self.bits >> self.bit_count) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_padded_follow_each_other() {
        let mut it = Base64::default();
        let out: Vec<u8> =
            b"aGVsbG8=d28=cmxk".iter().filter_map(|&c| it.push(c).unwrap()).collect();
        assert_eq!(out, b"helloworld");
        assert_eq!(it.push(b'!'), None);
    }
}
