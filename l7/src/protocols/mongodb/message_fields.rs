//! The recorded fields of a message, collected until it ends. The texts are reused.

use super::bson::{Value, elements};
use super::errors;
use crate::correlate::Entry;
use fact::Outcome;

/// Longest text that is kept, in bytes.
const NAME: usize = 256;

/// Commands whose first element is a text that names no collection.
const NO_COLLECTION: [&str; 14] = [
    "authenticate",
    "createRole",
    "createUser",
    "dropRole",
    "dropUser",
    "getLog",
    "grantRolesToUser",
    "renameCollection",
    "revokeRolesFromUser",
    "setFeatureCompatibilityVersion",
    "updateRole",
    "updateUser",
    "usersInfo",
    "applyOps",
];

/// The fields of a message.
#[derive(Debug, Default)]
pub(super) struct MessageFields {
    pub(super) command: String,
    pub(super) database: String,
    pub(super) collection: String,
    /// Documents in sequences besides the command.
    pub(super) documents: u32,
    /// `ok` of a reply.
    ok: Option<bool>,
    code: i64,
    code_name: String,
    message: String,
    /// Error messages are kept. They can hold values.
    literals: bool,
}

impl MessageFields {
    pub(super) fn new(literals: bool) -> Self {
        Self { literals, ..Self::default() }
    }

    pub(super) fn clear(&mut self) {
        for text in [
            &mut self.command,
            &mut self.database,
            &mut self.collection,
            &mut self.code_name,
            &mut self.message,
        ] {
            text.clear();
        }
        (self.documents, self.ok, self.code) = (0, None, 0);
    }

    /// The next element of a command.
    pub(super) fn on_command_element(&mut self, name: &[u8], value: Value<'_>) {
        if self.command.is_empty() {
            set_text(&mut self.command, name);
            if let Value::Text(text) = value
                && !NO_COLLECTION.contains(&self.command.as_str())
            {
                set_text(&mut self.collection, text);
            }
            return;
        }
        match (name, value) {
            (b"$db", Value::Text(text)) => set_text(&mut self.database, text),
            (b"collection", Value::Text(text)) if self.command == "getMore" => {
                set_text(&mut self.collection, text)
            }
            _ => {}
        }
    }

    /// The next element of a reply.
    pub(super) fn on_reply_element(&mut self, name: &[u8], value: Value<'_>) {
        match (name, value) {
            (b"ok", Value::Number(n)) => self.ok = Some(n != 0),
            (b"code", Value::Number(n)) if self.code == 0 => self.code = n,
            (b"codeName", Value::Text(text)) => set_text(&mut self.code_name, text),
            (b"errmsg" | b"$err", Value::Text(text)) => {
                if name == b"$err" {
                    self.ok = Some(false);
                }
                if self.literals {
                    set_text(&mut self.message, text);
                }
            }
            (b"writeErrors", Value::Inner(array)) => {
                if let Some((_, Value::Inner(first))) = elements(array).next() {
                    self.on_write_error(first);
                }
            }
            (b"writeConcernError", Value::Inner(error)) => self.on_write_error(error),
            _ => {}
        }
    }

    /// Sets an error from `writeErrors` or `writeConcernError`.
    fn on_write_error(&mut self, error: &[u8]) {
        for (name, value) in elements(error) {
            if matches!(name, b"code" | b"codeName" | b"errmsg") {
                self.on_reply_element(name, value);
            }
        }
    }

    /// Sets database and collection from a full name.
    pub(super) fn namespace(&mut self, full: &[u8]) {
        let dot = full.iter().position(|byte| *byte == b'.').unwrap_or(full.len());
        set_text(&mut self.database, full.get(..dot).unwrap_or_default());
        set_text(&mut self.collection, full.get(dot + 1..).unwrap_or_default());
    }

    /// Sets an error from a reply's flags.
    pub(super) fn set_error(&mut self, code: i64) {
        self.ok = Some(false);
        self.code = code;
    }

    pub(super) fn push_request(&self, entry: &mut Entry) {
        let exchange = &mut entry.exchange;
        if exchange.operation.is_empty() {
            exchange.operation.push_str(&self.command);
        }
        let attributes = &mut exchange.attributes;
        for (key, text) in [
            ("db.operation.name", &exchange.operation),
            ("db.namespace", &self.database),
            ("db.collection.name", &self.collection),
        ] {
            if !text.is_empty() {
                attributes.push_text(key, text);
            }
        }
        if self.documents > 1 {
            attributes.push_int("db.operation.batch.size", i64::from(self.documents));
        }
    }

    pub(super) fn push_response(&self, entry: &mut Entry) {
        let set_error = self.ok == Some(false) || self.code != 0;
        let exchange = &mut entry.exchange;
        if !set_error || exchange.outcome != Outcome::Ok {
            return;
        }
        exchange.outcome =
            if self.code == 0 { Outcome::ServerError } else { errors::outcome(self.code) };
        let attributes = &mut exchange.attributes;
        if self.code != 0 {
            attributes.push_text("db.response.status_code", &self.code.to_string());
        }
        match (self.code_name.as_str(), errors::name(self.code)) {
            ("", None) if self.code == 0 => attributes.push_text("error.type", "_OTHER"),
            ("", None) => attributes.push_text("error.type", &self.code.to_string()),
            ("", Some(name)) | (name, _) => attributes.push_text("error.type", name),
        }
        if !self.message.is_empty() {
            attributes.push_text("error.message", &self.message);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let texts =
            [&self.command, &self.database, &self.collection, &self.code_name, &self.message];
        texts.iter().map(|text| text.capacity()).sum()
    }
}

fn set_text(into: &mut String, bytes: &[u8]) {
    into.clear();
    let bytes = bytes.get(..NAME).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => into.push_str(text),
        Err(_) => into.push_str(&String::from_utf8_lossy(bytes)),
    }
}
