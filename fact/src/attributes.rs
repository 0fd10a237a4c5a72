//! Attributes of exchanges: keys with text, whole numbers or truth values, in one buffer.

/// A value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// Whole number.
    Int(i64),
    /// Truth value.
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Text { start: u32, len: u32 },
    Int(i64),
    Bool(bool),
}

/// Attributes of a span in the order in which they were found; keys are the OpenTelemetry semantic
/// conventions'.
///
/// There are at most [`Attributes::MOST`], with [`Attributes::MOST_TEXT`] bytes of text. Where more
/// were left out, the attribute [`Attributes::LEFT_OUT`] is true.
///
/// All texts share one buffer, so a set of attributes costs two allocations, and none when it is
/// reused.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    entries: Vec<(&'static str, Slot)>,
    text: String,
}

impl Attributes {
    /// Most that are kept.
    pub const MOST: usize = 128;
    /// Most bytes of text that are kept.
    pub const MOST_TEXT: usize = 32 * 1024;
    /// Key of the attribute that is true where some were left out.
    pub const LEFT_OUT: &'static str = "wirespan.attributes_left_out";

    /// Adds a text.
    pub fn push_text(&mut self, key: &'static str, value: &str) {
        if !self.has_room(1, value.len()) {
            return self.leave_out();
        }
        let start = self.text.len() as u32;
        self.text.push_str(value);
        self.entries.push((key, Slot::Text { start, len: value.len() as u32 }));
    }

    /// Adds a text of bytes as they were on the wire; what is not UTF-8 becomes U+FFFD.
    pub fn push_bytes(&mut self, key: &'static str, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) => self.push_text(key, text),
            Err(_) => self.push_text(key, &String::from_utf8_lossy(value)),
        }
    }

    /// Adds a whole number.
    pub fn push_int(&mut self, key: &'static str, value: i64) {
        self.push(key, Slot::Int(value));
    }

    /// Adds a truth value.
    pub fn push_bool(&mut self, key: &'static str, value: bool) {
        self.push(key, Slot::Bool(value));
    }

    fn push(&mut self, key: &'static str, slot: Slot) {
        if self.has_room(1, 0) { self.entries.push((key, slot)) } else { self.leave_out() }
    }

    fn has_room(&self, entries: usize, text: usize) -> bool {
        self.entries.len() + entries <= Self::MOST && self.text.len() + text <= Self::MOST_TEXT
    }

    #[cold]
    fn leave_out(&mut self) {
        let is_marked = self.entries.last().is_some_and(|(key, _)| *key == Self::LEFT_OUT);
        if !is_marked && self.get(Self::LEFT_OUT).is_none() {
            self.entries.push((Self::LEFT_OUT, Slot::Bool(true)));
        }
    }

    /// Adds to a whole number; where there is none, it begins at 0.
    pub fn add_int(&mut self, key: &'static str, more: i64) {
        let known = self.entries.iter_mut().find_map(|(k, slot)| match slot {
            Slot::Int(n) if *k == key => Some(n),
            _ => None,
        });
        match known {
            Some(n) => *n = n.saturating_add(more),
            None => self.push_int(key, more),
        }
    }

    /// The value of `key`, if there is one.
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// Keys and values in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        self.entries.iter().map(|&(key, slot)| {
            let value = match slot {
                Slot::Text { start, len } => {
                    Value::Text(&self.text[start as usize..(start + len) as usize])
                }
                Slot::Int(n) => Value::Int(n),
                Slot::Bool(b) => Value::Bool(b),
            };
            (key, value)
        })
    }

    /// Adds all of `other` behind its own.
    pub fn append(&mut self, other: &Self) {
        self.extend_from(other, 0);
    }

    /// Adds those of `other` from the `from`th on.
    pub fn extend_from(&mut self, other: &Self, from: usize) {
        let entries = other.entries.get(from..).unwrap_or_default();
        if !self.has_room(entries.len(), other.text.len()) {
            return other.iter().skip(from).for_each(|(key, value)| match value {
                Value::Text(text) => self.push_text(key, text),
                Value::Int(n) => self.push_int(key, n),
                Value::Bool(b) => self.push_bool(key, b),
            });
        }
        let first = entries.iter().find_map(|(_, slot)| match slot {
            Slot::Text { start, .. } => Some(*start),
            _ => None,
        });
        let first = first.unwrap_or(other.text.len() as u32);
        let behind = self.text.len() as u32;
        self.text.push_str(other.text.get(first as usize..).unwrap_or_default());
        self.entries.extend(entries.iter().map(|&(key, slot)| match slot {
            Slot::Text { start, len } => (key, Slot::Text { start: start - first + behind, len }),
            other => (key, other),
        }));
    }

    /// Orders them by key. Where a key stands more than once its last value stays.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|&(key, _)| key);
        self.entries.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Removes everything, keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
    }

    /// Memory behind it, in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(&'static str, Slot)>() + self.text.capacity()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_order() {
        let mut a = Attributes::default();
        a.push_text("url.path", "/x");
        a.push_int("http.response.status_code", 200);
        a.push_bytes("server.address", b"a\xff");
        let all: Vec<_> = a.iter().collect();
        assert_eq!(all[0], ("url.path", Value::Text("/x")));
        assert_eq!(all[1], ("http.response.status_code", Value::Int(200)));
        assert_eq!(all[2], ("server.address", Value::Text("a\u{fffd}")));
        assert_eq!(a.get("nothing"), None);
        let mut b = Attributes::default();
        b.push_text("url.scheme", "http");
        b.extend_from(&a, 1);
        assert!(b.iter().skip(1).eq(a.iter().skip(1)));
        b.append(&a);
        assert_eq!(b.len(), 6);
        assert!(b.iter().skip(3).eq(a.iter()));
    }

    #[test]
    fn attributes_beyond_the_limits_are_left_out() {
        let mut many = Attributes::default();
        (0..100_000).for_each(|n| many.push_int("n", n));
        assert_eq!(
            (many.len(), many.get(Attributes::LEFT_OUT)),
            (Attributes::MOST + 1, Some(Value::Bool(true)))
        );
        let mut long = Attributes::default();
        long.push_int("first", 1);
        (0..100).for_each(|_| long.push_text("text", &"x".repeat(1000)));
        long.push_int("last", 2);
        assert!(long.text.len() <= Attributes::MOST_TEXT);
        assert_eq!(long.iter().filter(|(key, _)| *key == Attributes::LEFT_OUT).count(), 1);
        assert_eq!(long.get("last"), Some(Value::Int(2)));
        many.append(&long);
        long.append(&many);
        assert!(long.len() <= Attributes::MOST + 1 && many.len() <= Attributes::MOST + 1);
    }
}
