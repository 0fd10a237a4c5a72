//! Variable-length integers of the compact protocol (thrift-compact-protocol, "Integer encoding").

/// A number of seven bits a byte, the lowest first, and how many bytes it takes. `Err` if more
/// bytes are needed, `None` if it is too long.
pub(super) fn read(bytes: &[u8]) -> Option<Result<(u64, usize), usize>> {
    let mut number = 0u64;
    for (n, &byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f).wrapping_shl(7 * n as u32);
        if byte & 0x80 == 0 {
            return Some(Ok((number, n + 1)));
        }
    }
    if bytes.len() >= 10 { None } else { Some(Err(1)) }
}

/// Decodes a zigzag number.
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
