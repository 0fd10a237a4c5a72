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

// Spelled as variants for as long as other crates name them.
#[expect(non_upper_case_globals)]
impl Protocol {
    /// HTTP/1.0 and HTTP/1.1 (RFC 9112).
    pub const Http: Self = Self::new("http");
    /// WebSocket (RFC 6455).
    pub const WebSocket: Self = Self::new("websocket");
    /// HTTP/2 (RFC 9113).
    pub const Http2: Self = Self::new("http2");
    /// gRPC over HTTP/2, and gRPC-Web.
    pub const Grpc: Self = Self::new("grpc");
    /// DNS over UDP and TCP (RFC 1035).
    pub const Dns: Self = Self::new("dns");
    /// Multicast DNS (RFC 6762).
    pub const Mdns: Self = Self::new("mdns");
    /// Link-local multicast name resolution (RFC 4795).
    pub const Llmnr: Self = Self::new("llmnr");
    /// TLS handshakes (RFC 8446, RFC 5246).
    pub const Tls: Self = Self::new("tls");
    /// QUIC handshakes (RFC 9000).
    pub const Quic: Self = Self::new("quic");
    /// The client/server protocol of MySQL and MariaDB.
    pub const Mysql: Self = Self::new("mysql");
    /// PostgreSQL's frontend/backend protocol, version 3.
    pub const Postgresql: Self = Self::new("postgresql");
    /// RESP2 and RESP3 of Redis.
    pub const Redis: Self = Self::new("redis");
    /// Commands to Redis as plain lines, as health checks and people send them: kept apart from
    /// RESP, so that what they ask does not count among what services ask.
    pub const RedisInline: Self = Self::new("redis_inline");
    /// Memcached's text, meta and binary protocols.
    pub const Memcached: Self = Self::new("memcached");
    /// The MongoDB wire protocol.
    pub const Mongodb: Self = Self::new("mongodb");
    /// CQL native protocol of Cassandra.
    pub const Cassandra: Self = Self::new("cassandra");
    /// The Kafka protocol.
    pub const Kafka: Self = Self::new("kafka");
    /// AMQP 0-9-1.
    pub const Amqp: Self = Self::new("amqp");
    /// AMQP 1.0.
    pub const Amqp1: Self = Self::new("amqp1");
    /// MQTT 3.1, 3.1.1 and 5.
    pub const Mqtt: Self = Self::new("mqtt");
    /// The NATS client protocol.
    pub const Nats: Self = Self::new("nats");
    /// RocketMQ's remoting protocol.
    pub const Rocketmq: Self = Self::new("rocketmq");
    /// Dubbo 2.
    pub const Dubbo: Self = Self::new("dubbo");
    /// Apache Thrift, binary and compact, framed or not.
    pub const Thrift: Self = Self::new("thrift");
    /// FastCGI.
    pub const Fastcgi: Self = Self::new("fastcgi");
    /// The ZooKeeper client protocol.
    pub const Zookeeper: Self = Self::new("zookeeper");

    /// Every protocol.
    pub const ALL: [Self; 26] = [
        Self::Http,
        Self::WebSocket,
        Self::Http2,
        Self::Grpc,
        Self::Dns,
        Self::Mdns,
        Self::Llmnr,
        Self::Tls,
        Self::Quic,
        Self::Mysql,
        Self::Postgresql,
        Self::Redis,
        Self::RedisInline,
        Self::Memcached,
        Self::Mongodb,
        Self::Cassandra,
        Self::Kafka,
        Self::Amqp,
        Self::Amqp1,
        Self::Mqtt,
        Self::Nats,
        Self::Rocketmq,
        Self::Dubbo,
        Self::Thrift,
        Self::Fastcgi,
        Self::Zookeeper,
    ];
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
