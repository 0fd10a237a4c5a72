//! The client's packets: logins and commands, and what they change in the session.

use std::sync::Arc;

use super::commands::{command, is_one_way, name};
use super::handshake::Login;
use super::session::{Command, Phase, Session, set_text};
use super::values::{number, sized, text, u32_at};
use crate::correlate::{Kind, Messages, StartMark};
use crate::kit::reader::first_bytes;
use crate::kit::sql::Statement;
use fact::Attributes;

/// Pending commands up to which the text of a prepared statement is kept.
const MOST_PREPARED: usize = 512;

/// State of the client's direction.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Kind of the open message. It ends with the packet that is being read, unless that is
    /// continued.
    open: Option<Kind>,
    /// The last packet was full: the next continues it.
    continued: bool,
    simple: Statement,
}

impl Requests {
    /// The last packet ends before `at`.
    pub(super) fn on_packet_end(&mut self, at: usize, out: &mut Messages) {
        if !self.continued
            && let Some(kind) = self.open.take()
        {
            out.close(kind, 0, at);
        }
    }

    /// Bytes are missing.
    pub(super) fn on_gap(&mut self) {
        (self.open, self.continued) = (None, false);
    }

    /// A packet, of which `payload` has the first bytes. `more`: the next one continues it.
    ///
    /// Returns false if a client cannot send it now.
    pub(super) fn on_packet(
        &mut self,
        session: &mut Session,
        (sequence, length, more): (u8, usize, bool),
        payload: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        if std::mem::replace(&mut self.continued, more) {
            if let Some(waiting) = session.pending.back_mut().filter(|_| self.open.is_some()) {
                waiting.next_sequence = sequence.wrapping_add(1);
            }
            return true;
        }
        if session.infile {
            session.infile = length > 0;
            return true;
        }
        match session.phase {
            Phase::Login | Phase::Greeting => {
                self.on_login(session, sequence, (length, payload), start, out)
            }
            Phase::Authentication => true,
            Phase::Commands if session.streams || sequence != 0 && !session.compressed => true,
            Phase::Commands => self.on_command(session, sequence, payload, start, out),
        }
    }

    fn on_login(
        &mut self,
        session: &mut Session,
        sequence: u8,
        (length, payload): (usize, &[u8]),
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        let Some(login) = Login::read(payload, length) else { return false };
        let login = session.server_capabilities.common(login);
        session.on_login(&login);
        session.deprecates_eof = Some(login.deprecates_eof());
        session.query_attributes = Some(login.has_query_attributes());
        session.will_compress = login.compresses();
        session.phase = Phase::Authentication;
        let entry = out.open_at(Kind::Request, 0, start);
        entry.notes.errors_only = true;
        entry.exchange.operation.push_str("COM_CONNECT");
        session.push_attributes(true, &mut entry.exchange.attributes);
        self.push_pending(session, command::CONNECT, sequence);
        true
    }

    fn on_command(
        &mut self,
        session: &mut Session,
        sequence: u8,
        payload: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        let Some((&code, body)) = payload.split_first() else { return false };
        let Some(name) = name(code) else { return false };
        let kind = if is_one_way(code) { Kind::OneWay } else { Kind::Request };
        let exchange = &mut out.open_at(kind, 0, start).exchange;
        exchange.operation.push_str(name);
        let names_database =
            matches!(code, command::INIT_DB | command::CREATE_DB | command::DROP_DB);
        session.push_attributes(!names_database, &mut exchange.attributes);
        session.push_server(&mut exchange.attributes);
        self.open = Some(kind);
        if kind == Kind::Request {
            self.push_pending(session, code, sequence);
        }
        self.push_command_attributes(session, code, body, &mut exchange.attributes);
        true
    }

    /// Queues a request for its response.
    fn push_pending(&mut self, session: &mut Session, code: u8, sequence: u8) {
        self.open = Some(Kind::Request);
        let next_sequence = sequence.wrapping_add(1);
        session.push_pending(Command { code, next_sequence, statement: None, database: None });
    }

