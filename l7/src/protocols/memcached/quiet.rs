//! Which answers a command that is quiet about the usual has, and to which command an answer
//! belongs.
//!
//! A request's tag holds how quiet it is and a hash of what the answer repeats.

/// How quiet a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// It is always answered.
    Not,
    /// `EN` is left out, or a binary miss.
    Get,
    /// `HD` is left out, or a binary success.
    Set,
    /// `HD` and `NF` are left out.
    Delete,
}

const HASH: u16 = 0x03ff;
/// Flag of a meta command: the value is asked for; it is stored only if it is still the same; in
/// another way than by setting it.
const VALUE: u16 = 1 << 12;
const COMPARES: u16 = 1 << 13;
const MODE: u16 = 1 << 14;

/// The tag of a request.
pub(super) fn tag(quiet: Quiet, hash: u16) -> u16 {
    let quiet = match quiet {
        Quiet::Not => 0,
        Quiet::Get => 1,
        Quiet::Set => 2,
        Quiet::Delete => 3,
    };
    quiet << 10 | hash & HASH
}

/// How quiet the command with this tag is.
pub(super) fn quiet(tag: u16) -> Quiet {
    match tag >> 10 & 3 {
        0 => Quiet::Not,
        1 => Quiet::Get,
        2 => Quiet::Set,
        _ => Quiet::Delete,
    }
}

/// Whether an answer with `hash` (0: it repeats nothing) can be that of the request with `tag`.
pub(super) fn fits(tag: u16, hash: u16) -> bool {
    let asked = tag & HASH;
    asked == 0 || hash == 0 || asked == hash & HASH
}

/// Hash of what an answer repeats; never 0.
pub(super) fn hash(parts: &[&[u8]]) -> u16 {
    let mut hash = 0x811c_9dc5u32;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    ((hash >> 16 ^ hash) as u16 & HASH).max(1)
}

/// Hash of the opaque token or the key that a meta command asks to have repeated, by its words
/// behind the name.
pub(super) fn asked<'a>(key: &[u8], flags: impl Iterator<Item = &'a [u8]>) -> (bool, u16) {
    let (mut quiet, mut found) = (false, 0);
    for flag in flags {
        match flag {
            b"q" => quiet = true,
            b"k" if found == 0 => found = hash(&[key]),
            [b'O', token @ ..] => found = hash(&[token]),
            _ => {}
        }
    }
    (quiet, found)
}

/// Hash of what the answer to a meta command repeats: the opaque token, or the key.
pub(super) fn repeated<'a>(flags: impl Iterator<Item = &'a [u8]>) -> u16 {
    let mut found = 0;
    for flag in flags {
        match flag {
            [b'O', token @ ..] => return hash(&[token]),
            [b'k', key @ ..] if found == 0 => found = hash(&[key]),
            _ => {}
        }
    }
    found
}

/// Whether an answer that begins with `word` is not one of the command with this tag, because it
/// would leave it out or never gives it.
pub(super) fn leaves_out(tag: u16, word: &[u8]) -> bool {
    match word {
        b"CLIENT_ERROR" | b"SERVER_ERROR" | b"ERROR" => return false,
        _ => {}
    }
    let compares = tag & COMPARES != 0;
    match quiet(tag) {
        Quiet::Not => false,
        Quiet::Get => word != if tag & VALUE != 0 { b"VA" } else { b"HD" },
        Quiet::Set => !match word {
            b"NS" => tag & MODE != 0 || compares,
            b"NF" | b"EX" => compares,
            _ => false,
        },
        Quiet::Delete => !match word {
            b"NS" => true,
            b"EX" => compares,
            _ => false,
        },
    }
}

/// What the flags of a meta command say about the answers that it can have.
pub(super) fn possible<'a>(flags: impl Iterator<Item = &'a [u8]>) -> u16 {
    flags.fold(0, |all, flag| {
        all | match flag {
            b"v" => VALUE,
            [b'C', ..] => COMPARES,
            [b'M', ..] => MODE,
            _ => 0,
        }
    })
}
