//! One folder for each application protocol, and the table of all of them.

/// Calls in HTTP and HTTP/2: part of those protocols, none of its own.
pub(crate) mod grpc;
mod registered;

pub(crate) use registered::Registered;

#[cfg(test)]
use crate::testing::Script;

/// Declares the folder of each protocol as a module and puts its type into [`REGISTRY`]; for tests,
/// gathers the conversations in the `tests` of each folder.
macro_rules! protocols {
    ($($folder:ident :: $Type:ident,)*) => {
        $(pub(crate) mod $folder;)*

        /// Every protocol. Where two recognise the same bytes the earlier wins.
        pub(crate) const REGISTRY: &[Registered] = &[$(Registered::of::<$folder::$Type>()),*];

        /// Conversations over TCP of every protocol.
        #[cfg(test)]
        pub(crate) fn scripts() -> Vec<Script> {
            [$($folder::tests::scripts()),*].concat()
        }
    };
}

// A new protocol is its folder and a line here. Those that prove themselves stand before those that
// are believed on their usual ports.
protocols! {
    http2::Http2,
    http::Http,
    websocket::WebSocket,
    tls::Tls,
    quic::Quic,
    postgresql::Postgresql,
    mysql::Mysql,
    dubbo::Dubbo,
    mongodb::Mongodb,
    rocketmq::Rocketmq,
    kafka::Kafka,
    dns::Dns,
    amqp::Amqp,
    amqp1::Amqp1,
    cassandra::Cassandra,
    mqtt::Mqtt,
    fastcgi::Fastcgi,
    nats::Nats,
    redis::Redis,
    memcached::Memcached,
    zookeeper::Zookeeper,
    thrift::Thrift,
}

const _: () = assert!(REGISTRY.len() <= 64, "a session marks wrong guesses in 64 bits");
