//! Quiet commands (memcached `doc/protocol.txt`, flag `q`, and the binary commands that end with
//! Q): which responses they suppress, and which request a response belongs to.
//!
//! A request's tag holds how quiet it is and a hash of what its response repeats.

/// Which responses a command suppresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// None.
    Not,
    /// `EN`, or a binary miss.
    Get,
    /// `HD`, or a binary success.
    Set,
    /// `HD` and `NF`.
    Delete,
}

/// Bits of a tag with the hash.
const HASH: u16 = 0x03ff;
/// Flags of a meta command: it requests the value (`v`); it compares before it stores (`C`); it has
/// a mode (`M`).
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

/// Which responses the command with this tag suppresses.
pub(super) fn quiet(tag: u16) -> Quiet {
    match tag >> 10 & 3 {
        0 => Quiet::Not,
        1 => Quiet::Get,
        2 => Quiet::Set,
        _ => Quiet::Delete,
    }
}

/// Whether a response with `hash` (0: it repeats nothing) can be that of the request with `tag`.
pub(super) fn fits(tag: u16, hash: u16) -> bool {
    let requested = tag & HASH;
    requested == 0 || hash == 0 || requested == hash & HASH
}

/// Hash of what a response repeats; never 0.
pub(super) fn hash(parts: &[&[u8]]) -> u16 {
    let mut hash = 0x811c_9dc5u32;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    ((hash >> 16 ^ hash) as u16 & HASH).max(1)
}

/// Whether a meta command is quiet, and the hash of the opaque token or the key that its response
/// has to repeat, by its words behind the name.
pub(super) fn requested<'a>(key: &[u8], flags: impl Iterator<Item = &'a [u8]>) -> (bool, u16) {
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

/// Hash of what the response to a meta command repeats: the opaque token, or the key.
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

/// Whether a response that begins with `word` is not one of the command with this tag, because the
/// command suppresses or never gets it.
pub(super) fn excludes(tag: u16, word: &[u8]) -> bool {
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

/// Tag bits of the flags of a meta command that decide which responses it can get.
pub(super) fn response_flags<'a>(flags: impl Iterator<Item = &'a [u8]>) -> u16 {
    flags.fold(0, |all, flag| {
        all | match flag {
            b"v" => VALUE,
            [b'C', ..] => COMPARES,
            [b'M', ..] => MODE,
            _ => 0,
        }
    })
}
