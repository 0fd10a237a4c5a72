//! SQL dialects: the syntax of literals, identifiers and comments.

/// Syntax of literals, identifiers and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    kind: Kind,
    /// A backslash escapes in plain strings.
    pub(super) backslash: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mysql,
    Postgresql,
    Cql,
}

impl Dialect {
    /// MySQL and MariaDB: strings in either quotes, identifiers in backticks.
    pub(crate) const MYSQL: Self = Self { kind: Kind::Mysql, backslash: true };
    /// PostgreSQL: standard strings.
    pub(crate) const POSTGRESQL: Self = Self { kind: Kind::Postgresql, backslash: false };
    /// Cassandra's CQL 3: standard strings or strings between `$$`, UUIDs and durations without
    /// quotes.
    #[cfg_attr(not(test), allow(dead_code, reason = "of Cassandra"))]
    pub(crate) const CQL: Self = Self { kind: Kind::Cql, backslash: false };

    /// The same dialect with or without backslash escapes in plain strings (`NO_BACKSLASH_ESCAPES`
    /// of MySQL, `standard_conforming_strings` of PostgreSQL).
    pub(crate) const fn escaping(self, backslash: bool) -> Self {
        Self { backslash, ..self }
    }

    /// `"…"` is a string.
    pub(super) fn double_quoted_strings(self) -> bool {
        self.kind == Kind::Mysql
    }

    /// `` `…` `` is an identifier.
    pub(super) fn backticks(self) -> bool {
        self.kind == Kind::Mysql
    }

    /// `#` begins a comment, and `--` only before a space.
    pub(super) fn mysql_comments(self) -> bool {
        self.kind == Kind::Mysql
    }

    /// `//` begins a comment.
    pub(super) fn slash_comments(self) -> bool {
        self.kind == Kind::Cql
    }

    /// `/* /* */ */` is one comment.
    pub(super) fn nested_comments(self) -> bool {
        self.kind == Kind::Postgresql
    }

    /// `$tag$…$tag$` is a string.
    pub(super) fn dollar_quotes(self) -> bool {
        self.kind != Kind::Mysql
    }

    /// Identifiers may have `$` in them.
    pub(super) fn dollar_in_words(self) -> bool {
        self.kind != Kind::Cql
    }

    /// Identifiers may begin with a digit.
    pub(super) fn digit_first(self) -> bool {
        self.kind == Kind::Mysql
    }

    /// A string continues after a line break and another quote, with the same escapes.
    pub(super) fn continued_strings(self) -> bool {
        self.kind == Kind::Postgresql
    }

    /// UUIDs and ISO 8601 durations are literals.
    pub(super) fn bare_uuids(self) -> bool {
        self.kind == Kind::Cql
    }

    /// Whether `word` in front of `'` is a string prefix, and whether a backslash escapes in that
    /// string.
    pub(super) fn prefix(self, word: &[u8]) -> Option<bool> {
        let &[letter] = word else { return None };
        match (self.kind, letter.to_ascii_lowercase()) {
            (Kind::Mysql, b'n') => Some(self.backslash),
            (Kind::Mysql, b'x' | b'b') => Some(false),
            (Kind::Postgresql, b'e') => Some(true),
            (Kind::Postgresql, b'n') => Some(self.backslash),
            (Kind::Postgresql, b'x' | b'b') => Some(false),
            _ => None,
        }
    }

    /// `U&'…'` is a string and `U&"…"` an identifier.
    pub(super) fn unicode_prefix(self, word: &[u8]) -> bool {
        self.kind == Kind::Postgresql && word.eq_ignore_ascii_case(b"u")
    }
}
