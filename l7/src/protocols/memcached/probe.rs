//! Recognises the first bytes of commands and responses.

use super::binary::{self, HEADER, Header};
use super::text::{self, Form, form, is_final_word, number, words};
use crate::contract::{Clue, Probe};

/// Longest line by which a command is recognised.
const LONGEST: usize = 2048;

/// Whether bytes begin with a command.
pub(super) fn request(bytes: &[u8], usual: bool) -> Probe {
    let Some(&first) = bytes.first() else { return Probe::More };
    if binary::is_magic(first) {
        return probe_header(bytes, true, usual);
    }
    let known = |name: &[u8]| form(name);
    let Some((line, _)) = text::line(bytes, 0) else {
        let name = words(bytes.strip_suffix(b"\r").unwrap_or(bytes)).next().unwrap_or_default();
        let is_long = bytes.len() > LONGEST;
        let seen = name.len() < bytes.len() || known(name).is_some();
        return match known(name) {
            Some(_) if is_long => {
                if usual {
                    Probe::Yes
                } else {
                    Probe::No
                }
            }
            None if seen
                || name.len() > 14
                || !name.iter().all(|b| b.is_ascii_lowercase() || *b == b'_') =>
            {
                Probe::No
            }
            Some(_) if !bytes.iter().all(|b| *b > b' ' || matches!(b, b' ' | b'\r')) => Probe::No,
            _ => Probe::More,
        };
    };
    let mut list = words(line);
    let name = list.next().unwrap_or_default();
    let Some(form) = known(name) else { return Probe::No };
    let arguments = words(line).count() - 1;
    if line.iter().any(|b| *b < b' ') || list.next().is_some_and(|key| key.len() > 250) {
        return Probe::No;
    }
    let number = |n: usize| number(words(line).nth(n)).is_some();
    let (fits, proof) = match form {
        Form::Store => ((4..=6).contains(&arguments) && number(2) && number(4), true),
        Form::MetaStore => (arguments >= 2 && number(2), true),
        Form::Meta => (arguments >= 1, false),
        Form::Get => (arguments >= 1 && !line.windows(5).any(|w| w == b"HTTP/"), name == b"gets"),
        Form::GetAndTouch => (arguments >= 2 && number(1), true),
        Form::Key => (arguments >= 1, false),
        Form::Other => (true, false),
    };
    if fits && (proof || usual) { Probe::Yes } else { Probe::No }
}

/// Whether bytes begin with a response.
pub(super) fn response(bytes: &[u8], clue: &Clue) -> Probe {
    let usual = clue.usual;
    let Some(&first) = bytes.first() else { return Probe::More };
    if binary::is_magic(first) {
        return probe_header(bytes, false, usual);
    }
    // A server begins only to refuse a connection.
    if clue.at_start && !b"ERROR ".iter().zip(bytes).all(|(a, b)| a == b) {
        return if usual { Probe::More } else { Probe::No };
    }
    let Some((line, _)) = text::line(bytes, 0) else {
        let may = usual
            && bytes.len() < 300
            && first.is_ascii_graphic()
            && bytes.iter().all(|b| *b >= b' ' || *b == b'\r');
        return if may { Probe::More } else { Probe::No };
    };
    let word = words(line).next().unwrap_or_default();
    let proof = match word {
        b"VALUE" => number(words(line).nth(2)).is_some() && number(words(line).nth(3)).is_some(),
        b"STORED" | b"NOT_STORED" => line == word,
        b"VA" | b"STAT" => usual,
        // The value after `incr` or `decr` stands alone. Servers that greet with a code do not.
        [b'0'..=b'9', ..] => usual && line == word,
        _ => usual && is_final_word(word),
    };
    if proof && line.iter().all(|b| *b >= b' ') { Probe::Yes } else { Probe::No }
}

/// Whether bytes are a binary header whose lengths fit its command.
fn probe_header(bytes: &[u8], is_request: bool, usual: bool) -> Probe {
    let right = bytes.first() == Some(&if is_request { binary::REQUEST } else { binary::RESPONSE });
    if !right || bytes.get(1).is_some_and(|opcode| binary::name(*opcode).is_none()) {
        return Probe::No;
    }
    if bytes.len() < HEADER {
        let early = bytes.get(5).is_some_and(|data_type| *data_type != 0)
            || bytes.get(2).is_some_and(|high| *high != 0)
            || bytes.get(4).is_some_and(|extras| *extras > 20);
        return if early { Probe::No } else { Probe::More };
    }
    let Some(header) = Header::read(bytes).filter(|h| h.is_request == is_request) else {
        return Probe::No;
    };
    let (extras, key, body) = (header.extras, header.key, header.body);
    let before_value = u32::from(extras) + u32::from(key);
    let fits = match (is_request, header.opcode) {
        (true, 0x00 | 0x04 | 0x09 | 0x0c | 0x0d | 0x14) => {
            extras == 0 && key > 0 && body == before_value
        }
        (true, 0x01..=0x03 | 0x11..=0x13) => extras == 8 && key > 0,
        (true, 0x05 | 0x06 | 0x15 | 0x16) => extras == 20 && key > 0 && body == before_value,
        (true, 0x07 | 0x0a | 0x0b | 0x17 | 0x20) => body == 0,
        (true, 0x08 | 0x18) => matches!(extras, 0 | 4) && key == 0 && body == before_value,
        (true, 0x0e | 0x0f | 0x19 | 0x1a) => extras == 0 && key > 0,
        (true, 0x10) => extras == 0 && body == before_value,
        (true, 0x1b) => extras == 4 && body == 4,
        (true, 0x1c..=0x1e | 0x23 | 0x24) => extras == 4 && key > 0 && body == before_value,
        (true, 0x21 | 0x22) => extras == 0 && key > 0,
        (true, _) => false,
        (false, _) => matches!(header.status, 0..=6 | 0x20 | 0x21 | 0x81..=0x86),
    };
    // On another port, nothing may follow that is no message.
    let behind = bytes.get(HEADER + body as usize..).unwrap_or_default();
    let follows = behind.first().is_none_or(|magic| *magic == bytes[0]);
    if fits && (usual || follows) && bytes.get(5) == Some(&0) { Probe::Yes } else { Probe::No }
}
