//! Causality by trace headers.

use fact::{Attributes, Value};

use crate::call_id::CallId;
use crate::hash::{Fingerprint, Map};
use crate::model::TraceId;

/// Beginnings of the keys of attributes that are headers of a request: of HTTP, of a message to a
/// broker, of a call.
const CARRIERS: [&str; 3] =
    ["http.request.header.", "messaging.message.header.", "rpc.request.metadata."];

/// Trace and request ids that a request carried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TraceHeaders {
    keys: [u64; TraceHeaders::MOST],
    /// Trace id of a valid `traceparent`.
    pub(crate) w3c: Option<TraceId>,
}

impl TraceHeaders {
    const MOST: usize = 3;

    pub(crate) fn of(attributes: &Attributes) -> Self {
        let mut found = Self::default();
        for (key, value) in attributes.iter() {
            let Some(header) = CARRIERS.iter().find_map(|carrier| key.strip_prefix(carrier)) else {
                continue;
            };
            let Value::Text(text) = value else { continue };
            let text = text.trim();
            let id = match header {
                "traceparent" => {
                    found.w3c = w3c(text);
                    match found.w3c {
                        Some(id) => found.add(&id.to_string()),
                        None => continue,
                    }
                    continue;
                }
                "b3" => text.split('-').next().filter(|id| id.len() >= 16),
                "x-b3-traceid" | "x-request-id" => Some(text),
                "sw8" => text.split('-').nth(1),
                _ => None,
            };
            // A shorter one is no unique id.
            if let Some(id) = id.filter(|id| id.len() >= 4) {
                found.add(id);
            }
        }
        found
    }

    fn add(&mut self, id: &str) {
        let key = Fingerprint::new().with(id.to_ascii_lowercase().as_bytes()).bits64();
        self.add_key(key);
    }

    fn add_key(&mut self, key: u64) {
        if !self.keys.contains(&key)
            && let Some(free) = self.keys.iter_mut().find(|k| **k == 0)
        {
            *free = key;
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.w3c = self.w3c.or(other.w3c);
        other.keys().for_each(|key| self.add_key(key));
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> + use<> {
        self.keys.into_iter().filter(|key| *key != 0)
    }
}

/// Trace id of a `traceparent` value (W3C Trace Context, section 3.2.2).
fn w3c(text: &str) -> Option<TraceId> {
    let mut parts = text.split('-');
    let version = parts.next()?;
    let id = parts.next()?;
    if version.len() != 2 || version.eq_ignore_ascii_case("ff") || parts.next()?.len() != 16 {
        return None;
    }
    TraceId::try_from(id.to_ascii_lowercase()).ok().filter(|id| id.0 != 0)
}

/// Calls that are not finished, by the ids that they carry.
#[derive(Debug, Default)]
pub(crate) struct ByHeader {
    calls: Map<u64, Vec<CallId>>,
}

/// Calls with one id that are compared; a client that reuses one id for all is not worth more.
const PER_ID: usize = 64;

impl ByHeader {
    pub(crate) fn add(&mut self, id: CallId, headers: &TraceHeaders) {
        for key in headers.keys() {
            let list = self.calls.entry(key).or_default();
            if list.len() >= PER_ID {
                list.remove(0);
            }
            list.push(id);
        }
    }

    pub(crate) fn with(&self, headers: &TraceHeaders) -> Vec<CallId> {
        let mut found: Vec<CallId> =
            headers.keys().filter_map(|k| self.calls.get(&k)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(crate) fn remove(&mut self, id: CallId, headers: &TraceHeaders) {
        for key in headers.keys() {
            if let Some(list) = self.calls.get_mut(&key) {
                list.retain(|c| *c != id);
                if list.is_empty() {
                    self.calls.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_every_kind_of_header() {
        let mut a = Attributes::default();
        a.push_text(
            "http.request.header.traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
        let mut b = Attributes::default();
        b.push_text(
            "http.request.header.b3",
            "0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-1",
        );
        let mut sent = Attributes::default();
        sent.push_text(
            "messaging.message.header.traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
        );
        assert!(TraceHeaders::of(&sent).keys().eq(TraceHeaders::of(&a).keys()));
        let (a, b) = (TraceHeaders::of(&a), TraceHeaders::of(&b));
        assert_eq!(a.w3c, Some(TraceId(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c)));
        assert!(a.keys().eq(b.keys()) && a.keys().count() == 1);
    }

    #[test]
    fn broken_values_give_no_id() {
        for text in [
            "",
            "00",
            "00-0-1-1",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-x-y-z",
        ] {
            let mut a = Attributes::default();
            a.push_text("http.request.header.traceparent", text);
            assert_eq!(TraceHeaders::of(&a).keys().count(), 0, "{text}");
        }
    }
}
