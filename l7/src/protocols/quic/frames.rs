//! Frames of Initial packets (RFC 9000 section 19), and error codes (section 20).

use super::crypto::Crypto;
use super::packet::varint;
use crate::protocols::tls::alert_name;

// Frame types (RFC 9000 section 12.4).
const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const ACK: u8 = 0x02;
const ACK_ECN: u8 = 0x03;
const CRYPTO: u8 = 0x06;
const CONNECTION_CLOSE: u8 = 0x1c;
const CONNECTION_CLOSE_APPLICATION: u8 = 0x1d;

/// Adds the CRYPTO frames of an Initial packet to `crypto`. Returns the error code if the
/// connection is closed.
pub(super) fn read(mut rest: &[u8], crypto: &mut Crypto) -> Option<u64> {
    while let Some((&first, more)) = rest.split_first() {
        match first {
            PADDING | PING => rest = more,
            ACK | ACK_ECN => {
                rest = more;
                skip_ack(&mut rest, first == ACK_ECN)?;
            }
            CRYPTO => {
                rest = more;
                let offset = varint(&mut rest)?;
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (data, behind) = rest.split_at_checked(length)?;
                crypto.add(offset, data);
                rest = behind;
            }
            CONNECTION_CLOSE | CONNECTION_CLOSE_APPLICATION => {
                rest = more;
                return varint(&mut rest);
            }
            _ => return None,
        }
    }
    None
}

/// Passes over the fields of an ACK frame (RFC 9000 section 19.3).
fn skip_ack(rest: &mut &[u8], with_counts: bool) -> Option<()> {
    let (_largest, _delay, ranges) = (varint(rest)?, varint(rest)?, varint(rest)?);
    let numbers = ranges.checked_mul(2)?.checked_add(if with_counts { 4 } else { 1 })?;
    // Each number takes at least a byte, so this ends with the bytes.
    for _ in 0..numbers {
        varint(rest)?;
    }
    Some(())
}

/// Name of a transport error (RFC 9000 section 20.1). Errors of TLS have the names of their alerts.
pub(super) fn error_name(code: u64) -> Option<&'static str> {
    const NAMES: [&str; 17] = [
        "no_error",
        "internal_error",
        "connection_refused",
        "flow_control_error",
        "stream_limit_error",
        "stream_state_error",
        "final_size_error",
        "frame_encoding_error",
        "transport_parameter_error",
        "connection_id_limit_error",
        "protocol_violation",
        "invalid_token",
        "application_error",
        "crypto_buffer_exceeded",
        "key_update_error",
        "aead_limit_reached",
        "no_viable_path",
    ];
    match code {
        0x11 => Some("version_negotiation_error"),
        0x100..=0x1ff => alert_name(code as u8),
        _ => NAMES.get(usize::try_from(code).ok()?).copied(),
    }
}