    /// Adds statement or database of a command to its attributes.
    fn push_command_attributes(
        &mut self,
        session: &mut Session,
        code: u8,
        body: &[u8],
        into: &mut Attributes,
    ) {
        let Session { dialect, literals, query_attributes, .. } = *session;
        match code {
            command::QUERY => {
                let Some(statement) = without_attributes(body, query_attributes) else { return };
                self.simple.read(statement, dialect, literals);
                self.simple.push_attributes(into);
                if let (Some(database), Some(waiting)) =
                    (self.simple.database(), session.pending.back_mut())
                {
                    waiting.database = Some(database.to_owned());
                }
            }
            command::STMT_PREPARE => {
                let mut statement = Statement::default();
                statement.read(body, dialect, literals);
                statement.push_attributes(into);
                let statement = Arc::new(statement);
                session.last = Some(Arc::clone(&statement));
                if session.pending.len() <= MOST_PREPARED
                    && let Some(waiting) = session.pending.back_mut()
                {
                    waiting.statement = Some(statement);
                }
            }
            command::STMT_EXECUTE
            | command::STMT_BULK_EXECUTE
            | command::STMT_FETCH
            | command::STMT_RESET
            | command::STMT_SEND_LONG_DATA
            | command::STMT_CLOSE => {
                let Some(id) = u32_at(body, 0) else { return };
                let statement =
                    if id == u32::MAX { session.last.clone() } else { session.statements.get(&id) };
                if let Some(statement) = statement {
                    statement.push_attributes(into);
                }
                if code == command::STMT_CLOSE {
                    session.statements.remove(&id);
                }
            }
            command::INIT_DB => {
                let mut name = String::new();
                set_text(body, &mut name);
                into.push_text("db.namespace", &name);
                if let Some(waiting) = session.pending.back_mut() {
                    waiting.database = Some(name);
                }
            }
            command::CREATE_DB | command::DROP_DB => {
                into.push_bytes("db.namespace", first_bytes(body, 128));
            }
            command::FIELD_LIST => {
                let table = text(body).map_or(body, |(table, _)| table);
                into.push_bytes("db.collection.name", first_bytes(table, 128));
            }
            command::CHANGE_USER => {
                if let Some(login) = Login::read_change_user(body) {
                    session.on_login(&login);
                }
            }
            _ => {}
        }
    }
}

/// The statement behind the attributes that may precede a query (MySQL 8.0.23). None if they cannot
/// be read.
fn without_attributes(body: &[u8], possible: Option<bool>) -> Option<&[u8]> {
    match possible {
        Some(false) => return Some(body),
        None if !matches!(body, [0, 1, ..]) => return Some(body),
        _ => {}
    }
    let (count, rest) = number(body)?;
    let (_, mut rest) = number(rest)?;
    if count == 0 {
        return Some(rest);
    }
    let count = usize::try_from(count).ok().filter(|count| *count <= 64)?;
    let nulls = rest.get(..count.div_ceil(8))?;
    rest = rest.get(nulls.len() + 1..)?;
    let mut types = [0u8; 64];
    for kind in types.get_mut(..count)? {
        *kind = *rest.first()?;
        rest = sized(rest.get(2..)?)?.1;
    }
    for (n, kind) in types.get(..count)?.iter().enumerate() {
        if nulls.get(n / 8)? >> (n % 8) & 1 == 1 {
            continue;
        }
        rest = match kind {
            0x01 => rest.get(1..)?,
            0x02 | 0x0d => rest.get(2..)?,
            0x03 | 0x04 | 0x09 => rest.get(4..)?,
            0x05 | 0x08 => rest.get(8..)?,
            0x06 => rest,
            0x07 | 0x0a | 0x0b | 0x0c => rest.get(1 + usize::from(*rest.first()?)..)?,
            _ => sized(rest)?.1,
        };
    }
    Some(rest)
}
