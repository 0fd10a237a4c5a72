//! What fuzz targets and the maker of their first inputs share.

use fact::Protocol;

/// Protocols and their ports; UDP where said.
pub const PORTS: &[(Protocol, u16, bool)] = &[
    (Protocol::Http, 80, false),
    (Protocol::Http2, 50051, false),
    (Protocol::Grpc, 50051, false),
    (Protocol::WebSocket, 8000, false),
    (Protocol::Dns, 53, true),
    (Protocol::Dns, 53, false),
    (Protocol::Tls, 443, false),
    (Protocol::Quic, 443, true),
    (Protocol::Mysql, 3306, false),
    (Protocol::Postgresql, 5432, false),
    (Protocol::Redis, 6379, false),
    (Protocol::Memcached, 11211, false),
    (Protocol::Mongodb, 27017, false),
    (Protocol::Cassandra, 9042, false),
    (Protocol::Kafka, 9092, false),
    (Protocol::Amqp, 5672, false),
    (Protocol::Amqp1, 5672, false),
    (Protocol::Mqtt, 1883, false),
    (Protocol::Nats, 4222, false),
    (Protocol::Rocketmq, 10911, false),
    (Protocol::Dubbo, 20880, false),
    (Protocol::Thrift, 9090, false),
    (Protocol::Fastcgi, 9000, false),
    (Protocol::Zookeeper, 2181, false),
];
