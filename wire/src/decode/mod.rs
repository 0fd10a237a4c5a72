//! Frames to packets: link layer, VLANs, tunnels, IP with fragments put together, TCP and UDP.

mod config;
mod decoded;
mod decoder;
mod direct;
mod ether_type;
mod fragment_usage;
mod fragments;
mod ip_number;
mod layer;
mod link;
mod mix;
mod network;
mod options;
mod owned;
mod path;
mod route;
mod span;
mod step;
mod tag;
mod tcp;
mod tunnel;
mod udp;
mod undecoded;
mod walk;

pub use config::DecodeConfig;
pub use decoded::{
    Decoded, Ip, Layer4, Tcp, TcpFlags, TcpOptions, Timestamps, Tunnel, TunnelKind, Udp, Vlans,
};
pub use decoder::Decoder;
pub use fragment_usage::FragmentUsage;
pub use owned::OwnedDecoded;
pub use route::Route;
pub use undecoded::Undecoded;

#[cfg(test)]
mod direct_tests;
