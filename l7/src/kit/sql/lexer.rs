//! Splits a statement into tokens.

use memchr::{memchr, memchr2, memmem};

use super::Dialect;
use super::numbers::{duration, number, uuid};

/// Kind of a piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// White space or a comment.
    Space,
    /// A keyword or a bare identifier.
    Word,
    /// A quoted identifier.
    Quoted,
    /// A value, whole or cut.
    Literal,
    /// A parameter.
    Placeholder,
    /// Anything else, one character; also the brackets of a comment that MySQL executes.
    Mark,
}

/// Splits a statement into tokens. Every byte belongs to exactly one.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    dialect: Dialect,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Kind and length of the token that begins here with `first`.
    fn token(&self, first: u8) -> (Token, usize) {
        let rest = self.rest();
        if let Some(length) = self.space(rest) {
            return (Token::Space, length);
        }
        let dialect = self.dialect;
        if dialect.bare_uuids()
            && let Some(length) = uuid(rest).or_else(|| duration(rest))
        {
            return (Token::Literal, length);
        }
        match first {
            b'\'' => (Token::Literal, self.string(1, dialect.backslash)),
            b'"' if dialect.double_quoted_strings() => {
                (Token::Literal, quoted(rest, 1, b'"', dialect.backslash).unwrap_or(rest.len()))
            }
            b'"' => self.identifier(0, b'"'),
            b'`' if dialect.backticks() => self.identifier(0, b'`'),
            b'$' if dialect.dollar_quotes() => dollar(rest),
            b'?' => (Token::Placeholder, 1),
            b'/' if dialect.mysql_comments() && executed(rest) > 0 => (Token::Mark, executed(rest)),
            b'0'..=b'9' => self.number(),
            b'.' if !self.after_name() && self.peek(1).is_some_and(|b| b.is_ascii_digit()) => {
                self.number()
            }
            _ if self.is_word(first) => self.word(),
            _ => (Token::Mark, 1),
        }
    }

    /// Length of white space or of a comment.
    fn space(&self, rest: &[u8]) -> Option<usize> {
        let line = |from: usize| Some(memchr(b'\n', rest).map_or(rest.len(), |end| end.max(from)));
        let dialect = self.dialect;
        match rest {
            [0..=b' ', ..] => Some(rest.iter().take_while(|b| **b <= b' ').count()),
            [b'-', b'-', ..] if !dialect.mysql_comments() => line(2),
            [b'-', b'-', 0..=b' ', ..] => line(2),
            [b'#', ..] if dialect.mysql_comments() => line(1),
            [b'/', b'/', ..] if dialect.slash_comments() => line(2),
            [b'/', b'*', ..] if !dialect.mysql_comments() || executed(rest) == 0 => {
                Some(comment(rest, dialect.nested_comments()))
            }
            _ => None,
        }
    }

    /// Length of a string whose quote is before `from`, with the strings that continue it.
    fn string(&self, from: usize, backslash: bool) -> usize {
        let rest = self.rest();
        let mut from = from;
        loop {
            let Some(end) = quoted(rest, from, b'\'', backslash) else { return rest.len() };
            match self.continued(rest, end) {
                Some(next) if self.dialect.continued_strings() => from = next,
                _ => return end,
            }
        }
    }

    /// Where the string that ended at `end` continues: behind a quote on a later line.
    fn continued(&self, rest: &[u8], end: usize) -> Option<usize> {
        let mut at = end;
        let mut broken = false;
        loop {
            match rest.get(at..)? {
                [b'\'', ..] => return broken.then_some(at + 1),
                [b'-', b'-', ..] => at += memchr(b'\n', &rest[at..])?,
                [b @ 0..=b' ', ..] => {
                    broken |= matches!(b, b'\n' | b'\r');
                    at += 1;
                }
                _ => return None,
            }
        }
    }

    /// A quoted identifier. One without an end may be anything, and counts as a value.
    fn identifier(&self, before: usize, quote: u8) -> (Token, usize) {
        match quoted(self.rest(), before + 1, quote, false) {
            Some(end) => (Token::Quoted, end),
            None => (Token::Literal, self.rest().len()),
        }
    }

    fn number(&self) -> (Token, usize) {
        match number(self.rest(), self.dialect) {
            Some(length) => (Token::Literal, length),
            None => self.word(),
        }
    }

    fn word(&self) -> (Token, usize) {
        let rest = self.rest();
        let length = rest.iter().take_while(|b| self.is_word(**b)).count().max(1);
        let (word, behind) = rest.split_at(length.min(rest.len()));
        match behind {
            [b'\'', ..] if let Some(backslash) = self.dialect.prefix(word) => {
                (Token::Literal, self.string(length + 1, backslash))
            }
            [b'&', b'\'', ..] if self.dialect.unicode_prefix(word) => {
                (Token::Literal, self.string(length + 2, false))
            }
            [b'&', b'"', ..] if self.dialect.unicode_prefix(word) => {
                self.identifier(length + 1, b'"')
            }
            _ => (Token::Word, length),
        }
    }

    fn is_word(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || byte == b'_'
            || byte >= 0x80
            || byte == b'$' && self.dialect.dollar_in_words()
    }

    /// Whether an identifier is right before, so that a point belongs to it.
    fn after_name(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
        before.is_some_and(|b| self.is_word(*b) || matches!(b, b'"' | b'`' | b'.'))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = (Token, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.peek(0)?;
        let (token, length) = self.token(first);
        let piece = self.rest();
        let piece = piece.get(..length).unwrap_or(piece);
        self.at += piece.len().max(1);
        Some((token, piece))
    }
}

