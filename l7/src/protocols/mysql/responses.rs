//! The server's packets: result sets, prepared statements and errors, and what they change in the
//! session.

use super::commands::command;
use super::handshake::Greeting;
use super::response_packets::{
    PROGRESS, Status, columns, end_status, error, first_byte, is_eof, ok,
};
use super::session::{Phase, Session};
use super::values::{text, u16_at, u32_at};
use crate::correlate::{Kind, Messages, StartMark};
use crate::kit::sql;
use fact::{Attributes, Outcome};

/// What the server's next packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    /// The first one of the response to the oldest command, or of its next result.
    #[default]
    First,
    /// A column's definition. So many are to come.
    Columns(u64),
    /// The end of the definitions, or a row.
    ColumnsEnd,
    Row,
    /// A definition of a prepared statement's parameters and columns.
    Prepared {
        parameters: u16,
        columns: u16,
    },
    /// The `EOF_Packet` behind them.
    PreparedEnd,
    /// A definition, or the end of them.
    Fields,
    /// The result of the authentication, or a further step of it.
    Authentication,
    /// The result of `LOAD DATA LOCAL INFILE`.
    Infile,
}

/// State of the server's direction.
#[derive(Debug, Default)]
pub(super) struct Responses {
    expected: Expected,
    /// A response is open.
    open: bool,
    /// It ends with the packet that is being read.
    ends: bool,
    /// The last packet was full: the next continues it.
    continued: bool,
    /// Rows of the result so far.
    rows: i64,
}

