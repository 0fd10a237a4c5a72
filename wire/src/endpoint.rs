//! An address and a port.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// An address and a port in host byte order; the port is 0 for protocols without ports.
///
/// IPv4-mapped IPv6 addresses (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2), which dual-stack
/// sockets report, are kept as IPv4 by [`Endpoint::new`], so that both sides of a join speak of the
/// same endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Network address.
    pub address: IpAddr,
    /// Transport port.
    pub port: u16,
}

impl Endpoint {
    /// Endpoint with IPv4-mapped addresses made plain.
    pub fn new(address: IpAddr, port: u16) -> Self {
        Self { address: address.to_canonical(), port }
    }
}

impl fmt::Display for Endpoint {
    /// `192.0.2.1:80` or `[2001:db8::1]:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(f)
    }
}
