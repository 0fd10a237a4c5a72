//! TCP options.

use super::{TcpOptions, Timestamps};
use crate::SeqNum;

/// Option kinds (IANA, "TCP Option Kind Numbers").
mod kind {
    pub(super) const END_OF_LIST: u8 = 0;
    pub(super) const NO_OPERATION: u8 = 1;
    pub(super) const MAXIMUM_SEGMENT_SIZE: u8 = 2;
    pub(super) const WINDOW_SCALE: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
    pub(super) const TIMESTAMPS: u8 = 8;
}

/// Length of the timestamps option with kind and length (RFC 7323, section 3.2).
const TIMESTAMPS_LEN: u8 = 10;
/// Length of a SACK block: its two edges (RFC 2018, section 3).
const SACK_BLOCK_LEN: usize = 8;

/// Reads the options of a TCP header (RFC 9293, section 3.2). Unknown ones are skipped, a malformed
/// one ends the list.
#[inline]
pub(super) fn read(bytes: &[u8]) -> TcpOptions {
    let mut options = TcpOptions::default();
    match bytes {
        [] => {}
        // What every segment of a connection with timestamps carries (RFC 7323, appendix A).
        [kind::NO_OPERATION, kind::NO_OPERATION, kind::TIMESTAMPS, TIMESTAMPS_LEN, rest @ ..]
            if rest.len() == 8 =>
        {
            options.timestamps = timestamps(rest);
        }
        _ => read_list(bytes, &mut options),
    }
    options
}

fn read_list(mut bytes: &[u8], options: &mut TcpOptions) {
    loop {
        let (kind, value, rest) = match *bytes {
            [] | [kind::END_OF_LIST, ..] => return,
            [kind::NO_OPERATION, ref rest @ ..] => {
                bytes = rest;
                continue;
            }
            [_] => return,
            [kind, len, ref rest @ ..] => {
                let Some((value, rest)) =
                    usize::from(len).checked_sub(2).and_then(|n| rest.split_at_checked(n))
                else {
                    return;
                };
                (kind, value, rest)
            }
        };
        if !read_one(kind, value, options) {
            return;
        }
        bytes = rest;
    }
}

/// False where the value has a length that the option cannot have.
fn read_one(kind: u8, value: &[u8], options: &mut TcpOptions) -> bool {
    match (kind, value) {
        (kind::MAXIMUM_SEGMENT_SIZE, &[high, low]) => {
            options.mss = Some(u16::from_be_bytes([high, low]))
        }
        (kind::WINDOW_SCALE, &[shift]) => options.window_scale = Some(shift),
        (kind::SACK_PERMITTED, []) => options.sack_permitted = true,
        (kind::SACK, blocks)
            if !blocks.is_empty() && blocks.len().is_multiple_of(SACK_BLOCK_LEN) =>
        {
            sack(blocks, options);
        }
        (kind::TIMESTAMPS, value) if value.len() == 8 => options.timestamps = timestamps(value),
        (kind::MAXIMUM_SEGMENT_SIZE..=kind::SACK | kind::TIMESTAMPS, _) => return false,
        _ => {}
    }
    true
}

fn sack(blocks: &[u8], options: &mut TcpOptions) {
    options.sack_count = 0;
    for (slot, block) in options.sack.iter_mut().zip(blocks.as_chunks::<SACK_BLOCK_LEN>().0) {
        let [a, b, c, d, e, f, g, h] = *block;
        *slot =
            (SeqNum(u32::from_be_bytes([a, b, c, d])), SeqNum(u32::from_be_bytes([e, f, g, h])));
        options.sack_count += 1;
    }
}

fn timestamps(value: &[u8]) -> Option<Timestamps> {
    let &[a, b, c, d, e, f, g, h] = value.first_chunk::<8>()?;
    Some(Timestamps {
        value: u32::from_be_bytes([a, b, c, d]),
        echo: u32::from_be_bytes([e, f, g, h]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syn_options() {
        let options = read(&[2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7]);
        assert_eq!(options.mss, Some(1460));
        assert!(options.sack_permitted);
        assert_eq!(options.window_scale, Some(7));
        assert_eq!(options.timestamps, Some(Timestamps { value: 1, echo: 2 }));
    }

    #[test]
    fn sack_blocks_behind_timestamps() {
        let mut bytes = vec![1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 1, 5, 18];
        for edge in [100_u32, 200, 300, 400] {
            bytes.extend(edge.to_be_bytes());
        }
        let options = read(&bytes);
        assert_eq!(options.timestamps.map(|t| t.value), Some(9));
        assert_eq!(options.sack_count, 2);
        assert_eq!(options.sack[1], (SeqNum(300), SeqNum(400)));
    }

    #[test]
    fn unknown_options_are_skipped_and_malformed_ones_end_the_list() {
        assert_eq!(read(&[253, 4, 0xf9, 0x89, 2, 4, 1, 0]).mss, Some(256));
        assert_eq!(read(&[253, 1, 2, 4, 1, 0]).mss, None);
        assert_eq!(read(&[3, 4, 7, 7, 2, 4, 1, 0]), TcpOptions::default());
        assert_eq!(read(&[2, 40, 1, 0]), TcpOptions::default());
        assert_eq!(read(&[0, 2, 4, 1]), TcpOptions::default());
        assert_eq!(read(&[1, 1, 1, 8]), TcpOptions::default());
    }
}
