use super::commands::command;
use super::handshake::Greeting;
use super::reply::{PROGRESS, Status, columns, end_status, error, is_eof, ok};
use super::session::{Phase, Session};
use super::values::{text, u16_at, u32_at};
use crate::correlate::{Kind, Messages, StartMark};
use crate::kit::sql;
use fact::{Attributes, Outcome};

/// What the server's next packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// The first of the response to the oldest command, or of its next result.
    #[default]
    First,
    /// A column's definition; so many are to come.
    Columns(u64),
    /// What may end the definitions, or a row.
    ColumnsEnd,
    Row,
    /// A definition of a prepared statement's parameters and columns.
    Prepared {
        parameters: u16,
        columns: u16,
    },
    /// What ends them.
    PreparedEnd,
    /// A definition, until an end.
    Fields,
    /// Accepted, refused, or asked for more.
    Authentication,
    /// How the client's file was taken.
    Infile,
}

/// The server's packets.
#[derive(Debug, Default)]
pub(super) struct Responses {
    next: Next,
    /// A response is open.
    open: bool,
    /// It ends with the packet that is being read.
    ends: bool,
    /// The last packet was full: the next continues it.
    continued: bool,
    rows: i64,
}

impl Responses {
    /// The last packet ends before `at`.
    pub(super) fn conclude(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.ends) && std::mem::take(&mut self.open) {
            out.close(Kind::Response, 0, at);
        }
    }

    /// Bytes are missing: what they answered is not known.
    pub(super) fn lost(&mut self, session: &mut Session) {
        *self = Self::default();
        session.pending.clear();
        session.infile = false;
    }

    /// Whether a packet with this number can be the first of the next response.
    pub(super) fn fits(session: &Session, sequence: u8) -> bool {
        session.pending.front().is_some_and(|command| command.next_sequence == sequence)
    }

    /// A packet, of which the first bytes are shown. False if a server cannot send it now.
    pub(super) fn packet(
        &mut self,
        session: &mut Session,
        (sequence, length, more): (u8, usize, bool),
        payload: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        if std::mem::replace(&mut self.continued, more) || session.streams {
            return true;
        }
        if session.phase == Phase::Greeting {
            return Self::greeting(session, payload, start, out);
        }
        if error(payload).is_some_and(|(code, _)| payload.first() == Some(&0xff) && code == PROGRESS) {
            if let Some(command) = session.pending.front_mut() {
                command.next_sequence = sequence.wrapping_add(1);
            }
            return true;
        }
        let code = session.pending.front().map_or(0, |command| command.code);
        if self.next == Next::First && !self.open {
            if !session.compressed && !Self::fits(session, sequence) || session.pending.is_empty() {
                return true;
            }
            self.open = true;
            self.rows = 0;
            out.open_at(Kind::Response, 0, start);
        }
        if payload.first() == Some(&0xff) {
            self.fail(session, payload, out);
            return true;
        }
        match self.next {
            Next::First => return self.first(session, code, (payload, length), out),
            Next::Columns(left) => {
                self.next = if left > 1 { Next::Columns(left - 1) } else { Next::ColumnsEnd };
            }
            Next::ColumnsEnd if is_eof(payload, length) => {
                let status = end_status(payload, length);
                self.next = Next::Row;
                if status.has_cursor() {
                    self.end_result(session, status, out);
                }
            }
            Next::ColumnsEnd | Next::Row => {
                self.next = Next::Row;
                if payload.first() == Some(&0xfe) && !more {
                    self.end_result(session, end_status(payload, length), out);
                } else {
                    self.rows += 1;
                }
            }
            Next::Prepared { parameters, columns } => {
                self.prepared(session, parameters, columns, is_eof(payload, length))
            }
            Next::PreparedEnd => self.finish(session, None),
            Next::Fields => {
                if payload.first() == Some(&0xfe) {
                    self.finish(session, None);
                }
            }
            Next::Authentication => self.authentication(session, payload),
            Next::Infile => match ok(payload) {
                Some((affected, status)) => self.done(session, affected, status, out),
                None => return false,
            },
        }
        true
    }

    fn greeting(session: &mut Session, payload: &[u8], start: StartMark, out: &mut Messages) -> bool {
        if let Some(greeting) = Greeting::read(payload) {
            session.greet(&greeting);
            session.phase = Phase::LogIn;
            return true;
        }
        if payload.first() != Some(&0xff) {
            return false;
        }
        // Refused before anybody asked.
        let exchange = &mut out.open_at(Kind::Response, 0, start).exchange;
        exchange.operation.push_str("COM_CONNECT");
        tell_error(payload, &mut exchange.attributes);
        out.close(Kind::Response, 0, 0);
        true
    }

    /// The first packet of a response or of a further result.
    fn first(
        &mut self,
        session: &mut Session,
        code: u8,
        (payload, length): (&[u8], usize),
        out: &mut Messages,
    ) -> bool {
        match code {
            command::CONNECT | command::CHANGE_USER => self.authentication(session, payload),
            command::STMT_PREPARE => {
                let (Some(id), Some(columns), Some(parameters)) =
                    (u32_at(payload, 1), u16_at(payload, 5), u16_at(payload, 7))
                else {
                    return false;
                };
                if let Some(statement) = session.pending.front_mut().and_then(|c| c.statement.take()) {
                    session.statements.insert(id, statement);
                }
                self.next = Next::Prepared { parameters, columns };
                if parameters == 0 && columns == 0 {
                    self.finish(session, None);
                }
            }
            command::FIELD_LIST => {
                self.next = Next::Fields;
                if payload.first() == Some(&0xfe) {
                    self.finish(session, None);
                }
            }
            command::STMT_FETCH => {
                self.next = Next::Row;
                if payload.first() == Some(&0xfe) {
                    self.end_result(session, end_status(payload, length), out);
                } else {
                    self.rows += 1;
                }
            }
            command::BINLOG_DUMP | command::BINLOG_DUMP_GTID | command::TABLE_DUMP => {
                session.streams = true;
                self.finish(session, None);
            }
            command::QUERY | command::STMT_EXECUTE | command::STMT_BULK_EXECUTE | command::PROCESS_INFO => {
                return self.result(session, payload, length, out);
            }
            _ => {
                let status = ok(payload).filter(|_| payload.first() == Some(&0)).map(|(_, status)| status);
                if code == command::RESET_CONNECTION {
                    session.reset();
                }
                self.finish(session, status);
            }
        }
        true
    }

    fn result(&mut self, session: &mut Session, payload: &[u8], length: usize, out: &mut Messages) -> bool {
        match payload {
            [0, ..] if length >= 7 => match ok(payload) {
                Some((affected, status)) => self.done(session, affected, status, out),
                None => return false,
            },
            [0xfb, ..] => {
                session.infile = true;
                self.next = Next::Infile;
            }
            // Some servers end a statement without a result like this.
            [0xfe, ..] if is_eof(payload, length) => {
                self.end_result(session, end_status(payload, length), out);
            }
            _ => match columns(payload, length) {
                Some((count, true)) => self.next = Next::Columns(count),
                Some((_, false)) => self.next = Next::ColumnsEnd,
                None => return false,
            },
        }
        true
    }

    fn prepared(&mut self, session: &mut Session, parameters: u16, columns: u16, is_eof: bool) {
        if is_eof {
            session.no_eof = Some(false);
            return;
        }
        let (parameters, columns) = match parameters {
            0 => (0, columns.saturating_sub(1)),
            _ => (parameters - 1, columns),
        };
        self.next = Next::Prepared { parameters, columns };
        if parameters == 0 && columns == 0 {
            match session.no_eof {
                Some(false) => self.next = Next::PreparedEnd,
                _ => self.finish(session, None),
            }
        }
    }

    fn authentication(&mut self, session: &mut Session, payload: &[u8]) {
        self.next = Next::Authentication;
        match payload {
            [0, ..] => {
                let changed = session.pending.front().is_some_and(|c| c.code == command::CHANGE_USER);
                if changed {
                    session.reset();
                } else {
                    session.phase = Phase::Commands;
                    session.compressed = session.will_compress;
                }
                self.finish(session, ok(payload).map(|(_, status)| status));
            }
            [0xfe, plugin @ ..] => session.switch(text(plugin).map_or(&[], |(name, _)| name)),
            _ => {}
        }
    }

    /// A statement without a result is done.
    fn done(&mut self, session: &mut Session, affected: u64, status: Status, out: &mut Messages) {
        self.note(out, |into| {
            into.add_int("db.response.affected_rows", i64::try_from(affected).unwrap_or(i64::MAX));
        });
        self.next = Next::First;
        if !status.more_results() {
            self.finish(session, Some(status));
        }
    }

    /// The rows of a result are over.
    fn end_result(&mut self, session: &mut Session, status: Status, out: &mut Messages) {
        let rows = std::mem::take(&mut self.rows);
        self.note(out, |into| into.add_int("db.response.returned_rows", rows));
        self.next = Next::First;
        if !status.more_results() {
            self.finish(session, Some(status));
        }
    }

    /// The response is over.
    fn finish(&mut self, session: &mut Session, status: Option<Status>) {
        self.next = Next::First;
        self.ends = true;
        if let Some(status) = status {
            session.dialect = session.dialect.escaping(status.escapes());
        }
        if let Some(database) = session.pending.pop_front().and_then(|command| command.database) {
            session.database = database;
        }
    }

    fn fail(&mut self, session: &mut Session, payload: &[u8], out: &mut Messages) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            entry.exchange.outcome = tell_error(payload, &mut entry.exchange.attributes);
        }
        if let Some(command) = session.pending.front_mut() {
            command.database = None;
        }
        session.infile = false;
        self.finish(session, None);
    }

    fn note(&self, out: &mut Messages, add: impl FnOnce(&mut Attributes)) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            add(&mut entry.exchange.attributes);
        }
    }
}

