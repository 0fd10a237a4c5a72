use super::attributes::{self, Field};
use super::body::Framing;
use super::lines::Lines;
use super::url::Target;
use crate::fact::{Outcome, Protocol};
use crate::l7::messages::{Entry, Kind, Messages};

/// Tags of requests whose responses are delimited otherwise.
pub(super) const HEAD: u16 = 1;
pub(super) const CONNECT: u16 = 2;

/// A head to be told.
pub(super) struct Head<'a> {
    /// Where its message begins in the bytes shown.
    pub(super) at: usize,
    pub(super) bytes: &'a [u8],
    pub(super) lines: &'a Lines,
}

impl<'a> Head<'a> {
    pub(super) fn request(
        &self,
        method: &[u8],
        target: &[u8],
        minor: Option<u8>,
        out: &mut Messages,
    ) -> (Framing, bool) {
        let entry = out.open(Protocol::Http, Kind::Request, 0, self.at);
        let connect = method == b"CONNECT";
        entry.tag = match method {
            b"HEAD" => HEAD,
            b"CONNECT" => CONNECT,
            _ => 0,
        };
        let exchange = &mut entry.exchange;
        exchange.operation.push_str(std::str::from_utf8(method).unwrap_or_default());
        let into = &mut exchange.attributes;
        attributes::method(into, method);
        let target = Target::of(target, connect);
        attributes::target(into, &target);
        if let Some(minor) = minor {
            attributes::version(into, minor);
        }
        if let Some(authority) = target.authority {
            attributes::server(into, authority);
        }
        let mut framing = Framing::Unsaid;
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::request_field) {
            match field {
                Field::Body(field) => framing.field(field, value),
                Field::Host if target.authority.is_none() => attributes::server(into, value),
                Field::Keep(key) => attributes::keep(into, key, value),
                Field::Host | Field::Upgrade => {}
            }
        }
        (framing, connect)
    }

    pub(super) fn response(&self, code: u16, minor: u8, out: &mut Messages) -> (Framing, Option<&'a [u8]>) {
        let entry = out.open(Protocol::Http, Kind::Response, 0, self.at);
        status(entry, code, minor);
        let into = &mut entry.exchange.attributes;
        let mut framing = Framing::Unsaid;
        let mut upgrade = None;
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::response_field) {
            match field {
                Field::Body(field) => framing.field(field, value),
                Field::Upgrade => upgrade = Some(value),
                Field::Keep(key) => attributes::keep(into, key, value),
                Field::Host => {}
            }
        }
        (framing, upgrade)
    }
}

fn status(entry: &mut Entry, code: u16, minor: u8) {
    let exchange = &mut entry.exchange;
    exchange.outcome = match code {
        400..500 => Outcome::ClientError,
        500.. => Outcome::ServerError,
        _ => Outcome::Ok,
    };
    if exchange.request.is_none() {
        attributes::version(&mut exchange.attributes, minor);
    }
    exchange.attributes.push_int("http.response.status_code", i64::from(code));
}
