//! Names of topics by their ids.

/// Id of a topic.
pub(super) type Uuid = [u8; 16];

/// Names of topics by their ids, from metadata. Beyond [`TopicIds::MOST`] the oldest is replaced.
#[derive(Debug, Default)]
pub(super) struct TopicIds {
    known: Vec<(Uuid, String)>,
    next: usize,
}

impl TopicIds {
    const MOST: usize = 256;

    pub(super) fn insert(&mut self, id: Uuid, name: &str) {
        if id == [0; 16] || name.is_empty() || self.name(&id).is_some() {
            return;
        }
        let entry = (id, name.to_owned());
        match self.known.get_mut(self.next) {
            Some(oldest) => *oldest = entry,
            None => self.known.push(entry),
        }
        self.next = (self.next + 1) % Self::MOST;
    }

    pub(super) fn name(&self, id: &Uuid) -> Option<&str> {
        self.known.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str())
    }

    pub(super) fn bytes(&self) -> usize {
        let names: usize = self.known.iter().map(|(_, name)| name.capacity()).sum();
        self.known.capacity() * size_of::<(Uuid, String)>() + names
    }
}

/// Writes an id as Kafka's own tools do: base64 for URLs without padding (RFC 4648, section 5).
pub(super) fn uuid(id: &Uuid, into: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for three in id.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            into.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_kafka_does() {
        let mut text = String::new();
        uuid(&[0, 0, 0, 0, 0, 0, 0x47, 1, 0x1f, 0xe8, 0, 0, 0x0e, 0x64, 1, 1], &mut text);
        assert_eq!(text, "AAAAAAAARwEf6AAADmQBAQ");
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut ids = TopicIds::default();
        for n in 0..=TopicIds::MOST as u8 as u16 + 256 {
            let mut id = [1; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            ids.insert(id, "t");
        }
        assert_eq!(ids.known.len(), TopicIds::MOST);
        assert!(ids.name(&[1; 16]).is_none() || ids.name(&[0; 16]).is_none());
    }
}
