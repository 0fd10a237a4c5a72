use super::commands::{Set, Special};
use super::probe::LONGEST_NAME;
use crate::correlate::{Entry, Kind, Messages};
use fact::{Outcome, Protocol};

/// What the request's tag says about its reply.
pub(super) const PLAIN: u16 = 0;
pub(super) const REPLICATE: u16 = 1;
pub(super) const MONITOR: u16 = 2;
pub(super) const EXEC: u16 = 3;
pub(super) const RESET: u16 = 4;
/// One reply for every subscription of a set that is left.
pub(super) const ALL: [(u16, Set); 3] = [(5, Set::Channels), (6, Set::Patterns), (7, Set::Shards)];
/// So many replies more than this number.
pub(super) const PARTS: u16 = 0x100;

/// Longest text of a command that is kept.
const LONGEST_TEXT: usize = 1024;
/// Arguments that are shown, masked.
const MASKED: &str = " ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ?";

/// The words of a command as far as they are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    /// RESP, or a plain line.
    pub(super) protocol: Protocol,
    pub(super) special: Special,
    /// Name in upper case.
    pub(super) name: &'a str,
    /// The first arguments, as far as they are looked at.
    pub(super) words: &'a [&'a [u8]],
    /// Arguments altogether, without the name.
    pub(super) arguments: u64,
}

impl Command<'_> {
    pub(super) fn tag(&self) -> u16 {
        match self.special {
            Special::Replicate => REPLICATE,
            Special::Monitor => MONITOR,
            Special::Exec => EXEC,
            Special::Reset => RESET,
            Special::Subscribe(_) => parts(self.arguments),
            Special::Unsubscribe(set) if self.arguments == 0 => {
                ALL.iter().find(|(_, all)| *all == set).map_or(PLAIN, |(tag, _)| *tag)
            }
            Special::Unsubscribe(_) => parts(self.arguments),
            _ => PLAIN,
        }
    }

    fn word(&self, index: usize) -> Option<&[u8]> {
        self.words.get(index).copied()
    }

    /// The word of a container that is part of the command, in upper case.
    fn part(&self) -> Option<String> {
        let word = self.word(0).filter(|_| self.special.is_container() && self.name != "HELLO")?;
        let fits = word.len() <= LONGEST_NAME && super::commands::is_name(word);
        fits.then(|| String::from_utf8_lossy(word).to_ascii_uppercase())
    }
}

fn parts(arguments: u64) -> u16 {
    // Without arguments it is answered once, by an error.
    PARTS.saturating_add(u16::try_from(arguments.max(1)).unwrap_or(u16::MAX))
}

/// Opens the message of a command. `literals`: arguments are kept; `namespace`: index of the database, where it is known.
pub(super) fn open(
    command: &Command<'_>,
    kind: Kind,
    at: usize,
    literals: bool,
    namespace: &str,
    text: &mut String,
    out: &mut Messages,
) {
    let entry = out.open(command.protocol, kind, 0, at);
    entry.notes.tag = command.tag();
    let exchange = &mut entry.exchange;
    exchange.operation.push_str(command.name);
    text.clear();
    text.push_str(command.name);
    if let Some(part) = command.part() {
        text.push(' ');
        text.push_str(&part);
    }
    let into = &mut exchange.attributes;
    into.push_text("db.system.name", "redis");
    into.push_text("db.operation.name", text);
    if !namespace.is_empty() {
        into.push_text("db.namespace", namespace);
    }
    if literals && !command.special.is_secret() {
        text.truncate(command.name.len());
        for word in command.words {
            text.push(' ');
            text.push_str(&String::from_utf8_lossy(word));
        }
        if (command.words.len() as u64) < command.arguments {
            text.push_str(" ...");
        }
        cut(text);
    } else {
        let hidden = command.arguments.saturating_sub(u64::from(text.len() > command.name.len()));
        let shown = usize::try_from(hidden).unwrap_or(usize::MAX).saturating_mul(2).min(MASKED.len());
        text.push_str(MASKED.get(..shown).unwrap_or_default());
        if hidden > (MASKED.len() / 2) as u64 {
            text.push_str(" ...");
        }
    }
    into.push_text("db.query.text", text);
}

fn cut(text: &mut String) {
    if text.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
}

/// Says that the reply is an error, by its first word.
pub(super) fn failed(entry: &mut Entry, text: &[u8]) {
    let word = text.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
    let is_code =
        !word.is_empty() && word.len() <= 32 && word.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    let code = std::str::from_utf8(word).ok().filter(|_| is_code).unwrap_or("ERR");
    let exchange = &mut entry.exchange;
    exchange.outcome = match code {
        "LOADING" | "BUSY" | "OOM" | "MISCONF" | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "NOREPLICAS"
        | "IOERR" | "NOGOODSLAVE" | "UNKILLABLE" => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    exchange.attributes.push_text("db.response.status_code", code);
    exchange.attributes.push_text("error.type", code);
}

/// Opens the message of what the server says unasked.
pub(super) fn push(kind: &str, at: usize, out: &mut Messages) {
    let exchange = &mut out.open(Protocol::Redis, Kind::OneWay, 0, at).exchange;
    exchange.operation.push_str(kind);
    exchange.attributes.push_text("db.system.name", "redis");
    exchange.attributes.push_text("db.operation.name", kind);
}
