//! Attributes of TLS exchanges, and what of a hello matters to the rest of the handshake.

use wire::Transport;

use super::ciphers::cipher_name;
use super::codes::{alert_name, encrypts_handshake, group_name, is_grease, version_name};
use super::fingerprint::ja4;
use super::hello::{ClientHello, ServerHello, extension};
use fact::{Attributes, Exchange, Outcome};

/// Longest list of names, in bytes.
const LONGEST: usize = 512;

/// Longest name of a server (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 255;

/// What a client offers that matters to the rest of the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientOffer {
    /// Data may follow the ClientHello at once.
    pub(crate) early_data: bool,
}

/// What a server chose that matters to the rest of the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerChoice {
    /// It is a HelloRetryRequest: another ClientHello follows.
    pub(crate) retry: bool,
    /// Everything behind it is encrypted (TLS 1.3).
    pub(crate) encrypts_handshake: bool,
    /// Keys are exchanged on an elliptic curve.
    pub(crate) elliptic: bool,
}

/// Adds the attributes of a ClientHello. `body` is the message behind its header of four bytes.
/// `cut`: its end is missing.
pub(crate) fn push_client_hello(
    body: &[u8],
    cut: bool,
    over: Transport,
    into: &mut Attributes,
) -> ClientOffer {
    let Some(hello) = ClientHello::read(body) else { return ClientOffer::default() };
    if let Some(name) = hello.server_name().filter(|name| !name.is_empty()) {
        let name = &name[..name.len().min(LONGEST_NAME)];
        into.push_bytes("server.address", name);
        into.push_bytes("tls.client.server_name", name);
    }
    let versions = hello.versions().filter(|&v| !is_grease(v));
    push_list(
        "tls.client.supported_versions",
        versions.filter_map(|v| version_name(v).map(|(_, name)| name)),
        into,
    );
    let protocols =
        hello.protocols().filter(|p| !matches!(p, [a, b] if a == b && a & 0x0f == 0x0a));
    push_list(
        "tls.client.supported_protocols",
        protocols.filter_map(|p| std::str::from_utf8(p).ok()),
        into,
    );
    let has = |kind| hello.extension(kind).is_some();
    let early_data = has(extension::EARLY_DATA);
    let ticket =
        hello.extension(extension::SESSION_TICKET).is_some_and(|ticket| !ticket.is_empty());
    let old_id = !hello.session_id.is_empty() && !has(extension::SUPPORTED_VERSIONS);
    if has(extension::PRE_SHARED_KEY) || ticket || old_id {
        into.push_bool("tls.client.resumption_offered", true);
    }
    if early_data {
        into.push_bool("tls.client.early_data", true);
    }
    if has(extension::ENCRYPTED_CLIENT_HELLO) {
        into.push_bool("tls.client.ech_offered", true);
    }
    if !cut {
        let over = if over == Transport::Udp { 'q' } else { 't' };
        into.push_text("tls.client.ja4", &ja4(&hello, over));
    }
    ClientOffer { early_data }
}

/// Adds the attributes of a ServerHello.
pub(crate) fn push_server_hello(body: &[u8], into: &mut Attributes) -> ServerChoice {
    let Some(hello) = ServerHello::read(body) else { return ServerChoice::default() };
    push_version(hello.version, into);
    let mut elliptic = false;
    if let Some(code) = hello.cipher {
        let name = cipher_name(code);
        elliptic = name.is_some_and(|name| name.starts_with("TLS_ECDH"));
        match name {
            Some(name) => into.push_text("tls.cipher", name),
            None => into.push_text("tls.cipher", &format!("0x{code:04x}")),
        }
    }
    if let Some(group) = hello.group() {
        push_group(group, into);
    }
    if let Some(protocol) = hello.protocol() {
        into.push_bytes("tls.next_protocol", protocol);
    }
    let encrypts_handshake = encrypts_handshake(hello.version);
    if hello.retry {
        into.push_bool("tls.hello_retry_request", true);
    } else if encrypts_handshake {
        into.push_bool("tls.resumed", hello.extension(extension::PRE_SHARED_KEY).is_some());
    }
    ServerChoice { retry: hello.retry, encrypts_handshake, elliptic }
}

/// Adds the attributes of a ClientHello in the form of SSL 2.0.
pub(super) fn push_sslv2_hello(version: u16, into: &mut Attributes) {
    if let Some((_, name)) = version_name(version) {
        into.push_text("tls.client.supported_versions", name);
    }
}

/// Adds an alert (RFC 8446 section 6).
pub(super) fn push_alert(level: u8, description: u8, into: &mut Attributes) {
    into.push_text("tls.alert.level", if level == 1 { "warning" } else { "fatal" });
    match alert_name(description) {
        Some(name) => into.push_text("tls.alert.description", name),
        None => into.push_int("tls.alert.description", i64::from(description)),
    }
}

/// Adds that the handshake failed.
pub(super) fn push_failure(outcome: Outcome, why: &str, exchange: &mut Exchange) {
    exchange.outcome = outcome;
    exchange.attributes.push_text("error.type", why);
    exchange.attributes.push_bool("tls.established", false);
}

/// Adds the protocol version.
fn push_version(version: u16, into: &mut Attributes) {
    match version_name(version) {
        Some((name, number)) => {
            into.push_text("tls.protocol.name", name);
            into.push_text("tls.protocol.version", number);
        }
        None => into.push_text("tls.protocol.version", &format!("0x{version:04x}")),
    }
}

/// Adds the group of the key exchange.
pub(super) fn push_group(group: u16, into: &mut Attributes) {
    match group_name(group) {
        Some(name) => into.push_text("tls.curve", name),
        None => into.push_text("tls.curve", &format!("0x{group:04x}")),
    }
}

/// Adds texts as one, with commas between them.
fn push_list<'a>(key: &'static str, parts: impl Iterator<Item = &'a str>, into: &mut Attributes) {
    let mut text = String::new();
    for part in parts {
        if text.len() + part.len() >= LONGEST {
            break;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(part);
    }
    if !text.is_empty() {
        into.push_text(key, &text);
    }
}
