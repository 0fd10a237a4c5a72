//! What both directions of a connection share: phase, user, database, prepared statements and the
//! commands that wait for a response.

use std::collections::VecDeque;
use std::sync::Arc;

use super::handshake::{Greeting, Login, ServerCapabilities};
use crate::contract::Clue;
use crate::kit::reader::first_bytes;
use crate::kit::sql::{Dialect, Statement, StatementCache};
use fact::Attributes;

/// Longest name of a user, a database, a version or a plugin that is kept, in bytes.
const LONGEST_NAME: usize = 128;
/// Most commands that wait for their response.
const MOST_PENDING: usize = 8 * 1024;

/// Phase of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The server's first packet comes next.
    Greeting,
    /// The client's first packet comes next.
    Login,
    /// Until the server accepts or refuses the login.
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
    /// Statement that is being prepared.
    pub(super) statement: Option<Arc<Statement>>,
    /// Database that the command selects.
    pub(super) database: Option<String>,
}

/// State of a connection that both directions use.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) dialect: Dialect,
    pub(super) literals: bool,
    pub(super) server_capabilities: ServerCapabilities,
    /// Definitions end without an `EOF_Packet`. None if the login was not seen.
    pub(super) deprecates_eof: Option<bool>,
    /// Queries may begin with attributes. None if the login was not seen.
    pub(super) query_attributes: Option<bool>,
    /// The login agreed on compression.
    pub(super) will_compress: bool,
    pub(super) compressed: bool,
    /// The client sends a file.
    pub(super) infile: bool,
    /// The server sends the binary log, which never ends.
    pub(super) streams: bool,
    pub(super) pending: VecDeque<Command>,
    pub(super) statements: StatementCache<u32>,
    /// The statement prepared last, which MariaDB calls number -1.
    pub(super) last: Option<Arc<Statement>>,
    mariadb: bool,
    version: String,
    plugin: String,
    user: String,
    pub(super) database: String,
    server_pushed: bool,
}

impl Session {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            phase: Phase::Commands,
            dialect: Dialect::MYSQL,
            literals: clue.literals,
            server_capabilities: ServerCapabilities::default(),
            deprecates_eof: None,
            query_attributes: None,
            will_compress: false,
            compressed: false,
            infile: false,
            streams: false,
            pending: VecDeque::new(),
            statements: StatementCache::default(),
            last: None,
            mariadb: false,
            version: String::new(),
            plugin: String::new(),
            user: String::new(),
            database: String::new(),
            server_pushed: false,
        }
    }

    pub(super) fn on_greeting(&mut self, greeting: &Greeting<'_>) {
        // MariaDB 10 has this prefix for replicas that would otherwise take it for an old MySQL.
        let version = greeting.version.strip_prefix(b"5.5.5-").unwrap_or(greeting.version);
        self.mariadb = memchr::memmem::find(version, b"MariaDB").is_some();
        set_text(version, &mut self.version);
        set_text(greeting.plugin, &mut self.plugin);
        self.server_capabilities = ServerCapabilities::by(greeting);
    }

    pub(super) fn on_login(&mut self, login: &Login<'_>) {
        set_text(login.user, &mut self.user);
        set_text(login.database, &mut self.database);
        if !login.plugin.is_empty() {
            set_text(login.plugin, &mut self.plugin);
        }
    }

    /// `AuthSwitchRequest`: the server requests another plugin.
    pub(super) fn on_auth_switch(&mut self, plugin: &[u8]) {
        set_text(plugin, &mut self.plugin);
    }

    pub(super) fn push_pending(&mut self, command: Command) {
        if self.pending.len() >= MOST_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(command);
    }

    /// Adds the attributes of every command. The database is left out if the command names one.
    pub(super) fn push_attributes(&mut self, database: bool, into: &mut Attributes) {
        into.push_text("db.system.name", if self.mariadb { "mariadb" } else { "mysql" });
        if database && !self.database.is_empty() {
            into.push_text("db.namespace", &self.database);
        }
        if !self.user.is_empty() {
            into.push_text("db.user", &self.user);
        }
    }

    /// Adds the server's version and plugin to the first command.
    pub(super) fn push_server(&mut self, into: &mut Attributes) {
        if std::mem::replace(&mut self.server_pushed, true) || self.version.is_empty() {
            return;
        }
        into.push_text("db.server.version", &self.version);
        if !self.plugin.is_empty() {
            into.push_text("db.mysql.auth_plugin", &self.plugin);
        }
    }

    /// Removes the prepared statements.
    pub(super) fn reset(&mut self) {
        self.statements.clear();
        self.last = None;
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.version, &self.plugin, &self.user, &self.database];
        let waiting = self.pending.iter().map(|command| {
            let statement =
                command.statement.as_ref().map_or(0, |s| size_of::<Statement>() + s.bytes());
            statement + command.database.as_ref().map_or(0, String::capacity)
        });
        self.statements.bytes()
            + self.pending.capacity() * size_of::<Command>()
            + waiting.sum::<usize>()
            + texts.into_iter().map(String::capacity).sum::<usize>()
    }
}

pub(super) fn set_text(value: &[u8], into: &mut String) {
    into.clear();
    into.push_str(&String::from_utf8_lossy(first_bytes(value, LONGEST_NAME)));
}
