//! What a connection remembers: database, user, prepared statements.

use std::collections::VecDeque;
use std::sync::Arc;

use super::handshake::{Greeting, LogIn, Offered};
use crate::contract::Clue;
use crate::kit::reader::first_bytes;
use crate::kit::sql::{Dialect, Remembered, Statement};
use fact::Attributes;

/// Longest name of a user, a database, a version or a plugin that is kept, in bytes.
const LONGEST_NAME: usize = 128;
/// Most commands that wait for their response.
const MOST_PENDING: usize = 8 * 1024;

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The server's first packet is to come.
    Greeting,
    /// The client's is.
    LogIn,
    /// Until the server accepts or refuses.
    Authentication,
    /// Commands and their responses.
    Commands,
}

/// A command that waits for its response.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) code: u8,
    /// Sequence number of the response's first packet.
    pub(super) next_sequence: u8,
    /// What is being prepared.
    pub(super) statement: Option<Arc<Statement>>,
    /// Database to be used from then on.
    pub(super) database: Option<String>,
}

/// What both directions of a connection know.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) dialect: Dialect,
    pub(super) literals: bool,
    pub(super) offered: Offered,
    /// Definitions end without a packet that says so; unknown where the log-in was not seen.
    pub(super) no_eof: Option<bool>,
    /// Queries may have attributes in front; unknown where the log-in was not seen.
    pub(super) query_attributes: Option<bool>,
    /// The log-in asked for compression.
    pub(super) will_compress: bool,
    pub(super) compressed: bool,
    /// The client sends a file.
    pub(super) infile: bool,
    /// The server sends the binary log, which goes on for ever.
    pub(super) streams: bool,
    pub(super) pending: VecDeque<Command>,
    pub(super) statements: Remembered<u32>,
    /// The statement prepared last, which MariaDB calls number -1.
    pub(super) last: Option<Arc<Statement>>,
    mariadb: bool,
    version: String,
    plugin: String,
    user: String,
    pub(super) database: String,
    version_told: bool,
}

impl Session {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            phase: Phase::Commands,
            dialect: Dialect::MYSQL,
            literals: clue.literals,
            offered: Offered::default(),
            no_eof: None,
            query_attributes: None,
            will_compress: false,
            compressed: false,
            infile: false,
            streams: false,
            pending: VecDeque::new(),
            statements: Remembered::default(),
            last: None,
            mariadb: false,
            version: String::new(),
            plugin: String::new(),
            user: String::new(),
            database: String::new(),
            version_told: false,
        }
    }

    pub(super) fn greet(&mut self, greeting: &Greeting<'_>) {
        // MariaDB 10 puts it there for replicas that would take it for an old MySQL.
        let version = greeting.version.strip_prefix(b"5.5.5-").unwrap_or(greeting.version);
        self.mariadb = memchr::memmem::find(version, b"MariaDB").is_some();
        keep(version, &mut self.version);
        keep(greeting.plugin, &mut self.plugin);
        self.offered = Offered::by(greeting);
    }

    pub(super) fn log_in(&mut self, login: &LogIn<'_>) {
        keep(login.user, &mut self.user);
        keep(login.database, &mut self.database);
        if !login.plugin.is_empty() {
            keep(login.plugin, &mut self.plugin);
        }
    }

    /// The server wants another way of authentication.
    pub(super) fn switch(&mut self, plugin: &[u8]) {
        keep(plugin, &mut self.plugin);
    }

    pub(super) fn wait_for(&mut self, command: Command) {
        if self.pending.len() >= MOST_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(command);
    }

    /// What is told of every command; the database unless the command names one.
    pub(super) fn tell(&mut self, database: bool, into: &mut Attributes) {
        into.push_text("db.system.name", if self.mariadb { "mariadb" } else { "mysql" });
        if database && !self.database.is_empty() {
            into.push_text("db.namespace", &self.database);
        }
        if !self.user.is_empty() {
            into.push_text("db.user", &self.user);
        }
    }

    /// What the log-in said, which is told once.
    pub(super) fn tell_server(&mut self, into: &mut Attributes) {
        if std::mem::replace(&mut self.version_told, true) || self.version.is_empty() {
            return;
        }
        into.push_text("db.server.version", &self.version);
        if !self.plugin.is_empty() {
            into.push_text("db.mysql.auth_plugin", &self.plugin);
        }
    }

    /// Statements are gone, and what else belonged to the user.
    pub(super) fn reset(&mut self) {
        self.statements.clear();
        self.last = None;
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.version, &self.plugin, &self.user, &self.database];
        let waiting = self.pending.iter().map(|command| {
            let statement = command.statement.as_ref().map_or(0, |s| size_of::<Statement>() + s.bytes());
            statement + command.database.as_ref().map_or(0, String::capacity)
        });
        self.statements.bytes()
            + self.pending.capacity() * size_of::<Command>()
            + waiting.sum::<usize>()
            + texts.into_iter().map(String::capacity).sum::<usize>()
    }
}

pub(super) fn keep(value: &[u8], into: &mut String) {
    into.clear();
    into.push_str(&String::from_utf8_lossy(first_bytes(value, LONGEST_NAME)));
}
