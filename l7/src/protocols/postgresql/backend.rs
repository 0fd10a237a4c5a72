use super::error::ErrorFields;
use super::session::{Copying, Session};
use super::steps::Step;
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
    /// Rows of it.
    rows: i64,
    /// The server passes over everything up to the next `Sync`.
    failed: bool,
    /// What was said last answers nothing that was seen: nor does anything up to the next `ReadyForQuery`.
    unasked: bool,
    /// The exchange that failed was not whole when it did: its end is still to come.
    failed_early: bool,
}

impl Backend {
    /// The last message ends before `at`.
    pub(super) fn conclude(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.ends) {
            self.open = false;
            out.close(Kind::Response, 0, at);
        }
    }

    /// Bytes are missing: what they answered is not known.
    pub(super) fn lost(&mut self, session: &mut Session) {
        *self = Self::default();
        session.copy = Copying::No;
        session.steps.clear();
    }

    pub(super) fn message(
        &mut self,
        session: &mut Session,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) {
        use Step::{Bind, Close, Describe, Execute, Function, Login, Parse, Query};
        let answers = !matches!(kind, b'N' | b'S' | b'A' | b'Z' | b'E');
        if self.unasked || answers && session.steps.front().is_none() {
            self.unasked = kind != b'Z';
            if kind == b'Z' {
                self.resume(session, out);
            }
            return;
        }
        match kind {
            b'S' => session.parameter(body),
            b'1' => self.step(session, Parse, at, out),
            b'2' => self.step(session, Bind, at, out),
            b'3' => self.step(session, Close, at, out),
            b'T' | b'n' if session.steps.before(|step| step == Describe).is_some() => {
                self.step(session, Describe, at, out)
            }
            b't' => drop(self.answer(session, &[Describe], at, out)),
            b's' if self.answer(session, &[Execute], at, out) => {
                let rows = self.rows;
                self.note(out, |into| into.push_int("db.response.returned_rows", rows));
                self.step(session, Execute, at, out);
            }
            b'D' if self.answer(session, &[Execute, Query], at, out) => self.rows += 1,
            b'C' | b'I' if self.answer(session, &[Execute, Query], at, out) => {
                self.note(out, |into| rows(body, into));
                if session.steps.front() == Some(Execute) {
                    self.step(session, Execute, at, out);
                }
            }
            b'W' if self.answer(session, &[Execute, Query], at, out) => {
                session.steps.replace(Step::Stream);
                self.ends = true;
            }
            b'G' if self.answer(session, &[Execute, Query], at, out)
                && session.steps.front() == Some(Execute)
                && session.copy == Copying::No =>
            {
                session.copy = Copying::Begun;
                session.steps.drop_sync();
            }
            b'T' | b'H' | b'd' | b'c' | b'V' => {
                self.answer(session, &[Execute, Query, Function], at, out);
            }
            b'R' => drop(self.answer(session, &[Login], at, out)),
            b'E' => self.error(session, body, at, out),
            b'Z' => self.ready(session, body, at, out),
            _ => {}
        }
    }

    /// Finds what a message answers, and opens the response. False if nothing is known that it could answer.
    fn answer(&mut self, session: &mut Session, wanted: &[Step], at: usize, out: &mut Messages) -> bool {
        let found = session.steps.before(|step| wanted.contains(&step));
        let Some(before) = found.filter(|_| !self.failed) else { return false };
        for _ in 0..before {
            if session.steps.pop() == Some(Step::UnitEnd) {
                self.unanswered(at, out);
            }
        }
        if !std::mem::replace(&mut self.open, true) {
            self.rows = 0;
            out.open(Kind::Response, 0, at);
        }
        true
    }

    /// The server is past an exchange of which it said nothing.
    fn unanswered(&mut self, at: usize, out: &mut Messages) {
        if std::mem::take(&mut self.open) {
            out.close(Kind::Response, 0, at);
        } else {
            out.skip_request();
        }
    }

    /// A step is done.
    fn step(&mut self, session: &mut Session, step: Step, at: usize, out: &mut Messages) {
        if step == Step::Close {
            if session.steps.front() == Some(Step::Close) {
                session.steps.pop();
                self.after_step(session);
            }
            return;
        }
        if self.answer(session, &[step], at, out) {
            session.steps.pop();
            self.after_step(session);
        }
    }

    /// Where the exchange is over, its response is: with this message, or with `ReadyForQuery` if that is next.
    fn after_step(&mut self, session: &mut Session) {
        if session.steps.front() == Some(Step::UnitEnd) {
            session.steps.pop();
            self.ends = self.open && session.steps.front() != Some(Step::Sync);
        }
    }

    fn error(&mut self, session: &mut Session, body: &[u8], at: usize, out: &mut Messages) {
        let fields = ErrorFields::read(body);
        session.copy = Copying::No;
        let group = session.steps.front();
        if !self.open {
            if group.is_none_or(|step| step == Step::Sync) || self.failed {
                return;
            }
            self.open = true;
            out.open(Kind::Response, 0, at);
        }
        let known = |entry: &Entry| entry.exchange.attributes.get("db.response.status_code").is_some();
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
        self.ends = fields.ends_connection() || group == Some(Step::Login);
        if group.is_some_and(|step| !step.ends_group()) {
            self.failed = true;
            self.ends = true;
            self.failed_early = !session.steps.has_unit_end();
            while let Some(step) = session.steps.front().filter(|step| !step.ends_group()) {
                session.steps.pop();
                if step == Step::UnitEnd {
                    break;
                }
            }
        }
    }

    fn ready(&mut self, session: &mut Session, body: &[u8], at: usize, out: &mut Messages) {
        let failed = std::mem::take(&mut self.failed);
        let transaction = match body {
            [b'T'] => Some("open"),
            [b'E'] => Some("failed"),
            _ => None,
        };
        while let Some(step) = session.steps.pop() {
            if step == Step::UnitEnd && !std::mem::take(&mut self.failed_early) {
                if !failed && !self.open {
                    // Nothing was passed over: its answer was not seen, or taken for another's.
                    out.mark_loss_keep_open();
                }
                self.unanswered(at, out);
            }
            if step.ends_group() {
                break;
            }
        }
        self.failed_early = false;
        if let Some(state) = transaction.filter(|_| self.open) {
            self.note(out, |into| into.push_text("db.postgresql.transaction", state));
        }
        self.ends = self.open;
    }

    /// A batch is over of which not all was seen. What was seen of it is not known to have had the answers that were.
    fn resume(&mut self, session: &mut Session, out: &mut Messages) {
        if session.steps.before(|step| step == Step::Sync).is_none() {
            return;
        }
        out.mark_loss_keep_open();
        while let Some(step) = session.steps.pop().filter(|step| *step != Step::Sync) {
            if step == Step::UnitEnd {
                out.skip_request();
            }
        }
    }

    fn note(&self, out: &mut Messages, add: impl FnOnce(&mut Attributes)) {
        if let Some(entry) = out.current(Kind::Response, 0) {
            add(&mut entry.exchange.attributes);
        }
    }
}

/// Adds the number of rows that a command's tag ends with (`SELECT 5`, `INSERT 0 1`).
fn rows(tag: &[u8], into: &mut Attributes) {
    let tag = tag.strip_suffix(b"\0").unwrap_or(tag);
    let Some(number) = tag.rsplit(|b| *b == b' ').next() else { return };
    let Some(number) = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()) else { return };
    let key = match tag.split(|b| *b == b' ').next() {
        Some(b"SELECT" | b"FETCH") => "db.response.returned_rows",
        _ => "db.response.affected_rows",
    };
    into.add_int(key, number);
}
