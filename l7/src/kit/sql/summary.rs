//! The summary of a statement: operations and tables in order.

use super::lexer::Token;

/// Longest summary in bytes, as the conventions recommend.
const LONGEST: usize = 255;

/// What the next name is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// Nothing of interest.
    #[default]
    Other,
    /// A table or whatever else is acted on.
    Target,
    /// More of that name: after a point.
    More,
    /// A point, which continues the name, or the end of it.
    Point,
}

/// Collects the verbs and targets of a statement.
#[derive(Debug)]
pub(super) struct Summary<'o> {
    pub(super) operation: &'o mut String,
    pub(super) collection: &'o mut String,
    pub(super) summary: &'o mut String,
    /// Statements begun.
    pub(super) statements: u32,
    targets: u32,
    next: Next,
    /// No token of this statement was seen.
    fresh: bool,
    /// The first verb is still to come (after `WITH`).
    verb_wanted: bool,
    verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Data,
    /// `CREATE`, `ALTER`, `DROP`: what it is about follows.
    Definition,
    Other,
}

impl<'o> Summary<'o> {
    pub(super) fn new(
        operation: &'o mut String,
        collection: &'o mut String,
        summary: &'o mut String,
    ) -> Self {
        operation.clear();
        collection.clear();
        summary.clear();
        Self {
            operation,
            collection,
            summary,
            statements: 0,
            targets: 0,
            next: Next::Other,
            fresh: true,
            verb_wanted: true,
            verb: Verb::Other,
        }
    }

    /// Takes the next token.
    pub(super) fn token(&mut self, token: Token, piece: &[u8]) {
        match token {
            Token::Space => {}
            Token::Word | Token::Quoted if matches!(self.next, Next::Target | Next::More) => {
                self.name(token, piece);
            }
            Token::Word => {
                self.next = Next::Other;
                self.word(piece);
            }
            Token::Mark if piece == b"." && self.next == Next::Point => {
                self.next = Next::More;
                self.add_target(".", false);
            }
            Token::Mark if piece == b";" => {
                self.fresh = true;
                self.next = Next::Other;
            }
            Token::Mark if piece == b"," && self.next == Next::Point && self.verb == Verb::Data => {
                self.next = Next::Target;
            }
            _ => self.next = Next::Other,
        }
    }

    /// The one collection that the statement is about; none if there are several.
    pub(super) fn settle(&mut self) {
        if self.targets != 1 {
            self.collection.clear();
        }
        if self.summary.ends_with('.') {
            self.summary.pop();
        }
        if self.collection.ends_with('.') {
            self.collection.pop();
        }
    }

    fn word(&mut self, word: &[u8]) {
        let mut upper = [0u8; 24];
        let Some(upper) = upper.get_mut(..word.len()) else {
            self.begin_other();
            return;
        };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        let Ok(upper) = std::str::from_utf8(upper) else { return self.begin_other() };
        if self.fresh {
            self.fresh = false;
            self.statements += 1;
            self.verb_wanted = upper == "WITH";
            if !self.verb_wanted {
                return self.begin(upper);
            }
            return;
        }
        let data = matches!(upper, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE");
        match upper {
            _ if data && self.verb_wanted => {
                self.verb_wanted = false;
                self.begin(upper);
            }
            "SELECT" => self.add(upper),
            "FROM" | "INTO" | "JOIN" | "USING" if self.verb == Verb::Data => self.next = Next::Target,
            "TABLE" | "INDEX" | "VIEW" | "DATABASE" | "SCHEMA" | "PROCEDURE" | "FUNCTION" | "TRIGGER"
            | "USER" | "ROLE" | "SEQUENCE" | "KEYSPACE" | "TYPE" | "EXTENSION"
                if self.verb == Verb::Definition =>
            {
                self.add(upper);
                self.verb = Verb::Other;
                self.next = Next::Target;
            }
            _ => {}
        }
    }

    fn begin_other(&mut self) {
        if std::mem::take(&mut self.fresh) {
            self.statements += 1;
            self.verb = Verb::Other;
        }
    }

    /// A statement begins with this verb.
    fn begin(&mut self, verb: &str) {
        if self.operation.is_empty() {
            self.operation.push_str(verb);
        }
        self.add(verb);
        (self.verb, self.next) = match verb {
            "SELECT" | "INSERT" | "DELETE" | "REPLACE" | "MERGE" => (Verb::Data, Next::Other),
            "UPDATE" => (Verb::Data, Next::Target),
            "CREATE" | "ALTER" | "DROP" => (Verb::Definition, Next::Other),
            "TRUNCATE" | "CALL" | "COPY" | "DESCRIBE" | "DESC" | "USE" | "LOCK" => {
                (Verb::Other, Next::Target)
            }
            _ => (Verb::Other, Next::Other),
        };
    }

    /// A name where a target is expected; words that only stand before it are passed over.
    fn name(&mut self, token: Token, piece: &[u8]) {
        const BEFORE: [&[u8]; 12] = [
            b"IF",
            b"NOT",
            b"EXISTS",
            b"TABLE",
            b"TABLES",
            b"ONLY",
            b"INTO",
            b"LATERAL",
            b"CONCURRENTLY",
            b"IGNORE",
            b"LOW_PRIORITY",
            b"OR",
        ];
        const NONE: [&[u8]; 6] = [b"SELECT", b"VALUES", b"SET", b"OUTFILE", b"DUMPFILE", b"FROM"];
        let is_in =
            |list: &[&[u8]]| token == Token::Word && list.iter().any(|word| piece.eq_ignore_ascii_case(word));
        if self.next == Next::Target {
            if is_in(&BEFORE) {
                return;
            }
            if is_in(&NONE) {
                self.next = Next::Other;
                return self.word(piece);
            }
            self.targets += 1;
        }
        let first = self.next == Next::Target;
        self.next = Next::Point;
        let quoted = token == Token::Quoted && piece.len() >= 2;
        let inner = if quoted { piece.get(1..piece.len() - 1).unwrap_or(piece) } else { piece };
        match std::str::from_utf8(inner) {
            Ok(name) => self.add_target(name, first),
            Err(_) => self.add_target(&String::from_utf8_lossy(inner), first),
        }
    }

    fn add_target(&mut self, name: &str, first: bool) {
        if first {
            self.add(name);
        } else if self.summary.len() + name.len() <= LONGEST {
            self.summary.push_str(name);
        }
        if self.targets == 1 && self.collection.len() + name.len() <= LONGEST {
            self.collection.push_str(name);
        }
    }

    fn add(&mut self, word: &str) {
        if self.summary.len() + 1 + word.len() > LONGEST {
            return;
        }
        if !self.summary.is_empty() {
            self.summary.push(' ');
        }
        self.summary.push_str(word);
    }
}