/// End of what begins before `from` with `quote`: behind the next quote that is neither doubled nor
/// escaped.
fn quoted(rest: &[u8], from: usize, quote: u8, backslash: bool) -> Option<usize> {
    let mut at = from;
    loop {
        let here = rest.get(at..)?;
        let found = if backslash { memchr2(quote, b'\\', here)? } else { memchr(quote, here)? };
        at += found + 1;
        let escapes = backslash && rest.get(at - 1) == Some(&b'\\');
        if escapes || rest.get(at) == Some(&quote) {
            at += 1;
        } else {
            return Some(at);
        }
    }
}

/// Length of the comment that begins here. One without an end takes everything.
fn comment(rest: &[u8], nested: bool) -> usize {
    let mut depth = 1u32;
    let mut at = 2;
    while let Some(found) = memchr2(b'*', b'/', rest.get(at..).unwrap_or_default()) {
        at += found;
        match rest.get(at..at + 2) {
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            Some(b"/*") if nested => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of the beginning of a comment that MySQL (`/*!50000`) or MariaDB (`/*M!100100`) executes;
/// 0 for any other.
fn executed(rest: &[u8]) -> usize {
    let begin = match rest {
        [b'/', b'*', b'!', ..] => 3,
        [b'/', b'*', b'M', b'!', ..] => 4,
        _ => return 0,
    };
    begin + rest.iter().skip(begin).take(6).take_while(|b| b.is_ascii_digit()).count()
}

/// `$1`, or a string between `$tag$`.
fn dollar(rest: &[u8]) -> (Token, usize) {
    let name = rest
        .iter()
        .skip(1)
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80)
        .count();
    let digit = rest.get(1).is_some_and(u8::is_ascii_digit);
    if digit {
        let digits = rest.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
        return (Token::Placeholder, 1 + digits);
    }
    if rest.get(1 + name) != Some(&b'$') {
        return (Token::Mark, 1);
    }
    let (tag, body) = rest.split_at(name + 2);
    let end = memmem::find(body, tag).map_or(rest.len(), |at| at + 2 * tag.len());
    (Token::Literal, end)
}
