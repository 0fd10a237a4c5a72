//! Frames of made-up TCP connections.

#![allow(dead_code, reason = "every test uses some of them")]

/// Ethernet, IPv4 and TCP around `payload`; checksums are left zero.
pub(crate) fn frame(ports: (u16, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let total = 40 + payload.len() as u16;
    let up = ports.0 > ports.1;
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([
        0,
        0,
        0x40,
        0,
        64,
        6,
        0,
        0,
        10,
        0,
        0,
        if up { 1 } else { 2 },
        10,
        0,
        0,
        if up { 2 } else { 1 },
    ]);
    bytes.extend(ports.0.to_be_bytes());
    bytes.extend(ports.1.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
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
