//! Encrypted records: their types, lengths and places tell how the handshake ended.

use wire::Direction;

use super::{End, ID, MOST_SKIPPED, Step, TlsParser, opaque, skip};
use crate::correlate::{Kind, Messages};
use crate::protocols::tls::attributes;
use crate::protocols::tls::record::{
    ALERT, APPLICATION_DATA, HANDSHAKE, HEADER, HEARTBEAT, Record,
};
use fact::Outcome;

/// Length of an encrypted alert of TLS 1.3: level, description, content type and authentication
/// tag. No handshake message is as short.
const ENCRYPTED_ALERT: usize = 19;

impl TlsParser {
    /// An encrypted record: only its type, length and place in the handshake are known.
    pub(super) fn on_encrypted(
        &mut self,
        direction: Direction,
        record: Record,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        if self.choice.is_none()
            && !self.sides.to_server.synchronised
            && !self.sides.to_client.synchronised
        {
            return opaque(at);
        }
        self.records_skipped += 1;
        if self.records_skipped > MOST_SKIPPED {
            return opaque(at);
        }
        let side = &mut self.sides[direction];
        let first = side.encrypted == 0;
        side.encrypted += 1;
        let encrypts_handshake = self.choice.is_some_and(|choice| choice.encrypts_handshake);
        let alert = record.kind == ALERT
            || encrypts_handshake
                && first
                && record.kind == APPLICATION_DATA
                && record.length == ENCRYPTED_ALERT;
        if direction == Direction::ToServer {
            return self.on_encrypted_from_client(record, alert, encrypts_handshake, len, at, out);
        }
        let end = match record.kind {
            _ if alert => {
                if let Some(entry) = out.current(Kind::Response, ID) {
                    attributes::push_failure(
                        Outcome::ServerError,
                        "encrypted_alert",
                        &mut entry.exchange,
                    );
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

    fn on_encrypted_from_client(
        &mut self,
        record: Record,
        alert: bool,
        encrypts_handshake: bool,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let early = self.offer.early_data && self.sides.to_client.encrypted == 0;
        if alert {
            if let Some(entry) = out.outstanding(ID) {
                attributes::push_failure(
                    Outcome::ClientError,
                    "encrypted_alert",
                    &mut entry.exchange,
                );
            }
        } else if record.kind != APPLICATION_DATA || !encrypts_handshake || early {
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
