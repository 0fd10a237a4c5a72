//! Types of other crates as text, for serde's `with`. Each writes the name that records have and
//! reads it back.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads a text, borrowed where the input can be borrowed from, and converts it.
struct FromText<T> {
    expected: &'static str,
    convert: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.convert)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    convert: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(FromText { expected, convert })
}

/// Declares a module for `with` of a type that has `as_str`.
macro_rules! by_name {
    ($module:ident, $type:ty, $expected:literal, $convert:expr) => {
        pub(crate) mod $module {
            pub(crate) fn serialize<S: serde::Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value.as_str())
            }

            pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                super::read(deserializer, $expected, $convert)
            }
        }
    };
}

by_name!(protocol, fact::Protocol, "the name of a protocol", fact::Protocol::from_name);
by_name!(outcome, fact::Outcome, "the name of an outcome", |name| {
    fact::Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name)
});
by_name!(tap_kind, wire::TapKind, "the name of a kind of device", |name| {
    wire::TapKind::ALL.into_iter().find(|kind| kind.as_str() == name)
});

/// An endpoint as `address:port`, brackets around an IPv6 address.
pub(super) mod endpoint {
    use std::net::SocketAddr;

    use wire::Endpoint;

    pub(crate) fn serialize<S: serde::Serializer>(
        endpoint: &Endpoint,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(endpoint)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Endpoint, D::Error> {
        super::read(deserializer, "an address and a port", |text| {
            let address: SocketAddr = text.parse().ok()?;
            Some(Endpoint { address: address.ip(), port: address.port() })
        })
    }
}
