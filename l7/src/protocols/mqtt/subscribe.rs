//! SUBSCRIBE and UNSUBSCRIBE, and their acknowledgements.

use super::codes;
use super::properties::section;
use crate::kit::reader::{Reader, first_bytes};
use fact::Exchange;

/// Bytes of topic filters that are recorded.
const FILTERS: usize = 1000;

/// Adds a SUBSCRIBE (section 3.8) or UNSUBSCRIBE (3.10) to its exchange. `options`: each filter is
/// followed by options, as in SUBSCRIBE.
pub(super) fn push_filters(
    body: &[u8],
    level: Option<u8>,
    options: bool,
    text: &mut String,
    into: &mut Exchange,
) {
    text.clear();
    let mut r = Reader::new(body);
    let Some(id) = r.u16() else { return };
    into.attributes.push_int("mqtt.packet_id", i64::from(id));
    if level == Some(5) && section(&mut r).is_none() {
        return;
    }
    let mut number = 0;
    while let Some(filter) = r.bytes16() {
        number += 1;
        let room = FILTERS.saturating_sub(text.len());
        if room > 0 {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&String::from_utf8_lossy(first_bytes(filter, room)));
        }
        if options
            && let Some(options) = r.u8()
            && number == 1
        {
            into.attributes.push_int("mqtt.qos", i64::from(options & 3));
        }
    }
    if number > 0 {
        into.attributes.push_text("messaging.destination.name", text);
        into.attributes.push_int("mqtt.filters", number);
    }
}

/// Adds a SUBACK or UNSUBACK to its exchange: a code for each filter. The first refusal decides the
/// outcome.
pub(super) fn push_acknowledgement(body: &[u8], level: Option<u8>, into: &mut Exchange) {
    let mut r = Reader::new(body);
    if r.u16().is_none() || level == Some(5) && section(&mut r).is_none() {
        return;
    }
    let refused = r.rest().iter().copied().find(|&code| code >= 0x80);
    if let Some(code) = refused.or(r.rest().first().copied()) {
        into.outcome = match (level, refused) {
            (Some(5), _) | (_, None) => codes::push_reason_code(code, &mut into.attributes),
            (_, Some(code)) => codes::push_failure(code, &mut into.attributes),
        };
    }
}
