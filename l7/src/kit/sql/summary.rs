//! The summary of a statement (OpenTelemetry's `db.query.summary`): operations and tables in order.

use super::lexer::Token;

/// Longest summary in bytes, as the conventions recommend.
const LONGEST: usize = 255;

/// What the next token can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    /// Nothing of interest.
    #[default]
    Other,
    /// The name of a table, or of what else is acted on.
    Target,
    /// The next part of that name, after a point.
    More,
    /// A point, which continues the name, or the end of the name.
    Point,
}

/// Collects the verbs and targets of a statement.
#[derive(Debug)]
pub(super) struct Summary<'o> {
    pub(super) operation: &'o mut String,
    pub(super) collection: &'o mut String,
    pub(super) summary: &'o mut String,
    /// Statements that began.
    pub(super) statements: u32,
    targets: u32,
    expected: Expected,
    /// The next word begins a statement.
    at_beginning: bool,
    /// The first verb is still to come (after `WITH`).
    verb_expected: bool,
    verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Data,
    /// `CREATE`, `ALTER`, `DROP`: the type of the target follows.
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
            expected: Expected::Other,
            at_beginning: true,
            verb_expected: true,
            verb: Verb::Other,
        }
    }

    /// Processes the next token.
    pub(super) fn on_token(&mut self, token: Token, piece: &[u8]) {
        match token {
            Token::Space => {}
            Token::Word | Token::Quoted
                if matches!(self.expected, Expected::Target | Expected::More) =>
            {
                self.on_target_name(token, piece);
            }
            Token::Word => {
                self.expected = Expected::Other;
                self.on_word(piece);
            }
            Token::Mark if piece == b"." && self.expected == Expected::Point => {
                self.expected = Expected::More;
                self.add_target(".", false);
            }
            Token::Mark if piece == b";" => {
                self.at_beginning = true;
                self.expected = Expected::Other;
            }
            Token::Mark
                if piece == b"," && self.expected == Expected::Point && self.verb == Verb::Data =>
            {
                self.expected = Expected::Target;
            }
            _ => self.expected = Expected::Other,
        }
    }

    /// The end of the text: keeps the collection if there is exactly one.
    pub(super) fn finish(&mut self) {
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

    /// A word that is no name.
    fn on_word(&mut self, word: &[u8]) {
        let mut upper = [0u8; 24];
        let Some(upper) = upper.get_mut(..word.len()) else {
            self.on_other_word();
            return;
        };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        let Ok(upper) = std::str::from_utf8(upper) else { return self.on_other_word() };
        if self.at_beginning {
            self.at_beginning = false;
            self.statements += 1;
            self.verb_expected = upper == "WITH";
            if !self.verb_expected {
                return self.on_verb(upper);
            }
            return;
        }
        let data = matches!(upper, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE");
        match upper {
            _ if data && self.verb_expected => {
                self.verb_expected = false;
                self.on_verb(upper);
            }
            "SELECT" => self.add(upper),
            "FROM" | "INTO" | "JOIN" | "USING" if self.verb == Verb::Data => {
                self.expected = Expected::Target
            }
            "TABLE" | "INDEX" | "VIEW" | "DATABASE" | "SCHEMA" | "PROCEDURE" | "FUNCTION"
            | "TRIGGER" | "USER" | "ROLE" | "SEQUENCE" | "KEYSPACE" | "TYPE" | "EXTENSION"
                if self.verb == Verb::Definition =>
            {
                self.add(upper);
                self.verb = Verb::Other;
                self.expected = Expected::Target;
            }
            _ => {}
        }
    }

    /// A word that is no known verb.
    fn on_other_word(&mut self) {
        if std::mem::take(&mut self.at_beginning) {
            self.statements += 1;
            self.verb = Verb::Other;
        }
    }

    /// A statement begins with this verb.
    fn on_verb(&mut self, verb: &str) {
        if self.operation.is_empty() {
            self.operation.push_str(verb);
        }
        self.add(verb);
        (self.verb, self.expected) = match verb {
            "SELECT" | "INSERT" | "DELETE" | "REPLACE" | "MERGE" => (Verb::Data, Expected::Other),
            "UPDATE" => (Verb::Data, Expected::Target),
            "CREATE" | "ALTER" | "DROP" => (Verb::Definition, Expected::Other),
            "TRUNCATE" | "CALL" | "COPY" | "DESCRIBE" | "DESC" | "USE" | "LOCK" => {
                (Verb::Other, Expected::Target)
            }
            _ => (Verb::Other, Expected::Other),
        };
    }

    /// A name where a target is expected. Words that may precede it are skipped.
    fn on_target_name(&mut self, token: Token, piece: &[u8]) {
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
        let is_in = |list: &[&[u8]]| {
            token == Token::Word && list.iter().any(|word| piece.eq_ignore_ascii_case(word))
        };
        if self.expected == Expected::Target {
            if is_in(&BEFORE) {
                return;
            }
            if is_in(&NONE) {
                self.expected = Expected::Other;
                return self.on_word(piece);
            }
            self.targets += 1;
        }
        let first = self.expected == Expected::Target;
        self.expected = Expected::Point;
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
