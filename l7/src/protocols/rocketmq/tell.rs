//! What the fields of a header tell.

use crate::kit::reader::first_bytes;
use fact::Attributes;

/// Longest value that is kept.
const KEPT: usize = 256;
/// Longest value of a trace header that is kept.
const HEADER: usize = 512;
/// Between properties of a message, and between the name of one and its value.
const PROPERTY: char = '\u{2}';
const VALUE: char = '\u{1}';
/// The same, as JSON writes them.
const ESCAPED: [&str; 2] = ["\\u0002", "\\u0001"];

/// Kind of an operation on messages: its name and type.
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

/// Takes a field of a request or response; `short`: names of one letter are those of
/// `SEND_MESSAGE_V2`.
pub(super) fn field(name: &str, value: &str, short: bool, into: &mut Attributes) {
    let key = match name {
        "topic" | "originTopic" => "messaging.destination.name",
        "b" if short => "messaging.destination.name",
        "consumerGroup" | "group" => "messaging.consumer.group.name",
        "producerGroup" => "messaging.rocketmq.producer.group",
        "a" if short => "messaging.rocketmq.producer.group",
        "queueId" => "messaging.destination.partition.id",
        "e" if short => "messaging.destination.partition.id",
        "msgId" | "originMsgId" => "messaging.message.id",
        "properties" => return properties(value, into),
        "i" if short => return properties(value, into),
        _ => return,
    };
    push(into, key, value, KEPT);
}

fn properties(text: &str, into: &mut Attributes) {
    let plain = text.contains(VALUE);
    let mut each = |name: &str, value: &str| {
        let (key, most) = match name {
            "UNIQ_KEY" => ("messaging.message.id", KEPT),
            "TAGS" => ("messaging.rocketmq.message.tag", KEPT),
            "KEYS" => ("messaging.rocketmq.message.keys", KEPT),
            "traceparent" => ("messaging.message.header.traceparent", HEADER),
            "sw8" => ("messaging.message.header.sw8", HEADER),
            _ => return,
        };
        push(into, key, value, most);
    };
    if plain {
        text.split(PROPERTY)
            .filter_map(|pair| pair.split_once(VALUE))
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
