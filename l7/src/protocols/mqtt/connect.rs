//! CONNECT and CONNACK.

use super::codes;
use super::properties::section;
use crate::kit::reader::{Reader, first_bytes};
use fact::{Attributes, Exchange, Outcome};

/// Bytes of a name that are recorded.
const NAME: usize = 256;

/// Version of the protocol by its level (section 3.1.2.2).
pub(super) fn version_name(level: u8) -> Option<&'static str> {
    Some(match level {
        3 => "3.1",
        4 => "3.1.1",
        5 => "5",
        _ => return None,
    })
}

/// Adds a CONNECT (section 3.1) without will and password to the attributes; returns the protocol's
/// level.
pub(super) fn push_connect(body: &[u8], into: &mut Attributes) -> Option<u8> {
    let mut r = Reader::new(body);
    r.bytes16()?;
    // The highest bit marks bridges of some brokers.
    let level = r.u8()? & 0x7f;
    if let Some(version) = version_name(level) {
        into.push_text("network.protocol.version", version);
    }
    let _ = rest(&mut r, level, into);
    Some(level)
}

fn rest(r: &mut Reader<'_>, level: u8, into: &mut Attributes) -> Option<()> {
    let flags = r.u8()?;
    into.push_bool("mqtt.clean_session", flags & 2 != 0);
    into.push_int("mqtt.keep_alive", i64::from(r.u16()?));
    if level == 5
        && let Some(method) = section(r)?.auth_method
    {
        into.push_bytes("mqtt.auth_method", first_bytes(method, NAME));
    }
    let client = r.bytes16()?;
    if !client.is_empty() {
        into.push_bytes("messaging.client.id", first_bytes(client, NAME));
    }
    if flags & 4 != 0 {
        if level == 5 {
            section(r)?;
        }
        let topic = r.bytes16()?;
        into.push_bytes("mqtt.will.topic", first_bytes(topic, NAME));
        r.bytes16()?;
    }
    if flags & 0x80 != 0 {
        into.push_bytes("user.name", first_bytes(r.bytes16()?, NAME));
    }
    Some(())
}

/// Adds a CONNACK (section 3.2) to its exchange.
pub(super) fn push_connack(body: &[u8], level: Option<u8>, into: &mut Exchange) {
    let mut r = Reader::new(body);
    let (Some(flags), Some(code)) = (r.u8(), r.u8()) else { return };
    into.attributes.push_bool("mqtt.session_present", flags & 1 != 0);
    if level != Some(5) && body.len() == 2 {
        into.outcome = codes::push_return_code(code, &mut into.attributes);
        return;
    }
    into.outcome = codes::push_reason_code(code, &mut into.attributes);
    let Some(properties) = section(&mut r) else { return };
    if let Some(client) = properties.assigned_client {
        into.attributes.push_bytes("messaging.client.id", first_bytes(client, NAME));
    }
    if let Some(reason) = properties.reason {
        into.attributes.push_bytes("mqtt.reason_string", first_bytes(reason, NAME));
    }
}

/// Adds a reason code and properties to their exchange: they follow the packet id of an
/// acknowledgement, and are all of a DISCONNECT or AUTH.
pub(super) fn push_reason(r: &mut Reader<'_>, into: &mut Exchange) {
    let Some(code) = r.u8() else { return };
    let outcome = codes::push_reason_code(code, &mut into.attributes);
    if outcome != Outcome::Ok {
        into.outcome = outcome;
    }
    let Some(properties) = section(r) else { return };
    if let Some(reason) = properties.reason {
        into.attributes.push_bytes("mqtt.reason_string", first_bytes(reason, NAME));
    }
    if let Some(method) = properties.auth_method {
        into.attributes.push_bytes("mqtt.auth_method", first_bytes(method, NAME));
    }
}
