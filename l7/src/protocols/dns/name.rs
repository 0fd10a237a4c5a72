//! Domain names with compression pointers (RFC 1035 sections 3.1 and 4.1.4), as text.

use std::fmt::Write as _;

/// Longest name on the wire (RFC 1035 section 2.3.4).
const LONGEST: usize = 255;
/// Upper two bits of a label's length.
const LABEL: u8 = 0b00;
/// Upper two bits of a compression pointer.
const POINTER: u8 = 0b11;
/// Bits of a pointer's first byte that belong to the offset.
const OFFSET_HIGH: u8 = 0x3f;

/// Reads the name at `at` of a message and appends it to `into` as text without the final dot (the
/// root is `.`).
///
/// Returns where the record continues, or `None` if the name is malformed. Compression pointers may
/// only point before the last one, so there is no loop.
pub(super) fn read(message: &[u8], at: usize, into: &mut String) -> Option<usize> {
    let start = into.len();
    let mut at = at;
    let mut after = None;
    let mut floor = at;
    let mut wire_len = 0;
    loop {
        let length = *message.get(at)?;
        match length >> 6 {
            LABEL if length == 0 => break,
            LABEL => {
                let label = message.get(at + 1..at + 1 + usize::from(length))?;
                wire_len += label.len() + 1;
                if wire_len >= LONGEST {
                    return None;
                }
                if into.len() > start {
                    into.push('.');
                }
                push_label(label, into);
                at += 1 + label.len();
            }
            POINTER => {
                let low = *message.get(at + 1)?;
                let target = usize::from(length & OFFSET_HIGH) << 8 | usize::from(low);
                after = after.or(Some(at + 2));
                if target >= floor {
                    return None;
                }
                floor = target;
                at = target;
            }
            _ => return None,
        }
    }
    if into.len() == start {
        into.push('.');
    }
    Some(after.unwrap_or(at + 1))
}

/// Whether the entry with the name at `at` goes on beyond the end of `message`, as where it was not
/// captured whole.
pub(super) fn is_cut_off(message: &[u8], mut at: usize) -> bool {
    loop {
        match message.get(at) {
            None => return true,
            // Type and class follow.
            Some(0) => return message.len() < at + 5,
            Some(length) if length >> 6 == LABEL => at += 1 + usize::from(*length),
            Some(length) => return length >> 6 == POINTER && message.len() < at + 6,
        }
    }
}

/// Where the record continues behind the name at `at`, without reading it.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *message.get(at)?;
        match length >> 6 {
            LABEL if length == 0 => return Some(at + 1),
            LABEL => at += 1 + usize::from(length),
            POINTER => return message.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// Appends a label as in zone files (RFC 1035 section 5.1). UTF-8, which multicast DNS uses, stays
/// as it is.
fn push_label(label: &[u8], into: &mut String) {
    if label.iter().all(|&b| b.is_ascii_graphic() && b != b'.' && b != b'\\') {
        into.push_str(std::str::from_utf8(label).unwrap_or_default());
        return;
    }
    if let Ok(text) = std::str::from_utf8(label)
        && !text.chars().any(char::is_control)
    {
        for c in text.chars() {
            if matches!(c, '.' | '\\') {
                into.push('\\');
            }
            into.push(c);
        }
        return;
    }
    for &byte in label {
        if byte.is_ascii_graphic() && byte != b'.' && byte != b'\\' {
            into.push(byte as char);
        } else {
            let _ = write!(into, "\\{byte:03}");
        }
    }
}