impl Responses {
    /// The last packet ends before `at`.
    pub(super) fn on_packet_end(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.ends) && std::mem::take(&mut self.open) {
            out.close(Kind::Response, 0, at);
        }
    }

    /// Bytes are missing: which commands they completed is unknown.
    pub(super) fn on_gap(&mut self, session: &mut Session) {
        *self = Self::default();
        session.pending.clear();
        session.infile = false;
    }

    /// Whether a packet with this sequence number can be the first of the next response.
    pub(super) fn fits(session: &Session, sequence: u8) -> bool {
        session.pending.front().is_some_and(|command| command.next_sequence == sequence)
    }

    /// A packet, of which `payload` has the first bytes. Returns false if a server cannot send it
    /// now.
    pub(super) fn on_packet(
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
            return Self::on_greeting(session, payload, start, out);
        }
        if error(payload)
            .is_some_and(|(code, _)| payload.first() == Some(&first_byte::ERR) && code == PROGRESS)
        {
            if let Some(command) = session.pending.front_mut() {
                command.next_sequence = sequence.wrapping_add(1);
            }
            return true;
        }
        let code = session.pending.front().map_or(0, |command| command.code);
        if self.expected == Expected::First && !self.open {
            if !session.compressed && !Self::fits(session, sequence) || session.pending.is_empty() {
                return true;
            }
            self.open = true;
            self.rows = 0;
            out.open_at(Kind::Response, 0, start);
        }
        if payload.first() == Some(&first_byte::ERR) {
            self.on_error(session, payload, out);
            return true;
        }
        match self.expected {
            Expected::First => return self.begin_response(session, code, (payload, length), out),
            Expected::Columns(left) => {
                self.expected =
                    if left > 1 { Expected::Columns(left - 1) } else { Expected::ColumnsEnd };
            }
            Expected::ColumnsEnd if is_eof(payload, length) => {
                let status = end_status(payload, length);
                self.expected = Expected::Row;
                if status.has_cursor() {
                    self.end_result(session, status, out);
                }
            }
            Expected::ColumnsEnd | Expected::Row => {
                self.expected = Expected::Row;
                if payload.first() == Some(&first_byte::EOF) && !more {
                    self.end_result(session, end_status(payload, length), out);
                } else {
                    self.rows += 1;
                }
            }
            Expected::Prepared { parameters, columns } => {
                self.on_prepared_definition(session, parameters, columns, is_eof(payload, length))
            }
            Expected::PreparedEnd => self.finish(session, None),
            Expected::Fields => {
                if payload.first() == Some(&first_byte::EOF) {
                    self.finish(session, None);
                }
            }
            Expected::Authentication => self.on_authentication(session, payload),
            Expected::Infile => match ok(payload) {
                Some((affected, status)) => self.on_ok(session, affected, status, out),
                None => return false,
            },
        }
        true
    }

    fn on_greeting(
        session: &mut Session,
        payload: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        if let Some(greeting) = Greeting::read(payload) {
            session.on_greeting(&greeting);
            session.phase = Phase::Login;
            return true;
        }
        if payload.first() != Some(&first_byte::ERR) {
            return false;
        }
        // The server refuses the connection without a login.
        let exchange = &mut out.open_at(Kind::Response, 0, start).exchange;
        exchange.operation.push_str("COM_CONNECT");
        push_error(payload, &mut exchange.attributes);
        out.close(Kind::Response, 0, 0);
        true
    }

    /// The first packet of a response or of a further result.
    fn begin_response(
        &mut self,
        session: &mut Session,
        code: u8,
        (payload, length): (&[u8], usize),
        out: &mut Messages,
    ) -> bool {
        match code {
            command::CONNECT | command::CHANGE_USER => self.on_authentication(session, payload),
            command::STMT_PREPARE => {
                let (Some(id), Some(columns), Some(parameters)) =
                    (u32_at(payload, 1), u16_at(payload, 5), u16_at(payload, 7))
                else {
                    return false;
                };
                if let Some(statement) =
                    session.pending.front_mut().and_then(|c| c.statement.take())
                {
                    session.statements.insert(id, statement);
                }
                self.expected = Expected::Prepared { parameters, columns };
                if parameters == 0 && columns == 0 {
                    self.finish(session, None);
                }
            }
            command::FIELD_LIST => {
                self.expected = Expected::Fields;
                if payload.first() == Some(&first_byte::EOF) {
                    self.finish(session, None);
                }
            }
            command::STMT_FETCH => {
                self.expected = Expected::Row;
                if payload.first() == Some(&first_byte::EOF) {
                    self.end_result(session, end_status(payload, length), out);
                } else {
                    self.rows += 1;
                }
            }
            command::BINLOG_DUMP | command::BINLOG_DUMP_GTID | command::TABLE_DUMP => {
                session.streams = true;
                self.finish(session, None);
            }
            command::QUERY
            | command::STMT_EXECUTE
            | command::STMT_BULK_EXECUTE
            | command::PROCESS_INFO => {
                return self.begin_result(session, payload, length, out);
            }
            _ => {
                let status = ok(payload)
                    .filter(|_| payload.first() == Some(&first_byte::OK))
                    .map(|(_, status)| status);
                if code == command::RESET_CONNECTION {
                    session.reset();
                }
                self.finish(session, status);
            }
        }
        true
    }

    /// The first packet of a result.
    fn begin_result(
        &mut self,
        session: &mut Session,
        payload: &[u8],
        length: usize,
        out: &mut Messages,
    ) -> bool {
        match payload {
            [first_byte::OK, ..] if length >= 7 => match ok(payload) {
                Some((affected, status)) => self.on_ok(session, affected, status, out),
                None => return false,
            },
            [first_byte::LOCAL_INFILE, ..] => {
                session.infile = true;
                self.expected = Expected::Infile;
            }
            // Some servers end a statement without a result set like this.
            [first_byte::EOF, ..] if is_eof(payload, length) => {
                self.end_result(session, end_status(payload, length), out);
            }
            _ => match columns(payload, length) {
                Some((count, true)) => self.expected = Expected::Columns(count),
                Some((_, false)) => self.expected = Expected::ColumnsEnd,
                None => return false,
            },
        }
        true
    }

    fn on_prepared_definition(
        &mut self,
        session: &mut Session,
        parameters: u16,
        columns: u16,
        is_eof: bool,
    ) {
        if is_eof {
            session.deprecates_eof = Some(false);
            return;
        }
        let (parameters, columns) = match parameters {
            0 => (0, columns.saturating_sub(1)),
            _ => (parameters - 1, columns),
        };
        self.expected = Expected::Prepared { parameters, columns };
        if parameters == 0 && columns == 0 {
            match session.deprecates_eof {
                Some(false) => self.expected = Expected::PreparedEnd,
                _ => self.finish(session, None),
            }
        }
    }

    fn on_authentication(&mut self, session: &mut Session, payload: &[u8]) {
        self.expected = Expected::Authentication;
        match payload {
            [first_byte::OK, ..] => {
                let changed =
                    session.pending.front().is_some_and(|c| c.code == command::CHANGE_USER);
                if changed {
                    session.reset();
                } else {
                    session.phase = Phase::Commands;
                    session.compressed = session.will_compress;
                }
                self.finish(session, ok(payload).map(|(_, status)| status));
            }
            [first_byte::EOF, plugin @ ..] => {
                session.on_auth_switch(text(plugin).map_or(&[], |(name, _)| name))
            }
            _ => {}
        }
    }

    /// A statement without a result set is complete.
    fn on_ok(&mut self, session: &mut Session, affected: u64, status: Status, out: &mut Messages) {
        self.push(out, |into| {
            into.add_int("db.response.affected_rows", i64::try_from(affected).unwrap_or(i64::MAX));
        });
        self.expected = Expected::First;
        if !status.more_results() {
            self.finish(session, Some(status));
        }
    }

    /// The rows of a result set end.
    fn end_result(&mut self, session: &mut Session, status: Status, out: &mut Messages) {
        let rows = std::mem::take(&mut self.rows);
        self.push(out, |into| into.add_int("db.response.returned_rows", rows));
        self.expected = Expected::First;
        if !status.more_results() {
            self.finish(session, Some(status));
        }
    }

    /// The response ends with this packet.
    fn finish(&mut self, session: &mut Session, status: Option<Status>) {
        self.expected = Expected::First;
        self.ends = true;
        if let Some(status) = status {
            session.dialect = session.dialect.escaping(status.escapes());
        }
        if let Some(database) = session.pending.pop_front().and_then(|command| command.database) {
            session.database = database;
        }
    }

    fn on_error(&mut self, session: &mut Session, payload: &[u8], out: &mut Messages) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            entry.exchange.outcome = push_error(payload, &mut entry.exchange.attributes);
        }
        if let Some(command) = session.pending.front_mut() {
            command.database = None;
        }
        session.infile = false;
        self.finish(session, None);
    }

    fn push(&self, out: &mut Messages, add: impl FnOnce(&mut Attributes)) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            add(&mut entry.exchange.attributes);
        }
    }
}

/// Adds the error of an `ERR_Packet`. Returns the outcome that it means.
fn push_error(payload: &[u8], into: &mut Attributes) -> Outcome {
    let Some((code, state)) = error(payload) else { return Outcome::ServerError };
    let number = code.to_string();
    into.push_text("db.response.status_code", &number);
    match state {
        [] => into.push_text("error.type", &number),
        state => into.push_bytes("error.type", state),
    }
    match state {
        // Errors without a SQLSTATE of their own: the code decides.
        [] | b"HY000" if is_client_error(code) => Outcome::ClientError,
        state => match sql::outcome(state) {
            Outcome::Ok => Outcome::ServerError,
            other => other,
        },
    }
}

/// Error codes without a specific SQLSTATE that are the client's errors.
fn is_client_error(code: u16) -> bool {
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
