use wire::Direction;

use super::{End, ID, Step, TlsParser, opaque, skip};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::record::HEADER;
use crate::protocols::tls::{alert_name, tell};
use fact::Outcome;

/// Level of an alert after which nothing follows (RFC 8446 section 6).
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;

impl TlsParser {
    /// An alert in the clear.
    pub(super) fn alert(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let Some(&[level, description]) = bytes.get(at + HEADER..).and_then(|b| b.first_chunk()) else {
            let more = (at + HEADER + 2).saturating_sub(bytes.len());
            return Step::Stop(Progress::Need { consumed: at, more });
        };
        let hidden = self.choice.is_some_and(|choice| choice.hidden);
        let fatal = level == FATAL || description == CLOSE_NOTIFY || hidden && description != USER_CANCELED;
        let name = alert_name(description).unwrap_or("unknown_alert");
        let end = at + HEADER + 2;
        if direction == Direction::ToServer {
            if let Some(entry) = out.outstanding(ID) {
                tell::alert(level, description, &mut entry.exchange.attributes);
                if fatal {
                    tell::failed(Outcome::ClientError, name, &mut entry.exchange);
                }
            }
            if fatal && let Some(mark) = self.mark {
                out.close_response(ID, mark);
            }
            return if fatal { opaque(end) } else { Step::On(end) };
        }
        if !fatal {
            match out.current(Kind::Response, ID) {
                Some(entry) => tell::alert(level, description, &mut entry.exchange.attributes),
                None => self.warned = Some(description),
            }
            return Step::On(end);
        }
        if out.current(Kind::Response, ID).is_none() {
            out.open(Kind::Response, ID, at);
        }
        if let Some(entry) = out.current(Kind::Response, ID) {
            tell::alert(level, description, &mut entry.exchange.attributes);
            tell::failed(Outcome::ServerError, name, &mut entry.exchange);
        }
        self.sides[direction].end = Some(End::Failed);
        skip(at, HEADER + 2, bytes.len())
    }

    /// A side says no more: a handshake that is not done has failed.
    pub(super) fn closed(&mut self, direction: Direction, out: &mut Messages) {
        if direction == Direction::ToClient {
            if let Some(entry) = out.current(Kind::Response, ID) {
                tell::failed(Outcome::ServerError, "closed", &mut entry.exchange);
            }
            out.close(Kind::Response, ID, 0);
        } else if let Some(mark) = self.mark
            && let Some(entry) = out.outstanding(ID).filter(|entry| entry.exchange.response.is_some())
        {
            tell::failed(Outcome::ClientError, "closed", &mut entry.exchange);
            out.close_response(ID, mark);
        }
    }
}
