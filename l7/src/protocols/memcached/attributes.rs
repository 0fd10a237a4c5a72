//! Opens messages and sets their attributes: operation, query text and status.

use super::text::Form;
use crate::correlate::{Entry, Kind, Messages};
use fact::Outcome;

/// Longest key that is kept, in bytes.
const LONGEST: usize = 1024;

/// Opens the message of a command with `keys` keys. `key` is the first of them.
pub(super) fn open_request<'m>(
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

/// Index of the word that is the key of a command of this form.
pub(super) fn key_at(form: Form) -> Option<usize> {
    match form {
        Form::Store | Form::MetaStore | Form::Meta | Form::Get | Form::Key => Some(1),
        Form::GetAndTouch => Some(2),
        Form::Other => None,
    }
}

/// Adds the status that the first word of a response means.
pub(super) fn push_word(entry: &mut Entry, word: &[u8]) {
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
    push_status(exchange, code, outcome);
}

/// Adds a status, and the outcome that it means.
pub(super) fn push_status(exchange: &mut fact::Exchange, code: &str, outcome: Outcome) {
    exchange.attributes.push_text("db.response.status_code", code);
    if outcome != Outcome::Ok {
        exchange.outcome = outcome;
        exchange.attributes.push_text("error.type", code);
    }
}
