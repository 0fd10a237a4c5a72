//! Application protocols: what is spoken on a flow, its messages, and their pairing into exchanges.
//!
//! [`Conversation`] is all that the flow sees. Behind it: the stream layer keeps what a parser could not
//! use yet, inference chooses the parser, parsers find messages, and [`messages`] pairs them.

mod amqp;
mod amqp1;
mod cassandra;
mod context;
mod conversation;
mod dns;
mod dubbo;
mod fastcgi;
mod framed;
mod frames;
mod grpc;
mod http;
mod http2;
mod kafka;
mod limits;
mod live;
mod memcached;
mod messages;
mod mongodb;
mod mqtt;
mod mysql;
mod nats;
mod postgresql;
#[cfg(test)]
mod properties;
mod protocol;
mod quic;
mod reader;
mod redis;
mod registry;
mod rocketmq;
mod servers;
mod sql;
mod step;
#[cfg(test)]
mod testing;
mod thrift;
mod timeline;
mod tls;
mod websocket;
mod zookeeper;

pub(crate) use context::{Context, End};
pub(crate) use conversation::{Conversation, Room};
pub(crate) use limits::Limits;
