//! Kinds of values, their ranges, and their text in the example file.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What a key's value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number from `min` to `max`.
    Int { min: u64, max: u64 },
    /// A whole number of milliseconds.
    Millis { min: u64, max: u64 },
    /// A whole number of seconds.
    Seconds { min: u64, max: u64 },
    /// `true` or `false`.
    Bool,
    /// Any text; empty stands for none.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Address and port.
    Address,
    /// A list of texts; in the environment separated by commas.
    Texts,
    /// A list of port numbers; in the environment separated by commas.
    Ports,
}

/// A value that was found right for its [`Kind`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Int(u64),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    Ports(Vec<u16>),
    Time(Duration),
    Address(SocketAddr),
}

impl Kind {
    /// Reads a value of a TOML file.
    pub(super) fn read_toml(self, value: &toml::Value) -> Option<Value> {
        let number = || value.as_integer().and_then(|n| u64::try_from(n).ok());
        match self {
            Self::Int { min, max } => number().filter(|n| (min..=max).contains(n)).map(Value::Int),
            Self::Millis { min, max } => number()
                .filter(|n| (min..=max).contains(n))
                .map(|n| Value::Time(Duration::from_millis(n))),
            Self::Seconds { min, max } => number()
                .filter(|n| (min..=max).contains(n))
                .map(|n| Value::Time(Duration::from_secs(n))),
            Self::Bool => value.as_bool().map(Value::Bool),
            Self::Text => value.as_str().map(|s| Value::Text(s.to_owned())),
            Self::Choice(words) => {
                value.as_str().filter(|s| words.contains(s)).map(|s| Value::Text(s.to_owned()))
            }
            Self::Address => value.as_str().and_then(|s| s.parse().ok()).map(Value::Address),
            Self::Texts => {
                let items = value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned));
                items.collect::<Option<_>>().map(Value::Texts)
            }
            Self::Ports => {
                let items = value
                    .as_array()?
                    .iter()
                    .map(|item| item.as_integer().and_then(|n| u16::try_from(n).ok()));
                items.collect::<Option<_>>().map(Value::Ports)
            }
        }
    }

    /// Reads a value of the environment or of a flag: as in the file, but without quotes and
    /// brackets.
    pub(super) fn read_text(self, text: &str) -> Option<Value> {
        let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let value = match self {
            Self::Int { .. } | Self::Millis { .. } | Self::Seconds { .. } => {
                toml::Value::Integer(text.trim().parse().ok()?)
            }
            Self::Bool => toml::Value::Boolean(text.trim().parse().ok()?),
            Self::Text | Self::Choice(_) | Self::Address => toml::Value::String(text.to_owned()),
            Self::Texts => {
                items().map(|item| toml::Value::String(item.to_owned())).collect::<Vec<_>>().into()
            }
            Self::Ports => {
                let ports = items().map(|item| item.parse().ok().map(toml::Value::Integer));
                ports.collect::<Option<Vec<_>>>()?.into()
            }
        };
        self.read_toml(&value)
    }

    /// Writes a value as it stands in a TOML file.
    pub(super) fn to_toml(self, value: &Value) -> toml::Value {
        let integer = |n: u128| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        match (self, value) {
            (_, Value::Int(n)) => integer(u128::from(*n)),
            (_, Value::Bool(b)) => toml::Value::Boolean(*b),
            (_, Value::Text(text)) => toml::Value::String(text.clone()),
            (_, Value::Texts(items)) => items
                .iter()
                .map(|item| toml::Value::String(item.clone()))
                .collect::<Vec<_>>()
                .into(),
            (_, Value::Ports(items)) => items
                .iter()
                .map(|&port| toml::Value::Integer(port.into()))
                .collect::<Vec<_>>()
                .into(),
            (Self::Millis { .. }, Value::Time(time)) => integer(time.as_millis()),
            (_, Value::Time(time)) => integer(u128::from(time.as_secs())),
            (_, Value::Address(address)) => toml::Value::String(address.to_string()),
        }
    }
}

impl fmt::Display for Kind {
    /// What is expected, for mistakes and for the example file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Millis { min, max } => {
                write!(f, "a whole number of milliseconds from {min} to {max}")
            }
            Self::Seconds { min, max } => {
                write!(f, "a whole number of seconds from {min} to {max}")
            }
            Self::Bool => f.write_str("true or false"),
            Self::Text => f.write_str("a text"),
            Self::Choice(words) => write!(f, "one of \"{}\"", words.join("\", \"")),
            Self::Address => {
                f.write_str("an address and a port such as \"127.0.0.1:9797\" or \"[::1]:9797\"")
            }
            Self::Texts => f.write_str("a list of texts"),
            Self::Ports => f.write_str("a list of port numbers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_reads_what_the_file_reads() {
        let kind = Kind::Int { min: 1, max: 9 };
        assert_eq!(kind.read_text("9"), kind.read_toml(&toml::Value::Integer(9)));
        assert_eq!(kind.read_text("10"), None);
        assert_eq!(kind.read_text("-1"), None);
        assert_eq!(
            Kind::Texts.read_text("veth*, eth0"),
            Some(Value::Texts(vec!["veth*".into(), "eth0".into()]))
        );
        assert_eq!(Kind::Ports.read_text("4789,70000"), None);
        assert_eq!(Kind::Choice(&["a", "b"]).read_text("c"), None);
    }
}
