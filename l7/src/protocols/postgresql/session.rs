//! What both directions of a connection share: user, database, prepared statements, portals and the
//! steps under way.

use std::sync::Arc;

use super::steps::ServerSteps;
use crate::contract::Clue;
use crate::kit::reader::first_bytes;
use crate::kit::sql::{Dialect, Statement, StatementCache};
use fact::Attributes;

/// Longest name of a user, a database or a version that is kept, in bytes.
const LONGEST_NAME: usize = 128;
/// Longest name of a statement or a portal in bytes. Longer ones are told apart by their beginning.
const LONGEST_KEY: usize = 256;

/// State of the copying that the last `Execute` may have begun. Until its end the server skips
/// every `Sync`, also one that the client sent before it knew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Copying {
    #[default]
    No,
    /// The server expects data.
    Begun,
    /// The client ended the data.
    Over,
}

/// State of a connection that both directions use.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) steps: ServerSteps,
    /// Whether the client sends what an `Execute` copies.
    pub(super) copy: Copying,
    pub(super) dialect: Dialect,
    pub(super) literals: bool,
    user: String,
    database: String,
    version: String,
    version_pushed: bool,
    /// Statements by name. The unnamed one is not among them.
    statements: StatementCache<Box<[u8]>>,
    portals: StatementCache<Box<[u8]>>,
    unnamed: Arc<Statement>,
    /// The unnamed statement before, which a portal may still hold. Its memory is reused.
    last_unnamed: Arc<Statement>,
    unnamed_portal: Option<Arc<Statement>>,
}

impl Session {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            steps: ServerSteps::default(),
            copy: Copying::default(),
            dialect: Dialect::POSTGRESQL,
            literals: clue.literals,
            user: String::new(),
            database: String::new(),
            version: String::new(),
            version_pushed: false,
            statements: StatementCache::default(),
            portals: StatementCache::default(),
            unnamed: Arc::default(),
            last_unnamed: Arc::default(),
            unnamed_portal: None,
        }
    }

    /// Sets user and database from the parameters of a `StartupMessage`: pairs of texts that end
    /// with a zero byte.
    pub(super) fn set_parameters(&mut self, parameters: &[u8]) {
        self.user.clear();
        self.database.clear();
        let mut texts = parameters.split(|b| *b == 0);
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            match name {
                b"" => break,
                b"user" => set_text(value, &mut self.user),
                b"database" => set_text(value, &mut self.database),
                _ => {}
            }
        }
        if self.database.is_empty() {
            let Self { user, database, .. } = self;
            database.push_str(user);
        }
    }

    /// A `ParameterStatus` of the server.
    pub(super) fn on_parameter_status(&mut self, body: &[u8]) {
        let mut texts = body.split(|b| *b == 0);
        match (texts.next(), texts.next()) {
            (Some(b"server_version"), Some(value)) => set_text(value, &mut self.version),
            (Some(b"standard_conforming_strings"), Some(value)) => {
                self.dialect = Dialect::POSTGRESQL.escaping(value == b"off");
            }
            _ => {}
        }
    }

    /// Adds database, user and, once, the server's version.
    pub(super) fn push_attributes(&mut self, into: &mut Attributes) {
        into.push_text("db.system.name", "postgresql");
        if !self.database.is_empty() {
            into.push_text("db.namespace", &self.database);
        }
        if !self.user.is_empty() {
            into.push_text("db.user", &self.user);
        }
        if !self.version_pushed && !self.version.is_empty() {
            self.version_pushed = true;
            into.push_text("db.server.version", &self.version);
        }
    }

    /// Stores a statement under its name.
    pub(super) fn prepare(&mut self, name: &[u8], text: &[u8]) -> Arc<Statement> {
        if name.is_empty() {
            std::mem::swap(&mut self.unnamed, &mut self.last_unnamed);
            Arc::make_mut(&mut self.unnamed).read(text, self.dialect, self.literals);
            return Arc::clone(&self.unnamed);
        }
        let mut statement = Statement::default();
        statement.read(text, self.dialect, self.literals);
        let statement = Arc::new(statement);
        self.statements.insert(key(name).into(), Arc::clone(&statement));
        statement
    }

    /// A statement by its name.
    pub(super) fn statement(&mut self, name: &[u8]) -> Option<Arc<Statement>> {
        if name.is_empty() {
            return (!self.unnamed.is_empty()).then(|| Arc::clone(&self.unnamed));
        }
        self.statements.get(key(name))
    }

    /// Binds a statement to a portal.
    pub(super) fn bind(&mut self, portal: &[u8], statement: Option<Arc<Statement>>) {
        match statement {
            _ if portal.is_empty() => self.unnamed_portal = statement,
            Some(statement) => self.portals.insert(key(portal).into(), statement),
            None => self.portals.remove(key(portal)),
        }
    }

    /// The statement of a portal.
    pub(super) fn portal(&mut self, name: &[u8]) -> Option<Arc<Statement>> {
        if name.is_empty() { self.unnamed_portal.clone() } else { self.portals.get(key(name)) }
    }

    /// Removes a statement (`S`) or a portal (`P`).
    pub(super) fn close(&mut self, kind: u8, name: &[u8]) {
        match (kind, name.is_empty()) {
            (b'S', true) => Arc::make_mut(&mut self.unnamed).clear(),
            (b'S', false) => self.statements.remove(key(name)),
            (_, true) => self.unnamed_portal = None,
            (_, false) => self.portals.remove(key(name)),
        }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.user, &self.database, &self.version]
            .into_iter()
            .map(String::capacity)
            .sum::<usize>();
        self.steps.bytes()
            + self.statements.bytes()
            + self.portals.bytes()
            + self.unnamed.bytes()
            + self.last_unnamed.bytes()
            + texts
    }
}

fn key(name: &[u8]) -> &[u8] {
    name.get(..LONGEST_KEY).unwrap_or(name)
}

fn set_text(value: &[u8], into: &mut String) {
    into.clear();
    into.push_str(&String::from_utf8_lossy(first_bytes(value, LONGEST_NAME)));
}
