//! Attributes of a statement: text, summary, operation, table.

use memchr::memchr2_iter;

use super::Dialect;
use super::lexer::Lexer;
use super::mask::Mask;
use super::summary::Summary;
use fact::Attributes;

/// Most bytes of a statement that are inspected.
const INSPECT_LIMIT: usize = 4096;
/// Longest text that is kept, in bytes.
const LONGEST: usize = 1024;

/// The recorded parts of a statement. Reused, it allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    text: String,
    operation: String,
    collection: String,
    summary: String,
    statements: u32,
}

impl Statement {
    /// Reads a statement. Its first [`INSPECT_LIMIT`] bytes are enough. `literals`: values are
    /// kept, except in statements about passwords.
    pub(crate) fn read(&mut self, statement: &[u8], dialect: Dialect, literals: bool) {
        let statement = statement.get(..INSPECT_LIMIT).unwrap_or(statement);
        let Self { text, operation, collection, summary, statements } = self;
        let mut builder = Summary::new(operation, collection, summary);
        let mut mask = Mask::new(text, LONGEST);
        for (token, piece) in Lexer::new(statement, dialect) {
            mask.on_token(token, piece);
            builder.on_token(token, piece);
            if mask.is_full() {
                break;
            }
        }
        builder.finish();
        *statements = builder.statements;
        if literals && !is_secret(statement) {
            set_text(statement, text);
        }
    }

    /// Clears the statement and keeps its memory.
    pub(crate) fn clear(&mut self) {
        let Self { text, operation, collection, summary, statements } = self;
        [text, operation, collection, summary].into_iter().for_each(String::clear);
        *statements = 0;
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds `db.query.text`, `db.query.summary`, `db.operation.name`, `db.collection.name`, and
    /// `db.operation.batch.size` for several statements in one.
    pub(crate) fn push_attributes(&self, into: &mut Attributes) {
        let collection = if self.operation == "USE" { "" } else { &self.collection };
        let all = [
            ("db.query.text", self.text.as_str()),
            ("db.query.summary", &self.summary),
            ("db.operation.name", &self.operation),
            ("db.collection.name", collection),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .for_each(|(key, value)| into.push_text(key, value));
        if self.statements > 1 {
            into.push_int("db.operation.batch.size", i64::from(self.statements));
        }
    }

    /// The database that the statement selects (`USE`).
    pub(crate) fn database(&self) -> Option<&str> {
        (self.operation == "USE" && !self.collection.is_empty()).then_some(&self.collection)
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [&self.text, &self.operation, &self.collection, &self.summary]
            .into_iter()
            .map(String::capacity)
            .sum()
    }
}

/// Whether a password or the like may be among the values.
fn is_secret(statement: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"passw", b"pwd", b"identified", b"secret", b"crypt", b"credential"];
    let begins = |letters: (u8, u8), words: &[&[u8]]| {
        memchr2_iter(letters.0, letters.1, statement).any(|at| {
            let rest = statement.get(at..).unwrap_or_default();
            words
                .iter()
                .any(|word| rest.get(..word.len()).is_some_and(|r| r.eq_ignore_ascii_case(word)))
        })
    };
    begins((b'p', b'P'), &WORDS[..2])
        || begins((b'i', b'I'), &WORDS[2..3])
        || begins((b's', b'S'), &WORDS[3..4])
        || begins((b'c', b'C'), &WORDS[4..])
}

/// Sets the text to the statement as it is, up to `LONGEST` bytes.
fn set_text(statement: &[u8], text: &mut String) {
    text.clear();
    for chunk in statement.get(..LONGEST).unwrap_or(statement).utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() && text.len() + 3 <= LONGEST {
            text.push('\u{fffd}');
        }
    }
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
