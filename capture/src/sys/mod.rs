//! System calls of packet(7): the only place of this crate with unsafe code. What it offers is safe
//! to use.

#![allow(unsafe_code)]

mod block;
mod mapping;
mod poll;
mod socket;

pub(crate) use block::BlockFrame;
pub(crate) use mapping::Mapping;
pub(crate) use poll::wait_readable;
pub(crate) use socket::PacketSocket;
