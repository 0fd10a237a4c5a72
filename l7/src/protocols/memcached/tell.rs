//! Attributes of Memcached exchanges.

use super::text::Form;
use crate::correlate::{Entry, Kind, Messages};
use fact::Outcome;

/// Longest text of a command that is kept.
const LONGEST: usize = 1024;

/// Opens the message of a command with so many keys, of which `key` is the first.
pub(super) fn open<'m>(
    name: &str,
    kind: Kind,
    key: Option<&[u8]>,
    keys: u64,
    literals: bool,
    at: usize,
    out: &'m mut Messages,
) -> &'m mut Entry {
    let entry = out.open(kind, 0, at);
    let exchange = &mut entry.exchange;
    exchange.operation.push_str(name);
    let into = &mut exchange.attributes;
    into.push_text("db.system.name", "memcached");
    into.push_text("db.operation.name", name);
    match key {
        Some(key) if literals => {
            let key = key.get(..LONGEST).unwrap_or(key);
            into.push_text("db.query.text", &format!("{name} {}", String::from_utf8_lossy(key)));
        }
        Some(_) if name == "get" => into.push_text("db.query.text", "get ?"),
        Some(_) if name == "set" => into.push_text("db.query.text", "set ?"),
        Some(_) => into.push_text("db.query.text", &format!("{name} ?")),
        None => {}
    }
    if keys > 1 {
        into.push_int("db.operation.batch.size", i64::try_from(keys).unwrap_or(i64::MAX));
    }
    entry
}

/// Whether the command of this form has a key, as its second word (or third).
pub(super) fn key_at(form: Form) -> Option<usize> {
    match form {
        Form::Store | Form::MetaStore | Form::Meta | Form::Get | Form::Key => Some(1),
        Form::GetAndTouch => Some(2),
        Form::Other => None,
    }
}

/// What the first word of an answer says.
pub(super) fn word(entry: &mut Entry, word: &[u8]) {
    let exchange = &mut entry.exchange;
    let (code, outcome) = match word {
        b"ERROR" => ("ERROR", Outcome::ClientError),
        b"CLIENT_ERROR" => ("CLIENT_ERROR", Outcome::ClientError),
        b"SERVER_ERROR" => ("SERVER_ERROR", Outcome::ServerError),
        b"BUSY" => ("BUSY", Outcome::ServerError),
        b"NOT_STORED" | b"NS" => ("NOT_STORED", Outcome::Ok),
        b"EXISTS" | b"EX" => ("EXISTS", Outcome::Ok),
        b"NOT_FOUND" | b"NF" => ("NOT_FOUND", Outcome::Ok),
        _ => return,
    };
    said(exchange, code, outcome);
}

pub(super) fn said(exchange: &mut fact::Exchange, code: &str, outcome: Outcome) {
    exchange.attributes.push_text("db.response.status_code", code);
    if outcome != Outcome::Ok {
        exchange.outcome = outcome;
        exchange.attributes.push_text("error.type", code);
    }
}
