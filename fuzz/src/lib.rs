//! What fuzz targets and the maker of their first inputs share.

use fact::Protocol;

/// Protocols and their ports; UDP where said.
pub const PORTS: &[(Protocol, u16, bool)] = &[
    (Protocol::new("http"), 80, false),
    (Protocol::new("http2"), 50051, false),
    (Protocol::new("grpc"), 50051, false),
    (Protocol::new("websocket"), 8000, false),
    (Protocol::new("dns"), 53, true),
    (Protocol::new("dns"), 53, false),
    (Protocol::new("tls"), 443, false),
    (Protocol::new("quic"), 443, true),
    (Protocol::new("mysql"), 3306, false),
    (Protocol::new("postgresql"), 5432, false),
    (Protocol::new("redis"), 6379, false),
    (Protocol::new("memcached"), 11211, false),
    (Protocol::new("mongodb"), 27017, false),
    (Protocol::new("cassandra"), 9042, false),
    (Protocol::new("kafka"), 9092, false),
    (Protocol::new("amqp"), 5672, false),
    (Protocol::new("amqp1"), 5672, false),
    (Protocol::new("mqtt"), 1883, false),
    (Protocol::new("nats"), 4222, false),
    (Protocol::new("rocketmq"), 10911, false),
    (Protocol::new("dubbo"), 20880, false),
    (Protocol::new("thrift"), 9090, false),
    (Protocol::new("fastcgi"), 9000, false),
    (Protocol::new("zookeeper"), 2181, false),
];
