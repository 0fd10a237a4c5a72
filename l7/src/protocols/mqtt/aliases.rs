//! Topic aliases.

/// Topics of one direction by their aliases (MQTT 5, section 3.3.2.3.4). Of too many, the oldest is
/// removed.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    known: Vec<(u16, String)>,
}

impl Aliases {
    const MOST: usize = 64;

    pub(super) fn insert(&mut self, alias: u16, topic: &str) {
        self.known.retain(|(a, _)| *a != alias);
        if self.known.len() >= Self::MOST {
            self.known.remove(0);
        }
        self.known.push((alias, topic.to_owned()));
    }

    pub(super) fn topic(&self, alias: u16) -> Option<&str> {
        self.known.iter().find(|(a, _)| *a == alias).map(|(_, topic)| topic.as_str())
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// Bytes allocated on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<(u16, String)>()
            + self.known.iter().map(|(_, topic)| topic.capacity()).sum::<usize>()
    }
}
