/// Application protocols by the names that records and labels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.0 and HTTP/1.1 (RFC 9112).
    Http,
    /// WebSocket (RFC 6455).
    WebSocket,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// gRPC over HTTP/2, and gRPC-Web.
    Grpc,
    /// DNS over UDP and TCP (RFC 1035).
    Dns,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
    /// TLS handshakes (RFC 8446, RFC 5246).
    Tls,
    /// QUIC handshakes (RFC 9000).
    Quic,
    /// The client/server protocol of MySQL and MariaDB.
    Mysql,
    /// PostgreSQL's frontend/backend protocol, version 3.
    Postgresql,
    /// RESP2 and RESP3 of Redis.
    Redis,
    /// Commands to Redis as plain lines, as health checks and people send them: kept apart from RESP, so that what they ask does not
    /// count among what services ask.
    RedisInline,
    /// Memcached's text, meta and binary protocols.
    Memcached,
    /// The MongoDB wire protocol.
    Mongodb,
    /// CQL native protocol of Cassandra.
    Cassandra,
    /// The Kafka protocol.
    Kafka,
    /// AMQP 0-9-1.
    Amqp,
    /// AMQP 1.0.
    Amqp1,
    /// MQTT 3.1, 3.1.1 and 5.
    Mqtt,
    /// The NATS client protocol.
    Nats,
    /// RocketMQ's remoting protocol.
    Rocketmq,
    /// Dubbo 2.
    Dubbo,
    /// Apache Thrift, binary and compact, framed or not.
    Thrift,
    /// FastCGI.
    Fastcgi,
    /// The ZooKeeper client protocol.
    Zookeeper,
}

impl Protocol {
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

    /// Name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Http2 => "http2",
            Self::Grpc => "grpc",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Redis => "redis",
            Self::RedisInline => "redis_inline",
            Self::Memcached => "memcached",
            Self::Mongodb => "mongodb",
            Self::Cassandra => "cassandra",
            Self::Kafka => "kafka",
            Self::Amqp => "amqp",
            Self::Amqp1 => "amqp1",
            Self::Mqtt => "mqtt",
            Self::Nats => "nats",
            Self::Rocketmq => "rocketmq",
            Self::Dubbo => "dubbo",
            Self::Thrift => "thrift",
            Self::Fastcgi => "fastcgi",
            Self::Zookeeper => "zookeeper",
        }
    }
}
