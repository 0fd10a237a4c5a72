//! One folder for each application protocol.

pub(crate) mod amqp;
pub(crate) mod amqp1;
pub(crate) mod cassandra;
pub(crate) mod dns;
pub(crate) mod dubbo;
pub(crate) mod fastcgi;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod http2;
pub(crate) mod kafka;
pub(crate) mod memcached;
pub(crate) mod mongodb;
pub(crate) mod mqtt;
pub(crate) mod mysql;
pub(crate) mod nats;
pub(crate) mod postgresql;
pub(crate) mod quic;
pub(crate) mod redis;
pub(crate) mod rocketmq;
pub(crate) mod thrift;
pub(crate) mod tls;
pub(crate) mod websocket;
pub(crate) mod zookeeper;
