//! The Huffman code of string literals (RFC 7541 section 5.2 and appendix B): decoding only.

/// Length in bits of the code of each byte, and of the end of the string (RFC 7541 appendix B).
///
/// The code is canonical: codes of the same length follow each other in the order of their symbols.
/// The lengths therefore determine all codes.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const END: u16 = 256;
const LONGEST: usize = 30;
/// Codes of at most so many bits are decoded with one look-up in a table of 256 entries.
const TABLE_BITS: usize = 8;

struct Code {
    /// Symbols in the order of their codes.
    symbols: [u16; 257],
    /// By length: the first code that is decode_long, with its bits at the top of the word.
    limit: [u32; LONGEST + 1],
    /// By length: its first code, and the place of its symbol in `symbols`.
    first: [(u32, u16); LONGEST + 1],
    /// By the next `TABLE_BITS` bits: symbol and length. The length is 0 if the code has more bits.
    table: [(u8, u8); 1 << TABLE_BITS],
}

static CODE: Code = code();

const fn code() -> Code {
    let mut it = Code {
        symbols: [0; 257],
        limit: [0; LONGEST + 1],
        first: [(0, 0); LONGEST + 1],
        table: [(0, 0); 1 << TABLE_BITS],
    };
    let (mut next, mut count, mut length) = (0u32, 0usize, 1usize);
    while length <= LONGEST {
        it.first[length] = (next, count as u16);
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                it.symbols[count] = symbol as u16;
                if length <= TABLE_BITS {
                    let (from, many) =
                        ((next as usize) << (TABLE_BITS - length), 1 << (TABLE_BITS - length));
                    let mut at = from;
                    while at < from + many {
                        it.table[at] = (symbol as u8, length as u8);
                        at += 1;
                    }
                }
                count += 1;
                next += 1;
            }
            symbol += 1;
        }
        // The last code is 30 ones: as a limit it takes the whole word.
        it.limit[length] = if length == LONGEST { u32::MAX } else { next << (32 - length) };
        next <<= 1;
        length += 1;
    }
    it
}

/// Decodes a string (RFC 7541 section 5.2) and appends its first `most` bytes to `into`.
///
/// Returns its length in bytes. Returns `None` for an invalid code: with the end of string in it,
/// or with a padding that is decode_long than 7 bits or not all ones.
pub(super) fn decode(coded: &[u8], most: usize, into: &mut Vec<u8>) -> Option<usize> {
    let (mut bits, mut bit_count) = (0u64, 0usize);
    let mut rest = coded.iter();
    let mut length = 0;
    loop {
        while bit_count <= 56 {
            let Some(&byte) = rest.next() else { break };
            bits |= u64::from(byte) << (56 - bit_count);
            bit_count += 8;
        }
        let (symbol, used) = match CODE.table[(bits >> (64 - TABLE_BITS)) as usize] {
            (_, 0) => decode_long((bits >> 32) as u32),
            (symbol, used) => (u16::from(symbol), usize::from(used)),
        };
        if used > bit_count {
            let padding_is_ones =
                bit_count == 0 || bits >> (64 - bit_count) == (1 << bit_count) - 1;
            return (bit_count < 8 && padding_is_ones).then_some(length);
        }
        if symbol == END {
            return None;
        }
        if length < most {
            into.push(symbol as u8);
        }
        length += 1;
        bits <<= used;
        bit_count -= used;
    }
}

/// Symbol and length of the code at the top of `word`, which is decode_long than `TABLE_BITS` bits.
fn decode_long(word: u32) -> (u16, usize) {
    let mut length = TABLE_BITS + 1;
    while length < LONGEST && word >= CODE.limit[length] {
        length += 1;
    }
    let (first, at) = CODE.first[length];
    let nth = ((word >> (32 - length)) - first) as usize + usize::from(at);
    (CODE.symbols.get(nth).copied().unwrap_or(END), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(coded: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        let length = decode(coded, 1000, &mut out)?;
        assert_eq!(length, out.len());
        String::from_utf8(out).ok()
    }

    #[test]
    fn the_examples_of_rfc_7541() {
        let coded = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(text(&coded).as_deref(), Some("www.example.com"));
        assert_eq!(text(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).as_deref(), Some("no-cache"));
        assert_eq!(text(&[]).as_deref(), Some(""));
        let mut out = Vec::new();
        assert_eq!((decode(&coded, 3, &mut out), out.as_slice()), (Some(15), &b"www"[..]));
    }

    /// The code of each byte, as the lengths give it.
    fn encode(bytes: &[u8]) -> Vec<u8> {
        let (mut all, mut bit_count) = (0u64, 0u32);
        let mut out = Vec::new();
        for &byte in bytes {
            let length = usize::from(LENGTHS[usize::from(byte)]);
            let (first, at) = CODE.first[length];
            let nth = CODE.symbols.iter().position(|&s| s == u16::from(byte)).unwrap() as u32;
            all = all << length | u64::from(first + nth - u32::from(at));
            bit_count += length as u32;
            while bit_count >= 8 {
                bit_count -= 8;
                out.push((all >> bit_count) as u8);
            }
        }
        if bit_count > 0 {
            out.push((all << (8 - bit_count)) as u8 | ((1u16 << (8 - bit_count)) - 1) as u8);
        }
        out
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let mut out = Vec::new();
        assert_eq!(decode(&encode(&all), usize::MAX, &mut out), Some(512));
        assert_eq!(out, all);
        assert_eq!(encode(b"www.example.com").len(), 12);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert_eq!(text(&[0xff, 0xff, 0xff, 0xff]), None, "the end of string is for padding only");
        assert_eq!(
            text(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf, 0xff]),
            None,
            "more than 7 bits of padding"
        );
        assert_eq!(text(&[0x00]), None, "padding that is not the beginning of the end of string");
    }
}
