//! Masks a statement: `?` in place of its literals.

use super::lexer::Token;

/// Position in the list behind `IN`, of which only the first value is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    Outside,
    /// `IN` was the last word.
    In,
    /// A value may come first.
    Open,
    /// A value was written.
    Value,
    /// A comma is held back.
    Comma,
}

/// Writes a statement with `?` for every literal, and one space for every stretch of space and
/// comments, up to a limit.
#[derive(Debug)]
pub(super) struct Mask<'o> {
    out: &'o mut String,
    limit: usize,
    full: bool,
    space: bool,
    list: List,
}

impl<'o> Mask<'o> {
    pub(super) fn new(out: &'o mut String, limit: usize) -> Self {
        out.clear();
        Self { out, limit, full: false, space: false, list: List::Outside }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Processes the next token.
    pub(super) fn on_token(&mut self, token: Token, piece: &[u8]) {
        if token == Token::Space {
            self.space = true;
            return;
        }
        let value = matches!(token, Token::Literal | Token::Placeholder);
        let sign = matches!(piece, b"-" | b"+");
        self.list = match (self.list, piece) {
            (_, word) if token == Token::Word && word.eq_ignore_ascii_case(b"in") => {
                self.write_comma();
                List::In
            }
            (List::In, b"(") => List::Open,
            (List::Open, _) if value => List::Value,
            (List::Value, b",") => {
                self.space = false;
                self.list = List::Comma;
                return;
            }
            (List::Comma, _) if value || sign => {
                self.space = false;
                self.list = if value { List::Value } else { List::Comma };
                return;
            }
            (List::Open, _) if sign => {
                self.space = false;
                return;
            }
            _ => {
                self.write_comma();
                List::Outside
            }
        };
        match token {
            Token::Literal => self.push("?"),
            _ => match std::str::from_utf8(piece) {
                Ok(text) => self.push(text),
                Err(_) => self.push(&String::from_utf8_lossy(piece)),
            },
        }
    }

    /// Writes the comma that was held back.
    fn write_comma(&mut self) {
        if self.list == List::Comma {
            let space = std::mem::take(&mut self.space);
            self.push(",");
            self.space = space;
        }
    }

    fn push(&mut self, text: &str) {
        // After `--` a space would turn what follows into a comment.
        let space =
            std::mem::take(&mut self.space) && !self.out.is_empty() && !self.out.ends_with("--");
        self.full |= self.out.len() + text.len() + usize::from(space) > self.limit;
        if self.full {
            return;
        }
        if space {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }
}
