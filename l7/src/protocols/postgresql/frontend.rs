use std::sync::Arc;

use memchr::memchr;

use super::session::{Copying, Session};
use super::steps::Step;
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
    /// What the unit is about.
    about: Option<Arc<Statement>>,
    simple: Statement,
}

impl Frontend {
    /// The last message ends before `at`.
    pub(super) fn conclude(&mut self, at: usize, out: &mut Messages) {
        match std::mem::take(&mut self.ends) {
            Ends::Nothing => {}
            Ends::Request => out.close(Kind::Request, 0, at),
            Ends::OneWay => out.close(Kind::OneWay, 0, at),
        }
    }

    /// Bytes are missing.
    pub(super) fn lost(&mut self, session: &mut Session) {
        self.ends = Ends::Nothing;
        self.about = None;
        session.copy = Copying::No;
        if std::mem::take(&mut self.unit) {
            session.steps.push(Step::UnitEnd);
        }
    }

    /// A log-in, with its parameters.
    pub(super) fn log_in(&mut self, session: &mut Session, parameters: &[u8], at: usize, out: &mut Messages) {
        session.log_in(parameters);
        session.steps.push(Step::Login);
        open(session, "StartupMessage", at, out).notes.errors_only = true;
        self.ends = Ends::Request;
    }

    /// A query of another connection shall end.
    pub(super) fn cancel(&mut self, session: &mut Session, at: usize, out: &mut Messages) {
        let entry = out.open(Kind::OneWay, 0, at);
        entry.exchange.operation.push_str("CancelRequest");
        session.tell(&mut entry.exchange.attributes);
        self.ends = Ends::OneWay;
    }

    pub(super) fn message(
        &mut self,
        session: &mut Session,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<(), Reason> {
        let mut fits = true;
        match kind {
            b'Q' => {
                self.end_unit(session, at, out);
                fits = session.steps.push(Step::Query);
                self.simple.read(text(body).0, session.dialect, session.literals);
                self.simple.tell(&mut open(session, "Query", at, out).exchange.attributes);
                self.ends = Ends::Request;
            }
            b'F' => {
                self.end_unit(session, at, out);
                fits = session.steps.push(Step::Function);
                open(session, "FunctionCall", at, out);
                self.ends = Ends::Request;
            }
            b'P' => {
                self.begin_unit(session, "Parse", at, out);
                let (name, rest) = text(body);
                self.about = Some(session.prepare(name, text(rest).0));
                fits = session.steps.push(Step::Parse);
            }
            b'B' => {
                self.begin_unit(session, "Bind", at, out);
                let (portal, rest) = text(body);
                let statement = session.statement(text(rest).0);
                self.about.clone_from(&statement);
                session.bind(portal, statement);
                fits = session.steps.push(Step::Bind);
            }
            b'D' => {
                self.begin_unit(session, "Describe", at, out);
                if let Some((kind, name)) = body.split_first() {
                    let name = text(name).0;
                    let known = if *kind == b'S' { session.statement(name) } else { session.portal(name) };
                    self.about = known.or(self.about.take());
                }
                fits = session.steps.push(Step::Describe);
            }
            b'E' => {
                self.begin_unit(session, "Execute", at, out);
                let statement = session.portal(text(body).0);
                if let Some(entry) = out.current(Kind::Request, 0) {
                    entry.notes.errors_only = false;
                    entry.exchange.operation.clear();
                    entry.exchange.operation.push_str("Execute");
                    if let Some(statement) = statement {
                        statement.tell(&mut entry.exchange.attributes);
                    }
                }
                self.unit = false;
                self.about = None;
                session.copy = Copying::No;
                fits = session.steps.push(Step::Execute) && session.steps.push(Step::UnitEnd);
                self.ends = Ends::Request;
            }
            b'C' => {
                if let Some((kind, name)) = body.split_first() {
                    session.close(*kind, text(name).0);
                }
                fits = session.steps.push(Step::Close);
            }
            b'H' => self.end_unit(session, at, out),
            b'S' if session.copy == Copying::Begun => {}
            b'S' => {
                self.end_unit(session, at, out);
                fits = session.steps.push(Step::Sync);
            }
            b'c' | b'f' => session.copy = Copying::Over,
            _ => {}
        }
        if fits { Ok(()) } else { Err(Reason::Malformed) }
    }

    /// The first message of an exchange of the extended protocol may begin here.
    fn begin_unit(&mut self, session: &mut Session, operation: &str, at: usize, out: &mut Messages) {
        if !std::mem::replace(&mut self.unit, true) {
            open(session, operation, at, out).notes.errors_only = true;
        }
    }

    /// Nothing is executed.
    fn end_unit(&mut self, session: &mut Session, at: usize, out: &mut Messages) {
        if !std::mem::take(&mut self.unit) {
            return;
        }
        let about = self.about.take();
        if let (Some(entry), Some(about)) = (out.current(Kind::Request, 0), about) {
            about.tell(&mut entry.exchange.attributes);
        }
        out.close(Kind::Request, 0, at);
        session.steps.push(Step::UnitEnd);
    }
}

fn open<'m>(session: &mut Session, operation: &str, at: usize, out: &'m mut Messages) -> &'m mut Entry {
    let entry = out.open(Kind::Request, 0, at);
    entry.exchange.operation.push_str(operation);
    session.tell(&mut entry.exchange.attributes);
    entry
}

/// A text up to its zero byte (or to where the bytes end), and what follows.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(0, bytes).and_then(|end| bytes.split_at_checked(end)) {
        Some((text, rest)) => (text, rest.get(1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}