/// Says what an `ERR_Packet` says, and whose fault it was.
fn tell_error(payload: &[u8], into: &mut Attributes) -> Outcome {
    let Some((code, state)) = error(payload) else { return Outcome::ServerError };
    let number = code.to_string();
    into.push_text("db.response.status_code", &number);
    match state {
        [] => into.push_text("error.type", &number),
        state => into.push_bytes("error.type", state),
    }
    match state {
        // The state of what has none: some of these codes mean a statement that is wrong.
        [] | b"HY000" if is_clients_fault(code) => Outcome::ClientError,
        state => match sql::outcome(state) {
            Outcome::Ok => Outcome::ServerError,
            other => other,
        },
    }
}

/// Codes without a telling SQLSTATE of which the client is to blame.
fn is_clients_fault(code: u16) -> bool {
    matches!(
        code,
        1007 | 1008
            | 1045
            | 1046
            | 1049
            | 1050
            | 1051
            | 1054
            | 1062
            | 1064
            | 1096
            | 1130
            | 1146
            | 1193
            | 1210
            | 1221
            | 1231
            | 1232
            | 1238
            | 1243
            | 1264
            | 1265
            | 1289
            | 1290
            | 1292
            | 1300
            | 1305
            | 1364
            | 1366
            | 1396
            | 1411
            | 1419
            | 1470
            | 1525
            | 1698
            | 1792
            | 1820
            | 1836
            | 3024
    )
}
