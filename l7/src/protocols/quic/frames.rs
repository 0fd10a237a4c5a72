//! Frames of Initial packets.

use super::crypto::Crypto;
use super::packet::varint;
use crate::protocols::tls::alert_name;

/// Takes the handshake out of the frames of an Initial packet (RFC 9000 section 19); gives the
/// error if the connection is closed.
pub(super) fn read(mut rest: &[u8], crypto: &mut Crypto) -> Option<u64> {
    while let Some((&first, more)) = rest.split_first() {
        match first {
            0 | 1 => rest = more,
            2 | 3 => {
                rest = more;
                skip_ack(&mut rest, first == 3)?;
            }
            6 => {
                rest = more;
                let offset = varint(&mut rest)?;
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (data, behind) = rest.split_at_checked(length)?;
                crypto.add(offset, data);
                rest = behind;
            }
            0x1c | 0x1d => {
                rest = more;
                return varint(&mut rest);
            }
            _ => return None,
        }
    }
    None
}

fn skip_ack(rest: &mut &[u8], with_counts: bool) -> Option<()> {
    let (_largest, _delay, ranges) = (varint(rest)?, varint(rest)?, varint(rest)?);
    let numbers = ranges.checked_mul(2)?.checked_add(if with_counts { 4 } else { 1 })?;
    // Each number takes a byte at least, so this ends with the bytes.
    for _ in 0..numbers {
        varint(rest)?;
    }
    Some(())
}

/// Name of an error (RFC 9000 section 20.1); a TLS alert has its own.
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
