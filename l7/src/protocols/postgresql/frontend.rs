//! The client's messages: the requests that they make up, and the steps that the server will
//! complete.

use std::sync::Arc;

use memchr::memchr;

use super::header::frontend_tag as tag;
use super::session::{Copying, Session};
use super::steps::ServerStep;
use crate::contract::Reason;
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::sql::Statement;

/// What ends with the message that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ends {
    #[default]
    Nothing,
    Request,
    OneWay,
}

/// The client's messages.
#[derive(Debug, Default)]
pub(super) struct Frontend {
    ends: Ends,
    /// Messages of an exchange were seen, but not its `Execute`.
    unit: bool,
    /// Statement of the unit.
    unit_statement: Option<Arc<Statement>>,
    /// Statement of a simple query, reused.
    simple: Statement,
}

impl Frontend {
    /// The last message ends before `at`.
    pub(super) fn on_message_end(&mut self, at: usize, out: &mut Messages) {
        match std::mem::take(&mut self.ends) {
            Ends::Nothing => {}
            Ends::Request => out.close(Kind::Request, 0, at),
            Ends::OneWay => out.close(Kind::OneWay, 0, at),
        }
    }

    /// Bytes are missing.
    pub(super) fn on_gap(&mut self, session: &mut Session) {
        self.ends = Ends::Nothing;
        self.unit_statement = None;
        session.copy = Copying::No;
        if std::mem::take(&mut self.unit) {
            session.steps.push(ServerStep::UnitEnd);
        }
    }

    /// A `StartupMessage` with its parameters.
    pub(super) fn on_startup(
        &mut self,
        session: &mut Session,
        parameters: &[u8],
        at: usize,
        out: &mut Messages,
    ) {
        session.set_parameters(parameters);
        session.steps.push(ServerStep::Login);
        open(session, "StartupMessage", at, out).notes.errors_only = true;
        self.ends = Ends::Request;
    }

    /// A `CancelRequest`, which ends a query of another connection.
    pub(super) fn on_cancel_request(
        &mut self,
        session: &mut Session,
        at: usize,
        out: &mut Messages,
    ) {
        let entry = out.open(Kind::OneWay, 0, at);
        entry.exchange.operation.push_str("CancelRequest");
        session.push_attributes(&mut entry.exchange.attributes);
        self.ends = Ends::OneWay;
    }

    /// A message of the client; `body` is the part of it that is inspected.
    ///
    /// # Errors
    /// There were too many steps that the server did not complete.
    pub(super) fn on_message(
        &mut self,
        session: &mut Session,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<(), Reason> {
        let mut has_room = true;
        match kind {
            tag::QUERY => {
                self.end_unit(session, at, out);
                has_room = session.steps.push(ServerStep::Query);
                self.simple.read(text(body).0, session.dialect, session.literals);
                self.simple
                    .push_attributes(&mut open(session, "Query", at, out).exchange.attributes);
                self.ends = Ends::Request;
            }
            tag::FUNCTION_CALL => {
                self.end_unit(session, at, out);
                has_room = session.steps.push(ServerStep::Function);
                open(session, "FunctionCall", at, out);
                self.ends = Ends::Request;
            }
            tag::PARSE => {
                self.begin_unit(session, "Parse", at, out);
                let (name, rest) = text(body);
                self.unit_statement = Some(session.prepare(name, text(rest).0));
                has_room = session.steps.push(ServerStep::Parse);
            }
            tag::BIND => {
                self.begin_unit(session, "Bind", at, out);
                let (portal, rest) = text(body);
                let statement = session.statement(text(rest).0);
                self.unit_statement.clone_from(&statement);
                session.bind(portal, statement);
                has_room = session.steps.push(ServerStep::Bind);
            }
            tag::DESCRIBE => {
                self.begin_unit(session, "Describe", at, out);
                if let Some((kind, name)) = body.split_first() {
                    let name = text(name).0;
                    let known =
                        if *kind == b'S' { session.statement(name) } else { session.portal(name) };
                    self.unit_statement = known.or(self.unit_statement.take());
                }
                has_room = session.steps.push(ServerStep::Describe);
            }
            tag::EXECUTE => {
                self.begin_unit(session, "Execute", at, out);
                let statement = session.portal(text(body).0);
                if let Some(entry) = out.current(Kind::Request, 0) {
                    entry.notes.errors_only = false;
                    entry.exchange.operation.clear();
                    entry.exchange.operation.push_str("Execute");
                    if let Some(statement) = statement {
                        statement.push_attributes(&mut entry.exchange.attributes);
                    }
                }
                self.unit = false;
                self.unit_statement = None;
                session.copy = Copying::No;
                has_room = session.steps.push(ServerStep::Execute)
                    && session.steps.push(ServerStep::UnitEnd);
                self.ends = Ends::Request;
            }
            tag::CLOSE => {
                if let Some((kind, name)) = body.split_first() {
                    session.close(*kind, text(name).0);
                }
                has_room = session.steps.push(ServerStep::Close);
            }
            tag::FLUSH => self.end_unit(session, at, out),
            tag::SYNC if session.copy == Copying::Begun => {}
            tag::SYNC => {
                self.end_unit(session, at, out);
                has_room = session.steps.push(ServerStep::Sync);
            }
            tag::COPY_DONE | tag::COPY_FAIL => session.copy = Copying::Over,
            _ => {}
        }
        if has_room { Ok(()) } else { Err(Reason::Malformed) }
    }

    /// A message of the extended protocol: opens the request if it is its first one.
    fn begin_unit(
        &mut self,
        session: &mut Session,
        operation: &str,
        at: usize,
        out: &mut Messages,
    ) {
        if !std::mem::replace(&mut self.unit, true) {
            open(session, operation, at, out).notes.errors_only = true;
        }
    }

    /// The unit ends without an `Execute`.
    fn end_unit(&mut self, session: &mut Session, at: usize, out: &mut Messages) {
        if !std::mem::take(&mut self.unit) {
            return;
        }
        let statement = self.unit_statement.take();
        if let (Some(entry), Some(statement)) = (out.current(Kind::Request, 0), statement) {
            statement.push_attributes(&mut entry.exchange.attributes);
        }
        out.close(Kind::Request, 0, at);
        session.steps.push(ServerStep::UnitEnd);
    }
}

/// Opens a request.
fn open<'m>(
    session: &mut Session,
    operation: &str,
    at: usize,
    out: &'m mut Messages,
) -> &'m mut Entry {
    let entry = out.open(Kind::Request, 0, at);
    entry.exchange.operation.push_str(operation);
    session.push_attributes(&mut entry.exchange.attributes);
    entry
}

/// A text up to its zero byte (or to the end of the inspected bytes), and what follows it.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(0, bytes).and_then(|end| bytes.split_at_checked(end)) {
        Some((text, rest)) => (text, rest.get(1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}
