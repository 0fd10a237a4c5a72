//! Places in the settings that keys fill, by their types.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use capture::Promiscuous;
use xdp::Ingress;

use super::kind::Value;
use super::settings::{Backend, Privileges};

/// A place in the settings that a key fills. A value that does not fit leaves the place as it was.
pub(super) trait Field {
    /// Takes a value that its kind has accepted; false where it does not fit the place's type.
    fn put(&mut self, value: &Value) -> bool;
    /// The value that the place holds; none for an optional one that is empty.
    fn get(&self) -> Option<Value>;
}

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn put(&mut self, value: &Value) -> bool {
                let Value::Int(n) = value else { return false };
                <$type>::try_from(*n).map(|n| *self = n).is_ok()
            }
            fn get(&self) -> Option<Value> {
                u64::try_from(*self).ok().map(Value::Int)
            }
        }
    )*};
}
whole_number!(u8, u16, u32, u64, usize);

macro_rules! plain {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl Field for $type {
            fn put(&mut self, value: &Value) -> bool {
                let Value::$variant(v) = value else { return false };
                *self = v.clone();
                true
            }
            fn get(&self) -> Option<Value> {
                Some(Value::$variant(self.clone()))
            }
        }
    )*};
}
plain!(
    bool => Bool,
    String => Text,
    Vec<String> => Texts,
    Vec<u16> => Ports,
    Duration => Time,
    SocketAddr => Address,
);

impl Field for Option<String> {
    fn put(&mut self, value: &Value) -> bool {
        let Value::Text(text) = value else { return false };
        *self = (!text.is_empty()).then(|| text.clone());
        true
    }
    fn get(&self) -> Option<Value> {
        self.clone().map(Value::Text)
    }
}

impl Field for Option<PathBuf> {
    fn put(&mut self, value: &Value) -> bool {
        let Value::Text(text) = value else { return false };
        *self = (!text.is_empty()).then(|| PathBuf::from(text));
        true
    }
    fn get(&self) -> Option<Value> {
        self.as_ref().map(|path| Value::Text(path.display().to_string()))
    }
}

macro_rules! words {
    ($type:ty { $($word:literal => $value:path),* $(,)? }) => {
        impl Field for $type {
            fn put(&mut self, value: &Value) -> bool {
                let Value::Text(text) = value else { return false };
                match text.as_str() {
                    $($word => *self = $value,)*
                    _ => return false,
                }
                true
            }
            fn get(&self) -> Option<Value> {
                let word = match self {
                    $($value => $word,)*
                };
                Some(Value::Text(word.to_owned()))
            }
        }
    };
}
words!(Promiscuous { "off" => Promiscuous::Off, "bridges" => Promiscuous::Bridges, "all" => Promiscuous::All });
words!(Ingress {
    "auto" => Ingress::Best,
    "native" => Ingress::Native,
    "generic" => Ingress::Generic,
    "tcx" => Ingress::Tcx,
});
words!(Backend { "af_packet" => Backend::AfPacket, "xdp" => Backend::Xdp });
words!(Privileges { "drop" => Privileges::Drop, "keep" => Privileges::Keep });
