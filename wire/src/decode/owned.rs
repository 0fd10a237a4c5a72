//! A decoded packet that owns its bytes.

use super::{Decoded, Layer4, Tcp, Tunnel, Udp};

/// A packet that outlives the frame that it came in.
#[derive(Clone, Debug)]
pub struct OwnedDecoded {
    /// Without what it borrows.
    packet: Decoded<'static>,
    tunnels: Vec<Tunnel>,
    payload: Vec<u8>,
}

impl Decoded<'_> {
    /// Copies all that the packet borrows.
    pub fn to_owned(&self) -> OwnedDecoded {
        let Decoded { time, wire_len, key, side, network, ip, vlans, tunnels, layer4 } = *self;
        let (layer4, payload) = match layer4 {
            Layer4::Tcp(tcp) => (Layer4::Tcp(Tcp { payload: &[], ..tcp }), tcp.payload.to_vec()),
            Layer4::Udp(udp) => (Layer4::Udp(Udp { payload: &[], ..udp }), udp.payload.to_vec()),
        };
        let packet =
            Decoded { time, wire_len, key, side, network, ip, vlans, tunnels: &[], layer4 };
        OwnedDecoded { packet, tunnels: tunnels.to_vec(), payload }
    }
}

impl OwnedDecoded {
    /// The packet.
    pub fn get(&self) -> Decoded<'_> {
        let payload = self.payload.as_slice();
        let layer4 = match self.packet.layer4 {
            Layer4::Tcp(tcp) => Layer4::Tcp(Tcp { payload, ..tcp }),
            Layer4::Udp(udp) => Layer4::Udp(Udp { payload, ..udp }),
        };
        Decoded { tunnels: &self.tunnels, layer4, ..self.packet }
    }
}
