//! Opens messages and sets their attributes: operation, query text, errors.

use super::commands::{Effect, SubscriptionSet};
use super::probe::LONGEST_NAME;
use crate::correlate::{Entry, Kind, Messages};
use fact::{Outcome, Protocol};

/// Inline commands have a name of their own, so that counts of `redis` are those of services'
/// requests.
const INLINE: Protocol = Protocol::new("redis_inline");

/// Tags of requests: what kind of reply follows.
pub(super) const PLAIN: u16 = 0;
pub(super) const REPLICATE: u16 = 1;
pub(super) const MONITOR: u16 = 2;
pub(super) const EXEC: u16 = 3;
pub(super) const RESET: u16 = 4;
/// One reply value for every subscription of a set that is left.
pub(super) const ALL: [(u16, SubscriptionSet); 3] =
    [(5, SubscriptionSet::Channels), (6, SubscriptionSet::Patterns), (7, SubscriptionSet::Shards)];
/// A tag of at least this number: so many reply values more.
pub(super) const PARTS: u16 = 0x100;

/// Longest query text in bytes.
const LONGEST_TEXT: usize = 1024;
/// Masked arguments in a query text: 16 at most.
const MASKED: &str = " ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ?";

/// The inspected words of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    /// A plain line instead of RESP.
    pub(super) inline: bool,
    pub(super) effect: Effect,
    /// Name in upper case.
    pub(super) name: &'a str,
    /// The first arguments.
    pub(super) words: &'a [&'a [u8]],
    /// Number of all arguments, without the name.
    pub(super) arguments: u64,
}

impl Command<'_> {
    pub(super) fn tag(&self) -> u16 {
        match self.effect {
            Effect::Replicate => REPLICATE,
            Effect::Monitor => MONITOR,
            Effect::Exec => EXEC,
            Effect::Reset => RESET,
            Effect::Subscribe(_) => parts(self.arguments),
            Effect::Unsubscribe(set) if self.arguments == 0 => {
                ALL.iter().find(|(_, all)| *all == set).map_or(PLAIN, |(tag, _)| *tag)
            }
            Effect::Unsubscribe(_) => parts(self.arguments),
            _ => PLAIN,
        }
    }

    fn word(&self, index: usize) -> Option<&[u8]> {
        self.words.get(index).copied()
    }

    /// The second word of a container command, in upper case.
    fn subcommand(&self) -> Option<String> {
        let word = self.word(0).filter(|_| self.effect.is_container() && self.name != "HELLO")?;
        let fits = word.len() <= LONGEST_NAME && super::commands::is_name(word);
        fits.then(|| String::from_utf8_lossy(word).to_ascii_uppercase())
    }
}

fn parts(arguments: u64) -> u16 {
    // Without arguments the reply is one error.
    PARTS.saturating_add(u16::try_from(arguments.max(1)).unwrap_or(u16::MAX))
}

/// Opens the message of a command. `literals`: arguments are kept. `namespace`: index of the
/// database, if it is known.
pub(super) fn open_request(
    command: &Command<'_>,
    kind: Kind,
    at: usize,
    literals: bool,
    namespace: &str,
    text: &mut String,
    out: &mut Messages,
) {
    let entry = out.open(kind, 0, at);
    if command.inline {
        entry.exchange.protocol = INLINE;
    }
    entry.notes.tag = command.tag();
    let exchange = &mut entry.exchange;
    exchange.operation.push_str(command.name);
    text.clear();
    text.push_str(command.name);
    if let Some(subcommand) = command.subcommand() {
        text.push(' ');
        text.push_str(&subcommand);
    }
    let into = &mut exchange.attributes;
    into.push_text("db.system.name", "redis");
    into.push_text("db.operation.name", text);
    if !namespace.is_empty() {
        into.push_text("db.namespace", namespace);
    }
    if literals && !command.effect.is_secret() {
        text.truncate(command.name.len());
        for word in command.words {
            text.push(' ');
            text.push_str(&String::from_utf8_lossy(word));
        }
        if (command.words.len() as u64) < command.arguments {
            text.push_str(" ...");
        }
        truncate(text);
    } else {
        let hidden = command.arguments.saturating_sub(u64::from(text.len() > command.name.len()));
        let shown =
            usize::try_from(hidden).unwrap_or(usize::MAX).saturating_mul(2).min(MASKED.len());
        text.push_str(MASKED.get(..shown).unwrap_or_default());
        if hidden > (MASKED.len() / 2) as u64 {
            text.push_str(" ...");
        }
    }
    into.push_text("db.query.text", text);
}

/// Shortens a text to `LONGEST_TEXT` bytes at a character boundary.
fn truncate(text: &mut String) {
    if text.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
}

/// Sets outcome and attributes of a reply that is an error. Its first word is the code.
pub(super) fn push_error(entry: &mut Entry, text: &[u8]) {
    let word = text.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
    let is_code = !word.is_empty()
        && word.len() <= 32
        && word.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    let code = std::str::from_utf8(word).ok().filter(|_| is_code).unwrap_or("ERR");
    let exchange = &mut entry.exchange;
    exchange.outcome = match code {
        "LOADING" | "BUSY" | "OOM" | "MISCONF" | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN"
        | "NOREPLICAS" | "IOERR" | "NOGOODSLAVE" | "UNKILLABLE" => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    exchange.attributes.push_text("db.response.status_code", code);
    exchange.attributes.push_text("error.type", code);
}

/// Opens the message of a push, which belongs to no request.
pub(super) fn open_push(kind: &str, at: usize, out: &mut Messages) {
    let exchange = &mut out.open(Kind::OneWay, 0, at).exchange;
    exchange.operation.push_str(kind);
    exchange.attributes.push_text("db.system.name", "redis");
    exchange.attributes.push_text("db.operation.name", kind);
}
