//! Attributes of a call, ordered by key: as its parser found them, or as they were read from text.

use std::collections::BTreeMap;

use fact::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Attributes of a call, in the order of their keys, of which each is there once.
#[derive(Clone, Debug, Default)]
pub struct Attributes(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Of an exchange, moved here as they are: keys are static and all texts share one buffer.
    Found(fact::Attributes),
    /// Read from JSON, where keys are owned.
    Read(BTreeMap<Box<str>, OwnedValue>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OwnedValue {
    Bool(bool),
    Int(i64),
    Text(Box<str>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Found(fact::Attributes::default())
    }
}

impl OwnedValue {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::Int(*n),
            Self::Text(text) => Value::Text(text),
        }
    }
}

impl Attributes {
    /// The value of `key`, if there is one.
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        match &self.0 {
            Source::Found(found) => found.get(key),
            Source::Read(read) => read.get(key).map(OwnedValue::as_value),
        }
    }

    /// The text of `key`, if there is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let (found, read) = match &self.0 {
            Source::Found(found) => (Some(found), None),
            Source::Read(read) => (None, Some(read)),
        };
        let read = read.into_iter().flatten().map(|(key, value)| (&**key, value.as_value()));
        let found = found.into_iter().flat_map(|found| found.iter());
        found.map(|(key, value)| -> (&str, Value<'_>) { (key, value) }).chain(read)
    }
}

impl From<fact::Attributes> for Attributes {
    fn from(mut found: fact::Attributes) -> Self {
        found.sort();
        Self(Source::Found(found))
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key, AsText(value))))
    }
}

/// A value as JSON has it.
struct AsText<'a>(Value<'a>);

impl Serialize for AsText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(n) => serializer.serialize_i64(n),
            Value::Bool(b) => serializer.serialize_bool(b),
        }
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|read| Self(Source::Read(read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Attributes {
        let mut found = fact::Attributes::default();
        found.push_text("url.path", "/first");
        found.push_int("http.response.status_code", 200);
        found.push_text("url.path", "/last");
        found.push_bool("a", true);
        found.into()
    }

    #[test]
    fn keys_are_written_once_in_their_order_with_the_last_value() {
        let text = r#"{"a":true,"http.response.status_code":200,"url.path":"/last"}"#;
        assert_eq!(serde_json::to_string(&found()).unwrap(), text);
    }

    #[test]
    fn attributes_read_back_equal_those_written() {
        let text = r#"{"url.path":"/last","http.response.status_code":200,"a":true}"#;
        let read: Attributes = serde_json::from_str(text).unwrap();
        assert_eq!(read, found());
        assert_eq!(read.text("url.path"), Some("/last"));
        assert_eq!(found().get("http.response.status_code"), Some(Value::Int(200)));
        assert_eq!((read.get("b"), read.text("a")), (None, None));
        assert_ne!(read, Attributes::default());
    }
}
