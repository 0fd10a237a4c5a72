//! Frames to packets: link layer, VLANs, tunnels, IP with fragments put together, TCP and UDP.

mod decoded;
mod undecoded;

pub use decoded::{Decoded, Ip, Layer4, Tcp, TcpFlags, TcpOptions, Timestamps, Tunnel, TunnelKind, Udp, Vlans};
pub use undecoded::Undecoded;
