//! Integers of the protocol (kafka.apache.org, "Protocol Primitive Types").

/// Unsigned variable-length number and its length in bytes (KIP-482: base 128, least significant
/// group first). `Ok(None)`: too long.
pub(super) fn uvarint(bytes: &[u8]) -> Result<Option<(u32, usize)>, Short> {
    let mut value = 0u32;
    for (n, &byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f).wrapping_shl(7 * n as u32);
        if byte & 0x80 == 0 {
            return Ok(Some((value, n + 1)));
        }
    }
    if bytes.len() < 5 { Err(Short(bytes.len() + 1)) } else { Ok(None) }
}

/// Signed variable-length number as in records (zigzag) and its length in bytes.
pub(super) fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for (n, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).wrapping_shl(7 * n as u32);
        if byte & 0x80 == 0 {
            return Some(((value >> 1) as i64 ^ -((value & 1) as i64), n + 1));
        }
    }
    None
}

/// The two bytes at `at`, as a signed number.
pub(super) fn int16(bytes: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The four bytes at `at`, as a signed number.
pub(super) fn int32(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// So many bytes are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short(pub(super) usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_lengths() {
        assert_eq!(uvarint(&[0x05, 9]), Ok(Some((5, 1))));
        assert_eq!(uvarint(&[0x96, 0x01]), Ok(Some((150, 2))));
        assert_eq!(uvarint(&[0x96]), Err(Short(2)));
        assert_eq!(uvarint(&[0xff; 6]), Ok(None));
        assert_eq!(varint(&[0x01]), Some((-1, 1)));
        assert_eq!(varint(&[0x9a, 0x02]), Some((141, 2)));
        assert_eq!(varint(&[0x80]), None);
    }
}
