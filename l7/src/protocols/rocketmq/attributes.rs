//! Attributes of a header's extension fields and of message properties.

use crate::kit::reader::first_bytes;
use fact::Attributes;

/// Longest value that is kept, in bytes.
const LONGEST: usize = 256;
/// Longest value of a trace header that is kept, in bytes.
const LONGEST_HEADER: usize = 512;
/// Separators between properties of a message, and between the name of one and its value.
const PROPERTY_SEPARATOR: char = '\u{2}';
const VALUE_SEPARATOR: char = '\u{1}';
/// The same separators as JSON escapes.
const ESCAPED: [&str; 2] = ["\\u0002", "\\u0001"];

/// Name and type of the operation on messages that a request is.
pub(super) fn operation(request: &str) -> Option<(&'static str, &'static str)> {
    Some(match request {
        "SEND_MESSAGE"
        | "SEND_MESSAGE_V2"
        | "SEND_BATCH_MESSAGE"
        | "SEND_REPLY_MESSAGE"
        | "SEND_REPLY_MESSAGE_V2" => ("send", "send"),
        "PULL_MESSAGE" | "LITE_PULL_MESSAGE" => ("pull", "receive"),
        "POP_MESSAGE" => ("pop", "receive"),
        "ACK_MESSAGE" | "BATCH_ACK_MESSAGE" => ("ack", "settle"),
        "UPDATE_CONSUMER_OFFSET" => ("commit", "settle"),
        "CONSUMER_SEND_MSG_BACK" => ("nack", "settle"),
        _ => return None,
    })
}

/// Adds a field of a request or response. `short`: names of one letter are those of
/// `SEND_MESSAGE_V2`.
pub(super) fn push_field(name: &str, value: &str, short: bool, into: &mut Attributes) {
    let key = match name {
        "topic" | "originTopic" => "messaging.destination.name",
        "b" if short => "messaging.destination.name",
        "consumerGroup" | "group" => "messaging.consumer.group.name",
        "producerGroup" => "messaging.rocketmq.producer.group",
        "a" if short => "messaging.rocketmq.producer.group",
        "queueId" => "messaging.destination.partition.id",
        "e" if short => "messaging.destination.partition.id",
        "msgId" | "originMsgId" => "messaging.message.id",
        "properties" => return push_properties(value, into),
        "i" if short => return push_properties(value, into),
        _ => return,
    };
    push(into, key, value, LONGEST);
}

fn push_properties(text: &str, into: &mut Attributes) {
    let plain = text.contains(VALUE_SEPARATOR);
    let mut each = |name: &str, value: &str| {
        let (key, most) = match name {
            "UNIQ_KEY" => ("messaging.message.id", LONGEST),
            "TAGS" => ("messaging.rocketmq.message.tag", LONGEST),
            "KEYS" => ("messaging.rocketmq.message.keys", LONGEST),
            "traceparent" => ("messaging.message.header.traceparent", LONGEST_HEADER),
            "sw8" => ("messaging.message.header.sw8", LONGEST_HEADER),
            _ => return,
        };
        push(into, key, value, most);
    };
    if plain {
        text.split(PROPERTY_SEPARATOR)
            .filter_map(|pair| pair.split_once(VALUE_SEPARATOR))
            .for_each(|(name, value)| each(name, value));
    } else {
        let [property, between] = ESCAPED;
        text.split(property)
            .filter_map(|pair| pair.split_once(between))
            .for_each(|(name, value)| each(name, value));
    }
}

fn push(into: &mut Attributes, key: &'static str, value: &str, most: usize) {
    if !value.is_empty() && into.get(key).is_none() {
        into.push_bytes(key, first_bytes(value.as_bytes(), most));
    }
}
