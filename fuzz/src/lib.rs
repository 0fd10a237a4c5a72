//! What fuzz targets and the maker of their first inputs share.

use std::sync::LazyLock;

use fact::Protocol;
use wire::Transport;

/// A protocol on one transport, with the port that its server has in inputs.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub protocol: Protocol,
    pub port: u16,
    pub udp: bool,
}

/// Every protocol on each of its transports. One without a port of its own begins as HTTP does.
pub static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let subject = |protocol: l7::ProtocolInfo, transport| Subject {
        protocol: protocol.name,
        port: protocol.ports.first().copied().unwrap_or(80),
        udp: transport == Transport::Udp,
    };
    l7::protocols()
        .flat_map(|info| info.transports.iter().map(move |on| subject(info, *on)))
        .collect()
});
