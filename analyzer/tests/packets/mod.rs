//! Frames of made-up TCP connections.

#![allow(dead_code, reason = "every test uses some of them")]

/// A segment to be made. `options` are padded to a multiple of 4 already.
pub(crate) struct Given<'a> {
    pub(crate) ports: (u16, u16),
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// Ethernet, IPv4 and TCP around `payload`; checksums are left zero.
pub(crate) fn frame(ports: (u16, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    given(Given { ports, seq, ack, flags, window: 0xffff, options: &[], payload })
}

/// The same with more of it said.
pub(crate) fn given(g: Given<'_>) -> Vec<u8> {
    let header = 20 + g.options.len() as u16;
    let total = 20 + header + g.payload.len() as u16;
    let [from, to] = if g.ports.0 > g.ports.1 { [1, 2] } else { [2, 1] };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
    bytes.extend(g.ports.0.to_be_bytes());
    bytes.extend(g.ports.1.to_be_bytes());
    bytes.extend(g.seq.to_be_bytes());
    bytes.extend(g.ack.to_be_bytes());
    bytes.extend([(header as u8) << 2, g.flags]);
    bytes.extend(g.window.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(g.options);
    bytes.extend(g.payload);
    bytes
}

/// Ethernet, IPv4 and UDP around `payload`; checksums are left zero.
pub(crate) fn datagram(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let [from, to] = if ports.0 > ports.1 { [1, 2] } else { [2, 1] };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    bytes.extend((20 + length).to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
    [ports.0, ports.1, length, 0].iter().for_each(|word| bytes.extend(word.to_be_bytes()));
    bytes.extend(payload);
    bytes
}

/// Both ends of a connection, with what they will send next.
pub(crate) struct Ends {
    client: u16,
    server: u16,
    client_seq: u32,
    server_seq: u32,
}

impl Ends {
    /// A connection from the larger port to the smaller one.
    pub(crate) fn new(client: u16, server: u16) -> Self {
        Self { client, server, client_seq: 1000, server_seq: 5000 }
    }

    fn up(&self, flags: u8, payload: &[u8]) -> Vec<u8> {
        frame((self.client, self.server), self.client_seq, self.server_seq, flags, payload)
    }

    fn down(&self, flags: u8, payload: &[u8]) -> Vec<u8> {
        frame((self.server, self.client), self.server_seq, self.client_seq, flags, payload)
    }

    /// SYN, SYN/ACK, ACK.
    pub(crate) fn handshake(&mut self) -> [Vec<u8>; 3] {
        let syn = frame((self.client, self.server), self.client_seq, 0, 0x02, &[]);
        self.client_seq += 1;
        let syn_ack = self.down(0x12, &[]);
        self.server_seq += 1;
        [syn, syn_ack, self.up(0x10, &[])]
    }

    /// `count` segments of the client, each with the acknowledgement that the server sends for it.
    pub(crate) fn burst(&mut self, count: usize, len: usize) -> Vec<Vec<u8>> {
        let payload = vec![0xa5; len];
        let mut frames = Vec::with_capacity(count * 2);
        for _ in 0..count {
            frames.push(self.up(0x18, &payload));
            self.client_seq = self.client_seq.wrapping_add(len as u32);
            frames.push(self.down(0x10, &[]));
        }
        frames
    }

    /// FIN of both sides, and the last ACK.
    pub(crate) fn close(&mut self) -> [Vec<u8>; 3] {
        let fin = self.up(0x11, &[]);
        self.client_seq = self.client_seq.wrapping_add(1);
        let answer = self.down(0x11, &[]);
        self.server_seq = self.server_seq.wrapping_add(1);
        [fin, answer, self.up(0x10, &[])]
    }
}
