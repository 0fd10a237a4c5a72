//! The recorded fields of a message, collected until it ends. The texts are reused.

use super::errors::error;
use super::layout::Meaning;
use super::topics::{TopicIds, Uuid, uuid};
use crate::correlate::Entry;
use fact::{Attributes, Outcome};

/// Longest list of topics, in bytes.
const TOPICS: usize = 512;
/// Longest header value that is kept.
const HEADER: usize = 512;

#[derive(Debug, Default)]
pub(super) struct MessageFields {
    /// Names (or ids) of topics, with commas between.
    topics: String,
    topic_id: String,
    group: String,
    transaction: String,
    key: String,
    key_is_transaction: bool,
    mechanism: String,
    software: String,
    software_version: String,
    traceparent: String,
    sw8: String,
    partitions: u32,
    partition: i64,
    acks: Option<i16>,
    error: i16,
    batches: u32,
    messages: i64,
    /// A topic of metadata. Its id follows.
    learned: String,
    pub(super) ids: TopicIds,
}

impl MessageFields {
    /// Clears the fields for the next message.
    pub(super) fn clear(&mut self) {
        for text in [
            &mut self.topics,
            &mut self.topic_id,
            &mut self.group,
            &mut self.transaction,
            &mut self.key,
            &mut self.mechanism,
            &mut self.software,
            &mut self.software_version,
            &mut self.traceparent,
            &mut self.sw8,
            &mut self.learned,
        ] {
            text.clear();
        }
        (self.partitions, self.partition, self.batches, self.messages) = (0, 0, 0, 0);
        (self.key_is_transaction, self.acks, self.error) = (false, None, 0);
    }

    /// Sets a number. Returns false if a field of this meaning cannot have it.
    pub(super) fn number(&mut self, meaning: Meaning, bytes: &[u8]) -> bool {
        if let Ok(id) = Uuid::try_from(bytes) {
            self.id(meaning, id);
            return true;
        }
        let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let unused = 64 - 8 * bytes.len().min(8) as u32;
        let value = (value.wrapping_shl(unused) as i64).wrapping_shr(unused);
        match meaning {
            Meaning::Partition => {
                self.partitions = self.partitions.saturating_add(1);
                self.partition = value;
                return value >= -1;
            }
            Meaning::Acks => {
                self.acks = Some(value as i16);
                return (-1..=1).contains(&value);
            }
            Meaning::Error if self.error == 0 => self.error = value as i16,
            Meaning::KeyType => self.key_is_transaction = value == 1,
            _ => {}
        }
        true
    }

    fn id(&mut self, meaning: Meaning, id: Uuid) {
        match meaning {
            Meaning::LearnedTopicId => self.ids.insert(id, &self.learned),
            Meaning::TopicId if id != [0; 16] => match self.ids.name(&id) {
                Some(name) => add_topic(&mut self.topics, name),
                None if self.topic_id.is_empty() => uuid(&id, &mut self.topic_id),
                None => {}
            },
            _ => {}
        }
    }

    pub(super) fn text(&mut self, meaning: Meaning, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let into = match meaning {
            Meaning::Topic => return add_topic(&mut self.topics, text),
            Meaning::LearnedTopic => &mut self.learned,
            Meaning::Group => &mut self.group,
            Meaning::Key => &mut self.key,
            Meaning::Transaction => &mut self.transaction,
            Meaning::Mechanism => &mut self.mechanism,
            Meaning::Software => &mut self.software,
            Meaning::SoftwareVersion => &mut self.software_version,
            _ => return,
        };
        into.clear();
        into.push_str(text);
    }

    /// Counts a batch with so many messages.
    pub(super) fn messages(&mut self, messages: u32) {
        self.batches = self.batches.saturating_add(1);
        self.messages = self.messages.saturating_add(i64::from(messages));
    }

    /// Whether the headers of the next batch's first record are wanted.
    pub(super) fn wants_headers(&self) -> bool {
        self.batches == 0
    }

    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) {
        let into = match name {
            b"traceparent" => &mut self.traceparent,
            b"sw8" => &mut self.sw8,
            _ => return,
        };
        if let Ok(text) = std::str::from_utf8(value)
            && into.is_empty()
            && value.len() <= HEADER
        {
            into.push_str(text);
        }
    }

    /// Whether the producer wants no response (`acks` 0).
    pub(super) fn wants_no_response(&self) -> bool {
        self.acks == Some(0)
    }

    /// Adds the fields to an entry.
    pub(super) fn push_attributes(&self, entry: &mut Entry) {
        let attributes = &mut entry.exchange.attributes;
        let (group, transaction) = match self.key_is_transaction {
            _ if self.key.is_empty() => (&self.group, &self.transaction),
            true => (&self.group, &self.key),
            false => (&self.key, &self.transaction),
        };
        for (key, text) in [
            ("messaging.destination.name", &self.topics),
            ("messaging.kafka.topic.id", &self.topic_id),
            ("messaging.consumer.group.name", group),
            ("messaging.kafka.transactional.id", transaction),
            ("messaging.kafka.sasl.mechanism", &self.mechanism),
            ("user_agent.name", &self.software),
            ("user_agent.version", &self.software_version),
            ("messaging.message.header.traceparent", &self.traceparent),
            ("messaging.message.header.sw8", &self.sw8),
        ] {
            push(attributes, key, text);
        }
        if self.partitions == 1 {
            attributes.push_text("messaging.destination.partition.id", &self.partition.to_string());
        }
        if let Some(acks) = self.acks {
            attributes.push_int("messaging.kafka.acks", i64::from(acks));
        }
        if self.batches > 0 {
            attributes.add_int("messaging.batch.message_count", self.messages);
        }
        if self.error != 0 && entry.exchange.outcome == Outcome::Ok {
            let (name, outcome) = error(self.error);
            entry.exchange.outcome = outcome;
            match name {
                Some(name) => attributes.push_text("error.type", name),
                None => attributes.push_text("error.type", &self.error.to_string()),
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = [
            &self.topics,
            &self.topic_id,
            &self.group,
            &self.transaction,
            &self.key,
            &self.mechanism,
            &self.software,
            &self.software_version,
            &self.traceparent,
            &self.sw8,
            &self.learned,
        ];
        texts.iter().map(|text| text.capacity()).sum::<usize>() + self.ids.bytes()
    }
}

/// Adds a text if there is one, and no attribute of this key yet.
fn push(attributes: &mut Attributes, key: &'static str, text: &str) {
    if !text.is_empty() && attributes.get(key).is_none() {
        attributes.push_text(key, text);
    }
}

fn add_topic(topics: &mut String, name: &str) {
    if topics.len() + name.len() >= TOPICS || topics.split(',').any(|known| known == name) {
        return;
    }
    if !topics.is_empty() {
        topics.push(',');
    }
    topics.push_str(name);
}
