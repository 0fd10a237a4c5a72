use crate::correlate::Entry;
use crate::protocols::http::tell::Said;
use fact::Attributes;

/// Longest head that is remembered, in bytes.
const LONGEST: usize = 1024;
/// Heads in a row that differ from the one before until remembering is given up.
const PATIENCE: u8 = 8;

/// The last head of one direction, and what it said: a kept connection often repeats itself to the byte (probes, polls, scrapes,
/// calls that say what they want in the body), and need not be understood again.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Empty where there is none.
    head: Vec<u8>,
    said: Said,
    operation: String,
    attributes: Attributes,
    /// Heads since the last that was the same.
    differ: u8,
}

impl Memo {
    /// Length of the head that `bytes` begin with and what it says, if it is the one remembered.
    pub(super) fn recall(&mut self, bytes: &[u8]) -> Option<(usize, Said)> {
        if self.head.is_empty() || !bytes.starts_with(&self.head) {
            return None;
        }
        self.differ = 0;
        Some((self.head.len(), self.said))
    }

    /// Adds the texts of the remembered head.
    pub(super) fn tell(&self, entry: &mut Entry) {
        entry.exchange.operation.push_str(&self.operation);
        entry.exchange.attributes.extend_from(&self.attributes, 0);
    }

    /// Remembers a head, and the attributes of `entry` from the `from`th on, unless they all differ.
    pub(super) fn learn(&mut self, head: &[u8], said: Said, entry: &Entry, from: usize) {
        self.differ = self.differ.saturating_add(1);
        self.head.clear();
        if self.differ == PATIENCE {
            (self.head, self.attributes) = (Vec::new(), Attributes::default());
        }
        if self.differ >= PATIENCE || head.len() > LONGEST {
            return;
        }
        self.head.extend_from_slice(head);
        self.said = said;
        self.operation.clear();
        if said.code == 0 {
            self.operation.push_str(&entry.exchange.operation);
        }
        self.attributes.clear();
        self.attributes.extend_from(&entry.exchange.attributes, from);
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.head.capacity() + self.operation.capacity() + self.attributes.bytes()
    }
}
