//! The server's messages: what each completes, and what it adds to the response.

use super::error::ErrorFields;
use super::header::backend_tag as tag;
use super::session::{Copying, Session};
use super::steps::ServerStep;
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::sql;
use fact::{Attributes, Outcome};

/// The server's messages.
#[derive(Debug, Default)]
pub(super) struct Backend {
    /// A response is open.
    open: bool,
    /// It ends with the message that is being read.
    ends: bool,
    /// Rows of the response so far.
    rows: i64,
    /// The server skips everything up to the next `Sync`.
    failed: bool,
    /// The last message belongs to no request that was seen. Neither does any other up to the next
    /// `ReadyForQuery`.
    orphan: bool,
    /// The request failed before its last message: its end is still to come.
    failed_early: bool,
}

impl Backend {
    /// The last message ends before `at`.
    pub(super) fn on_message_end(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.ends) {
            self.open = false;
            out.close(Kind::Response, 0, at);
        }
    }

    /// Bytes are missing: it is unknown which steps they completed.
    pub(super) fn on_gap(&mut self, session: &mut Session) {
        *self = Self::default();
        session.copy = Copying::No;
        session.steps.clear();
    }

    /// A message of the server; `body` is the part of it that is inspected.
    pub(super) fn on_message(
        &mut self,
        session: &mut Session,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) {
        use ServerStep::{Bind, Close, Describe, Execute, Function, Login, Parse, Query};
        let needs_step = !matches!(
            kind,
            tag::NOTICE_RESPONSE
                | tag::PARAMETER_STATUS
                | tag::NOTIFICATION_RESPONSE
                | tag::READY_FOR_QUERY
                | tag::ERROR_RESPONSE
        );
        if self.orphan || needs_step && session.steps.front().is_none() {
            self.orphan = kind != tag::READY_FOR_QUERY;
            if kind == tag::READY_FOR_QUERY {
                self.resynchronise(session, out);
            }
            return;
        }
        match kind {
            tag::PARAMETER_STATUS => session.on_parameter_status(body),
            tag::PARSE_COMPLETE => self.complete(session, Parse, at, out),
            tag::BIND_COMPLETE => self.complete(session, Bind, at, out),
            tag::CLOSE_COMPLETE => self.complete(session, Close, at, out),
            tag::ROW_DESCRIPTION | tag::NO_DATA
                if session.steps.before(|step| step == Describe).is_some() =>
            {
                self.complete(session, Describe, at, out)
            }
            tag::PARAMETER_DESCRIPTION => drop(self.open_for(session, &[Describe], at, out)),
            tag::PORTAL_SUSPENDED if self.open_for(session, &[Execute], at, out) => {
                let rows = self.rows;
                self.push(out, |into| into.push_int("db.response.returned_rows", rows));
                self.complete(session, Execute, at, out);
            }
            tag::DATA_ROW if self.open_for(session, &[Execute, Query], at, out) => self.rows += 1,
            tag::COMMAND_COMPLETE | tag::EMPTY_QUERY_RESPONSE
                if self.open_for(session, &[Execute, Query], at, out) =>
            {
                self.push(out, |into| push_rows(body, into));
                if session.steps.front() == Some(Execute) {
                    self.complete(session, Execute, at, out);
                }
            }
            tag::COPY_BOTH_RESPONSE if self.open_for(session, &[Execute, Query], at, out) => {
                session.steps.replace(ServerStep::Stream);
                self.ends = true;
            }
            tag::COPY_IN_RESPONSE
                if self.open_for(session, &[Execute, Query], at, out)
                    && session.steps.front() == Some(Execute)
                    && session.copy == Copying::No =>
            {
                session.copy = Copying::Begun;
                session.steps.drop_sync();
            }
            tag::ROW_DESCRIPTION
            | tag::COPY_OUT_RESPONSE
            | tag::COPY_DATA
            | tag::COPY_DONE
            | tag::FUNCTION_CALL_RESPONSE => {
                self.open_for(session, &[Execute, Query, Function], at, out);
            }
            tag::AUTHENTICATION => drop(self.open_for(session, &[Login], at, out)),
            tag::ERROR_RESPONSE => self.on_error(session, body, at, out),
            tag::READY_FOR_QUERY => self.on_ready_for_query(session, body, at, out),
            _ => {}
        }
    }

    /// Finds the step that a message belongs to, and opens the response. Returns false if no known
    /// step fits.
    fn open_for(
        &mut self,
        session: &mut Session,
        wanted: &[ServerStep],
        at: usize,
        out: &mut Messages,
    ) -> bool {
        let found = session.steps.before(|step| wanted.contains(&step));
        let Some(before) = found.filter(|_| !self.failed) else { return false };
        for _ in 0..before {
            if session.steps.pop() == Some(ServerStep::UnitEnd) {
                self.on_skipped(at, out);
            }
        }
        if !std::mem::replace(&mut self.open, true) {
            self.rows = 0;
            out.open(Kind::Response, 0, at);
        }
        true
    }

    /// The server skipped an exchange.
    fn on_skipped(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.open) {
            out.close(Kind::Response, 0, at);
        } else {
            out.skip_request();
        }
    }

    /// The server completed a step.
    fn complete(&mut self, session: &mut Session, step: ServerStep, at: usize, out: &mut Messages) {
        if step == ServerStep::Close {
            if session.steps.front() == Some(ServerStep::Close) {
                session.steps.pop();
                self.after_step(session);
            }
            return;
        }
        if self.open_for(session, &[step], at, out) {
            session.steps.pop();
            self.after_step(session);
        }
    }

    /// If the exchange ended, so does its response: with this message, or with `ReadyForQuery` if
    /// that is next.
    fn after_step(&mut self, session: &mut Session) {
        if session.steps.front() == Some(ServerStep::UnitEnd) {
            session.steps.pop();
            self.ends = self.open && session.steps.front() != Some(ServerStep::Sync);
        }
    }

    fn on_error(&mut self, session: &mut Session, body: &[u8], at: usize, out: &mut Messages) {
        let fields = ErrorFields::read(body);
        session.copy = Copying::No;
        let group = session.steps.front();
        if !self.open {
            if group.is_none_or(|step| step == ServerStep::Sync) || self.failed {
                return;
            }
            self.open = true;
            out.open(Kind::Response, 0, at);
        }
        let known =
            |entry: &Entry| entry.exchange.attributes.get("db.response.status_code").is_some();
        if let Some(entry) = out.current(Kind::Response, 0).filter(|entry| !known(entry)) {
            let exchange = &mut entry.exchange;
            exchange.outcome = match sql::outcome(fields.code) {
                Outcome::Ok => Outcome::ServerError,
                other => other,
            };
            exchange.attributes.push_bytes("db.response.status_code", fields.code);
            exchange.attributes.push_bytes("error.type", fields.code);
            exchange.attributes.push_bytes("db.postgresql.severity", fields.severity);
        }
        self.ends = fields.ends_connection() || group == Some(ServerStep::Login);
        if group.is_some_and(|step| !step.ends_group()) {
            self.failed = true;
            self.ends = true;
            self.failed_early = !session.steps.has_unit_end();
            while let Some(step) = session.steps.front().filter(|step| !step.ends_group()) {
                session.steps.pop();
                if step == ServerStep::UnitEnd {
                    break;
                }
            }
        }
    }

    /// `ReadyForQuery`: whatever is left of the batch was skipped.
    fn on_ready_for_query(
        &mut self,
        session: &mut Session,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) {
        let failed = std::mem::take(&mut self.failed);
        let transaction = match body {
            [b'T'] => Some("open"),
            [b'E'] => Some("failed"),
            _ => None,
        };
        while let Some(step) = session.steps.pop() {
            if step == ServerStep::UnitEnd && !std::mem::take(&mut self.failed_early) {
                if !failed && !self.open {
                    // The server skipped nothing: the response was not seen, or was assigned to
                    // another request.
                    out.mark_loss_keep_open();
                }
                self.on_skipped(at, out);
            }
            if step.ends_group() {
                break;
            }
        }
        self.failed_early = false;
        if let Some(state) = transaction.filter(|_| self.open) {
            self.push(out, |into| into.push_text("db.postgresql.transaction", state));
        }
        self.ends = self.open;
    }

    /// A batch ended of which not all was seen. Which of its requests got the responses that were
    /// seen is unknown.
    fn resynchronise(&mut self, session: &mut Session, out: &mut Messages) {
        if session.steps.before(|step| step == ServerStep::Sync).is_none() {
            return;
        }
        out.mark_loss_keep_open();
        while let Some(step) = session.steps.pop().filter(|step| *step != ServerStep::Sync) {
            if step == ServerStep::UnitEnd {
                out.skip_request();
            }
        }
    }

    /// Adds attributes to the open response.
    fn push(&self, out: &mut Messages, add: impl FnOnce(&mut Attributes)) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            add(&mut entry.exchange.attributes);
        }
    }
}

/// Adds the number of rows that a command tag ends with (`SELECT 5`, `INSERT 0 1`).
fn push_rows(tag: &[u8], into: &mut Attributes) {
    let tag = tag.strip_suffix(b"\0").unwrap_or(tag);
    let number = tag.rsplit(|b| *b == b' ').next().unwrap_or_default();
    // Most tags end with a word (`CREATE TABLE`).
    let Some(number) = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()) else {
        return;
    };
    let key = match tag.split(|b| *b == b' ').next() {
        Some(b"SELECT" | b"FETCH") => "db.response.returned_rows",
        _ => "db.response.affected_rows",
    };
    into.add_int(key, number);
}
