//! The decoder: from a frame to its innermost packet, with fragments in between.

use super::fragments::Table;
use super::layer::{Datagram, Layer};
use super::path::Path;
use super::span::Span;
use super::walk::{Packet, Resume, Stop, Walk};
use super::{DecodeConfig, Decoded, FragmentUsage, Layer4, Undecoded, direct, link};
use crate::RawFrame;

/// Decodes frames down to their innermost TCP segment or UDP datagram.
///
/// It keeps fragments between frames, and nothing else. It allocates for fragments only.
#[derive(Debug)]
pub struct Decoder {
    vxlan_ports: Vec<u16>,
    path: Path,
    fragments: Table,
    /// The last reassembled datagram: the packet that was returned for it borrows from here.
    reassembled: Vec<u8>,
    /// Datagrams given up that were returned by `take_given_up`.
    given_up: u64,
}

impl Decoder {
    /// Decoder with these limits.
    pub fn new(config: DecodeConfig) -> Self {
        Self {
            vxlan_ports: config.vxlan_ports,
            path: Path::new(config.max_tunnel_depth, config.gre_key_is_network),
            fragments: Table::new(
                config.max_fragmented,
                config.max_fragment_bytes,
                config.fragment_timeout,
            ),
            reassembled: Vec::new(),
            given_up: 0,
        }
    }

    /// Decodes one frame. A fragment that completes its datagram gives the whole datagram's packet.
    ///
    /// # Errors
    /// The reason why the frame gave no packet, to be counted.
    #[inline]
    pub fn decode<'a>(&'a mut self, frame: &'a RawFrame<'a>) -> Result<Decoded<'a>, Undecoded> {
        match direct::plain(frame) {
            Some(decoded) => Ok(decoded),
            None => self.decode_other(frame),
        }
    }

    #[inline(never)]
    fn decode_other<'a>(&'a mut self, frame: &'a RawFrame<'a>) -> Result<Decoded<'a>, Undecoded> {
        match direct::over_datagram(frame, &self.vxlan_ports, &mut self.path) {
            Some(decoded) => Ok(Decoded { tunnels: self.path.tunnels(), ..decoded }),
            None => self.walk(frame),
        }
    }

    /// Removes one header after the other, whatever they are.
    #[inline(never)]
    pub(super) fn walk<'a>(
        &'a mut self,
        frame: &'a RawFrame<'a>,
    ) -> Result<Decoded<'a>, Undecoded> {
        self.path.clear();
        if let Some(tag) = frame.vlan {
            self.path.vlan(tag.id());
        }
        let first = link::first(frame)?;
        let mut walk = Walk {
            time: frame.time,
            tap: frame.tap,
            wire_len: frame.whole_wire_len(),
            vxlan_ports: &self.vxlan_ports,
            path: &mut self.path,
            fragments: &mut self.fragments,
        };
        match walk.run(first) {
            Ok(packet) => Ok(self.decoded(frame, frame.whole_wire_len(), packet)),
            Err(Stop::Undecoded(reason)) => Err(reason),
            Err(Stop::Whole(resume)) => self.resume(frame, resume),
        }
    }

    pub(super) fn vxlan_ports(&self) -> &[u16] {
        &self.vxlan_ports
    }

    /// Datagrams that were given up since the last call, for whichever reason.
    pub fn take_given_up(&mut self) -> u64 {
        let given_up = self.fragments.usage().given_up();
        given_up - std::mem::replace(&mut self.given_up, given_up)
    }

    /// Size of the fragment table, and what it gave up.
    pub fn fragments(&self) -> FragmentUsage {
        self.fragments.usage()
    }

    #[inline]
    fn decoded<'a>(
        &'a self,
        frame: &RawFrame<'_>,
        wire_len: u32,
        packet: Packet<'a>,
    ) -> Decoded<'a> {
        Decoded {
            time: frame.time,
            wire_len,
            key: packet.key,
            side: packet.side,
            network: self.path.network,
            ip: packet.ip,
            vlans: self.path.vlans,
            tunnels: self.path.tunnels(),
            layer4: packet.layer4,
        }
    }

    /// Goes on with a datagram that was put together, which may hold another fragment in turn.
    #[cold]
    fn resume<'a>(
        &'a mut self,
        frame: &RawFrame<'_>,
        mut resume: Resume,
    ) -> Result<Decoded<'a>, Undecoded> {
        loop {
            let wire_len = resume.whole.wire_len;
            let mut walk = Walk {
                time: frame.time,
                tap: frame.tap,
                wire_len,
                vxlan_ports: &self.vxlan_ports,
                path: &mut self.path,
                fragments: &mut self.fragments,
            };
            let datagram = Datagram {
                source: resume.source,
                destination: resume.destination,
                ip: resume.ip,
                protocol: resume.whole.protocol,
                payload: Span::new(&resume.whole.bytes, resume.whole.len),
            };
            let packet = match walk.run(Layer::Transport(datagram)) {
                Ok(packet) => packet,
                Err(Stop::Undecoded(reason)) => return Err(reason),
                Err(Stop::Whole(next)) => {
                    resume = next;
                    continue;
                }
            };
            // The packet borrows bytes that move into the decoder now: it gets the same bytes from
            // there.
            let payload = match &packet.layer4 {
                Layer4::Tcp(tcp) => tcp.payload,
                Layer4::Udp(udp) => udp.payload,
            };
            let start = payload.as_ptr().addr().saturating_sub(resume.whole.bytes.as_ptr().addr());
            let end = start.saturating_add(payload.len());
            let Packet { key, side, ip, layer4 } = packet;
            let layer4 = match layer4 {
                Layer4::Tcp(tcp) => Layer4::Tcp(super::Tcp { payload: &[], ..tcp }),
                Layer4::Udp(udp) => Layer4::Udp(super::Udp { payload: &[], ..udp }),
            };
            self.reassembled = resume.whole.bytes;
            let payload = self.reassembled.get(start..end).unwrap_or_default();
            let layer4 = match layer4 {
                Layer4::Tcp(tcp) => Layer4::Tcp(super::Tcp { payload, ..tcp }),
                Layer4::Udp(udp) => Layer4::Udp(super::Udp { payload, ..udp }),
            };
            return Ok(self.decoded(frame, wire_len, Packet { key, side, ip, layer4 }));
        }
    }
}
