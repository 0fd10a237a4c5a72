use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::{Direction, Transport};

use super::amqp::Amqp;
use super::amqp1::Amqp1;
use super::cassandra::Cassandra;
use super::dns::Dns;
use super::dubbo::Dubbo;
use super::fastcgi::Fastcgi;
use super::http::Http;
use super::http2::Http2;
use super::kafka::Kafka;
use super::memcached::Memcached;
use super::messages::Order;
use super::mongodb::Mongodb;
use super::mqtt::Mqtt;
use super::mysql::Mysql;
use super::nats::Nats;
use super::postgresql::Postgresql;
use super::protocol::{Clue, Parser, Probe, Protocol};
use super::quic::Quic;
use super::redis::Redis;
use super::rocketmq::Rocketmq;
use super::thrift::Thrift;
use super::tls::Tls;
use super::websocket::WebSocket;
use super::zookeeper::Zookeeper;
use crate::fact;

/// A protocol as inference sees it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: fact::Protocol,
    pub(super) order: Order,
    pub(super) either_asks: bool,
    transports: &'static [Transport],
    ports: &'static [u16],
    pub(super) probe: fn(&[u8], Direction, &Clue) -> Probe,
    pub(super) parser: fn(&Clue) -> Box<dyn Parser>,
}

/// Every protocol. Where two recognise the same bytes the earlier wins.
pub(super) const REGISTRY: &[Entry] = &[
    entry::<Http2>(),
    entry::<Http>(),
    entry::<WebSocket>(),
    entry::<Tls>(),
    entry::<Quic>(),
    entry::<Postgresql>(),
    entry::<Mysql>(),
    entry::<Dubbo>(),
    entry::<Mongodb>(),
    entry::<Rocketmq>(),
    entry::<Kafka>(),
    entry::<Dns>(),
    entry::<Amqp>(),
    entry::<Amqp1>(),
    entry::<Cassandra>(),
    entry::<Mqtt>(),
    entry::<Fastcgi>(),
    entry::<Nats>(),
    entry::<Redis>(),
    entry::<Memcached>(),
    entry::<Zookeeper>(),
    entry::<Thrift>(),
];

const _: () = assert!(REGISTRY.len() <= 64, "a conversation marks wrong guesses in 64 bits");

const fn entry<P: Protocol>() -> Entry {
    Entry {
        name: P::NAME,
        order: P::ORDER,
        either_asks: P::EITHER_ASKS,
        transports: P::TRANSPORTS,
        ports: P::PORTS,
        probe: P::probe,
        parser: P::parser,
    }
}

/// Bit n: protocol n is found on this transport.
pub(super) fn on(transport: Transport) -> u64 {
    const fn mask(wanted: Transport) -> u64 {
        let (mut mask, mut index) = (0, 0);
        while index < REGISTRY.len() {
            let transports = REGISTRY[index].transports;
            let mut n = 0;
            while n < transports.len() {
                if transports[n] as u8 == wanted as u8 {
                    mask |= 1 << index;
                }
                n += 1;
            }
            index += 1;
        }
        mask
    }
    const TCP: u64 = mask(Transport::Tcp);
    const UDP: u64 = mask(Transport::Udp);
    match transport {
        Transport::Tcp => TCP,
        Transport::Udp => UDP,
    }
}

/// Bit n: this is a usual port of protocol n.
pub(super) fn usual(port: u16) -> u64 {
    static PORTS: LazyLock<HashMap<u16, u64, RandomState>> = LazyLock::new(|| {
        let mut ports: HashMap<u16, u64, RandomState> = HashMap::default();
        for (index, entry) in REGISTRY.iter().enumerate() {
            entry.ports.iter().for_each(|port| *ports.entry(*port).or_default() |= 1 << index);
        }
        ports
    });
    PORTS.get(&port).copied().unwrap_or(0)
}

/// The protocols of a mask, with their numbers.
pub(super) fn among(mut mask: u64) -> impl Iterator<Item = (usize, &'static Entry)> {
    std::iter::from_fn(move || {
        let index = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        REGISTRY.get(index).map(|entry| (index, entry))
    })
}
