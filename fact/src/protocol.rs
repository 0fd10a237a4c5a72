//! The name of an application protocol. Which protocols there are is for `l7` to say.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// An application protocol, by the name that records and labels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(&'static str);

impl Protocol {
    /// Longest name, in bytes.
    pub const LONGEST_NAME: usize = 32;

    /// The protocol of this name: lower-case letters, digits and `_`, at most
    /// [`LONGEST_NAME`](Self::LONGEST_NAME) bytes. Meant for constants.
    ///
    /// # Panics
    ///
    /// If the name is none; a constant does not compile then.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_name(name), "a protocol's name has lower-case letters, digits and `_` only");
        Self(name)
    }

    /// The protocol of a name that was written before, as in a database. Takes a lock, and keeps
    /// the memory of each name that it meets for the first time: it is for where text comes in, not
    /// for each record. Returns `None` for what is no name, and for names beyond the 256th.
    pub fn from_name(name: &str) -> Option<Self> {
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        intern(&mut NAMES.lock().unwrap_or_else(PoisonError::into_inner), name)
    }

    /// Name in records and labels.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Names that [`Protocol::from_name`] keeps at most: ten times those that there are.
const NAMES_LIMIT: usize = 256;

fn intern(names: &mut BTreeSet<&'static str>, name: &str) -> Option<Protocol> {
    if let Some(&known) = names.get(name) {
        return Some(Protocol(known));
    }
    if !is_name(name) || names.len() >= NAMES_LIMIT {
        return None;
    }
    let kept: &'static str = Box::leak(name.into());
    names.insert(kept);
    Some(Protocol(kept))
}

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= Protocol::LONGEST_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_read_back_is_the_same_protocol() {
        const SMTP: Protocol = Protocol::new("smtp");
        let name = String::from("smtp");
        assert_eq!(Protocol::from_name(&name), Some(SMTP));
        assert_eq!(Protocol::from_name(&name).map(Protocol::as_str), Some("smtp"));
    }

    #[test]
    fn what_is_no_name_is_no_protocol() {
        for name in ["", "HTTP", "h t", "é", "a-b", &"a".repeat(33)] {
            assert_eq!(Protocol::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn names_beyond_the_limit_are_not_kept() {
        let mut names = BTreeSet::new();
        let found = (0..1000).filter_map(|n| intern(&mut names, &format!("many{n}"))).count();
        assert_eq!(found, NAMES_LIMIT);
        assert_eq!(intern(&mut names, "many0"), Some(Protocol("many0")));
    }
}
