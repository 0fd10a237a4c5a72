//! Every protocol, and on which transports and ports it is usual.

use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::protocols::amqp::Amqp;
use crate::protocols::amqp1::Amqp1;
use crate::protocols::cassandra::Cassandra;
use crate::protocols::dns::Dns;
use crate::protocols::dubbo::Dubbo;
use crate::protocols::fastcgi::Fastcgi;
use crate::protocols::http::Http;
use crate::protocols::http2::Http2;
use crate::protocols::kafka::Kafka;
use crate::protocols::memcached::Memcached;
use crate::protocols::mongodb::Mongodb;
use crate::protocols::mqtt::Mqtt;
use crate::protocols::mysql::Mysql;
use crate::protocols::nats::Nats;
use crate::protocols::postgresql::Postgresql;
use crate::protocols::quic::Quic;
use crate::protocols::redis::Redis;
use crate::protocols::rocketmq::Rocketmq;
use crate::protocols::thrift::Thrift;
use crate::protocols::tls::Tls;
use crate::protocols::websocket::WebSocket;
use crate::protocols::zookeeper::Zookeeper;

/// A protocol as inference sees it.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: fact::Protocol,
    pub(crate) order: Order,
    pub(crate) either_asks: bool,
    transports: &'static [Transport],
    ports: &'static [u16],
    pub(crate) probe: fn(&[u8], Direction, &Clue) -> Probe,
    pub(crate) parser: fn(&Clue) -> Box<dyn Parser>,
}

/// Every protocol. Where two recognise the same bytes the earlier wins.
pub(crate) const REGISTRY: &[Registered] = &[
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

const _: () = assert!(REGISTRY.len() <= 64, "a session marks wrong guesses in 64 bits");

const fn entry<P: Protocol>() -> Registered {
    Registered {
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
pub(crate) fn of_transport(transport: Transport) -> u64 {
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
pub(crate) fn of_port(port: u16) -> u64 {
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
pub(crate) fn entries(mut mask: u64) -> impl Iterator<Item = (usize, &'static Registered)> {
    std::iter::from_fn(move || {
        let index = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        REGISTRY.get(index).map(|entry| (index, entry))
    })
}
