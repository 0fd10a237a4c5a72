//! Alerts in the clear (RFC 8446 section 6), and handshakes that end without one.

use wire::Direction;

use super::{End, ID, Step, TlsParser, opaque, skip};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::record::HEADER;
use crate::protocols::tls::{alert_name, attributes};
use fact::Outcome;

/// Level of an alert that ends the connection.
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;

impl TlsParser {
    /// An alert in the clear.
    pub(super) fn on_alert(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let Some(&[level, description]) = bytes.get(at + HEADER..).and_then(|b| b.first_chunk())
        else {
            let more = (at + HEADER + 2).saturating_sub(bytes.len());
            return Step::Stop(Progress::Need { consumed: at, more });
        };
        let encrypts_handshake = self.choice.is_some_and(|choice| choice.encrypts_handshake);
        let fatal = level == FATAL
            || description == CLOSE_NOTIFY
            || encrypts_handshake && description != USER_CANCELED;
        let name = alert_name(description).unwrap_or("unknown_alert");
        let end = at + HEADER + 2;
        if direction == Direction::ToServer {
            if let Some(entry) = out.outstanding(ID) {
                attributes::push_alert(level, description, &mut entry.exchange.attributes);
                if fatal {
                    attributes::push_failure(Outcome::ClientError, name, &mut entry.exchange);
                }
            }
            if fatal && let Some(mark) = self.mark {
                out.close_response(ID, mark);
            }
            return if fatal { opaque(end) } else { Step::Go(end) };
        }
        if !fatal {
            match out.current(Kind::Response, ID) {
                Some(entry) => {
                    attributes::push_alert(level, description, &mut entry.exchange.attributes)
                }
                None => self.early_warning = Some(description),
            }
            return Step::Go(end);
        }
        if out.current(Kind::Response, ID).is_none() {
            out.open(Kind::Response, ID, at);
        }
        if let Some(entry) = out.current(Kind::Response, ID) {
            attributes::push_alert(level, description, &mut entry.exchange.attributes);
            attributes::push_failure(Outcome::ServerError, name, &mut entry.exchange);
        }
        self.sides[direction].end = Some(End::Failed);
        skip(at, HEADER + 2, bytes.len())
    }

    /// A direction ended: a handshake that is not complete has failed.
    pub(super) fn on_end(&mut self, direction: Direction, out: &mut Messages) {
        if direction == Direction::ToClient {
            if let Some(entry) = out.current(Kind::Response, ID) {
                attributes::push_failure(Outcome::ServerError, "closed", &mut entry.exchange);
            }
            out.close(Kind::Response, ID, 0);
        } else if let Some(mark) = self.mark
            && let Some(entry) =
                out.outstanding(ID).filter(|entry| entry.exchange.response.is_some())
        {
            attributes::push_failure(Outcome::ClientError, "closed", &mut entry.exchange);
            out.close_response(ID, mark);
        }
    }
}
