//! Encrypted records.

use wire::Direction;

use super::{End, ID, PATIENCE, Step, TlsParser, opaque, skip};
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::record::{ALERT, APPLICATION_DATA, HANDSHAKE, HEADER, HEARTBEAT, Record};
use crate::protocols::tls::tell;
use fact::Outcome;

/// Length of an encrypted alert of TLS 1.3: level, description, content type and authentication
/// tag. No handshake message is as short.
const SEALED_ALERT: usize = 19;

impl TlsParser {
    /// An encrypted record: only its type, length and place in the handshake can be told.
    pub(super) fn sealed(
        &mut self,
        direction: Direction,
        record: Record,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        if self.choice.is_none() && !self.sides.to_server.known && !self.sides.to_client.known {
            return opaque(at);
        }
        self.passed += 1;
        if self.passed > PATIENCE {
            return opaque(at);
        }
        let side = &mut self.sides[direction];
        let first = side.sealed == 0;
        side.sealed += 1;
        let hidden = self.choice.is_some_and(|choice| choice.hidden);
        let alert = record.kind == ALERT
            || hidden && first && record.kind == APPLICATION_DATA && record.length == SEALED_ALERT;
        if direction == Direction::ToServer {
            return self.client_sealed(record, alert, hidden, len, at, out);
        }
        let end = match record.kind {
            _ if alert => {
                if let Some(entry) = out.current(Kind::Response, ID) {
                    tell::failed(Outcome::ServerError, "encrypted_alert", &mut entry.exchange);
                }
                End::Failed
            }
            HANDSHAKE => End::Finished,
            _ => End::Part,
        };
        if record.kind != HEARTBEAT {
            self.sides[direction].end = Some(end);
        }
        skip(at, HEADER + record.length, len)
    }

    fn client_sealed(
        &mut self,
        record: Record,
        alert: bool,
        hidden: bool,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let early = self.offer.early_data && self.sides.to_client.sealed == 0;
        if alert {
            if let Some(entry) = out.outstanding(ID) {
                tell::failed(Outcome::ClientError, "encrypted_alert", &mut entry.exchange);
            }
        } else if record.kind != APPLICATION_DATA || !hidden || early {
            return skip(at, HEADER + record.length, len);
        } else if let Some(entry) = out.outstanding(ID) {
            entry.exchange.attributes.push_bool("tls.established", true);
        }
        if let Some(mark) = self.mark {
            out.close_response(ID, mark);
        }
        opaque(at)
    }
}
