//! Segments that no stack would send in this order, but each of them plausible: everything lies
//! near what matters.

use super::{End, Endpoints, Frame, Options, Random, Segment, Tape, flag};

const MS: u64 = 1_000_000;

/// A tape of at most `longest` frames.
pub(crate) fn tape(endpoints: &Endpoints, random: Random, start: u64, longest: u64) -> Tape {
    let mut mess = Mess::new(random, start);
    let count = mess.random.between(1, longest);
    if mess.random.chance(0.8) {
        mess.handshake(endpoints);
    }
    for _ in 0..count {
        mess.step(endpoints);
    }
    mess.tape
}

/// What one end said so far.
#[derive(Clone, Debug)]
struct Said {
    base: u32,
    next: u32,
    ack: u32,
    window: u16,
    scale: Option<u8>,
    /// Sequence number and length of some segments.
    sent: Vec<(u32, u32)>,
}

struct Mess {
    random: Random,
    tape: Tape,
    time: u64,
    turn: End,
    said: [Said; 2],
    /// Largest segment.
    mss: u32,
    /// Share of segments that are out of the ordinary in one of their fields.
    wildness: f64,
    /// Timestamps option in use.
    timestamps: bool,
    /// Time between two segments, mostly.
    pace: u64,
    /// Times may go back.
    late: bool,
    /// Bytes that the tap keeps of a frame, at least all headers: where a header is cut, tshark
    /// shows no analysis of the frame.
    kept: usize,
    /// Share of segments with options that are not well formed, or rare.
    odd_options: f64,
    /// Share of frames of IPv4 without a length, as a kernel hands them to a card that cuts them.
    unmeasured: f64,
}

impl Mess {
    fn new(mut random: Random, start: u64) -> Self {
        let mut said = || {
            let near_wrap = 0u32.wrapping_sub(random.below(3000) as u32);
            let base = match random.below(8) {
                0 => 0,
                1 => u32::MAX,
                2 => u32::MAX - 1,
                3 | 4 => near_wrap,
                5 => near_wrap ^ 0x8000_0000,
                _ => random.word(),
            };
            Said { base, next: base, ack: 0, window: 0, scale: None, sent: Vec::new() }
        };
        let said = [said(), said()];
        Self {
            mss: random.pick(&[1, 2, 10, 100, 536, 1448, 1460]),
            wildness: random.pick(&[0.02, 0.1, 0.3, 0.7]),
            timestamps: random.chance(0.4),
            pace: random.pick(&[1_000, 100_000, MS, 5 * MS, 19 * MS]),
            late: random.chance(0.05),
            kept: if random.chance(0.1) { random.between(114, 300) as usize } else { usize::MAX },
            odd_options: random.pick(&[0.0, 0.0, 0.0, 0.2]),
            unmeasured: random.pick(&[0.0, 0.0, 0.0, 0.05]),
            turn: End::Client,
            tape: Tape::default(),
            time: start,
            said,
            random,
        }
    }

    fn said(&mut self, end: End) -> &mut Said {
        &mut self.said[end as usize]
    }

    /// A handshake, with oddities, of which frames may be missing.
    fn handshake(&mut self, endpoints: &Endpoints) {
        let both_scale = self.random.chance(0.7);
        for (from, flags) in [
            (End::Client, flag::SYN),
            (End::Server, flag::SYN | flag::ACK),
            (End::Client, flag::ACK),
        ] {
            let shift = self.random.below(15) as u8;
            let shift = if self.random.chance(0.05) { self.random.next() as u8 } else { shift };
            let scale = self.random.chance(if both_scale { 0.97 } else { 0.4 }).then_some(shift);
            let peer_next = self.said(from.other()).next;
            let said = self.said(from);
            said.ack = if flags & flag::ACK == 0 { 0 } else { peer_next };
            let (seq, ack) = (said.next, said.ack);
            let mut options = Options::default();
            if flags & flag::SYN != 0 {
                options.mss = Some(self.mss as u16);
                options.scale = scale;
                options.sack_permitted = true;
                self.said(from).scale = scale;
            }
            options.timestamps = self.timestamps.then_some((self.time as u32, ack));
            let payload = if self.random.chance(0.03) {
                self.random.bytes(self.mss as usize)
            } else {
                vec![]
            };
            let window = self.window(from);
            let segment = Segment { from, seq, ack, flags, window, options, ecn: 0, payload };
            let copies = if self.random.chance(0.1) { self.random.between(0, 3) } else { 1 };
            for _ in 0..copies {
                self.send(endpoints, segment.clone());
            }
            if copies == 0 {
                self.said(from).next = seq.wrapping_add(segment.space());
            }
        }
    }

    fn step(&mut self, endpoints: &Endpoints) {
        if self.random.chance(0.4) {
            self.turn = self.turn.other();
        }
        let from = self.turn;
        let mut flags = self.flags();
        let seq = self.seq(from);
        let ack =
            if flags & flag::ACK == 0 && self.random.chance(0.9) { 0 } else { self.ack(from) };
        let window = self.window(from);
        let len = self.len(from, seq);
        if len > 0 && self.random.chance(0.3) {
            flags |= flag::PSH;
        }
        let options = self.options(flags, ack);
        let payload = self.random.bytes(len as usize);
        let ecn = if self.random.chance(0.02) { 3 } else { 0 };
        self.send(endpoints, Segment { from, seq, ack, flags, window, options, ecn, payload });
    }

    fn wild(&mut self) -> bool {
        self.random.chance(self.wildness)
    }

    fn flags(&mut self) -> u8 {
        if !self.wild() || self.random.chance(0.5) {
            return flag::ACK;
        }
        match self.random.below(20) {
            0..=4 => flag::ACK | flag::FIN,
            5 | 6 => flag::ACK | flag::RST,
            7 => flag::RST,
            8 | 9 => flag::SYN,
            10 | 11 => flag::SYN | flag::ACK,
            12 => flag::SYN | flag::FIN,
            13 => flag::FIN,
            14 => 0,
            15 => flag::ACK | flag::URG,
            16 => flag::ACK | flag::ECE,
            17 => flag::SYN | flag::RST,
            18 => flag::SYN | flag::FIN | flag::ACK | flag::RST,
            _ => self.random.next() as u8,
        }
    }

    fn seq(&mut self, from: End) -> u32 {
        let peer_ack = self.said(from.other()).ack;
        let (base, next) = (self.said(from).base, self.said(from).next);
        if !self.wild() {
            return next;
        }
        let near = self.random.below(4) as u32;
        let far = self.random.below(5000) as u32;
        match self.random.below(12) {
            0..=3 => {
                let count = self.said(from).sent.len() as u64;
                let index = self.random.below(count) as usize;
                self.said(from).sent.get(index).map_or(next, |sent| sent.0)
            }
            4 => next.wrapping_sub(1),
            5 => next.wrapping_sub(near),
            6 => next.wrapping_add(near),
            7 => next.wrapping_add(self.mss),
            8 => peer_ack.wrapping_sub(near & 1),
            9 => base,
            10 => next.wrapping_sub(far),
            _ if self.random.chance(0.1) => self.random.word(),
            _ => next.wrapping_add(far),
        }
    }

    fn ack(&mut self, from: End) -> u32 {
        let peer = self.said(from.other()).clone();
        let last = self.said(from).ack;
        let near = self.random.below(4) as u32;
        if !self.wild() {
            return if self.random.chance(0.5) { peer.next } else { last };
        }
        match self.random.below(10) {
            0..=2 => last,
            3 | 4 => {
                let index = self.random.below(peer.sent.len() as u64) as usize;
                peer.sent.get(index).map_or(peer.next, |sent| sent.0.wrapping_add(sent.1))
            }
            5 => peer.next.wrapping_sub(near),
            6 => peer.next.wrapping_add(near),
            7 => peer.next.wrapping_add(self.random.below(5000) as u32),
            8 => peer.next.wrapping_sub(self.random.below(5000) as u32),
            _ if self.random.chance(0.2) => self.random.word(),
            _ => 0,
        }
    }

    fn window(&mut self, from: End) -> u16 {
        let last = self.said(from).window;
        let window = match self.random.below(20) {
            0 => 0,
            1 => u16::MAX,
            2 => self.random.below(200) as u16,
            3 => self.random.next() as u16,
            4 => last.wrapping_add(1),
            _ if last == 0 && self.random.chance(0.3) => 1000,
            _ => last,
        };
        self.said(from).window = window;
        window
    }

    fn len(&mut self, from: End, seq: u32) -> u32 {
        let peer = self.said(from.other()).clone();
        if self.random.chance(0.1) {
            let shift = self.random.pick(&[0, u32::from(peer.scale.unwrap_or(0).min(14))]);
            let edge = peer.ack.wrapping_add(u32::from(peer.window) << shift);
            let room = edge.wrapping_sub(seq);
            if room <= 4000 {
                return room;
            }
        }
        match self.random.below(10) {
            0..=3 => 0,
            4 => 1,
            5 => 2,
            6 => self.random.below(u64::from(self.mss) + 1) as u32,
            _ => self.mss,
        }
    }

    fn options(&mut self, flags: u8, ack: u32) -> Options {
        let mut options = Options::default();
        if flags & flag::SYN != 0 {
            options.scale = self.random.chance(0.7).then(|| self.random.below(16) as u8);
            options.mss = self.random.chance(0.5).then_some(self.mss as u16);
        }
        options.timestamps = self.timestamps.then(|| ((self.time / MS) as u32, self.random.word()));
        if self.random.chance(self.odd_options) {
            options.raw = self.odd_option();
        }
        if self.random.chance(0.05) {
            let left = ack.wrapping_add(self.random.below(3000) as u32);
            let blocks = self.random.between(1, 4) as u32;
            options.sack = (0..blocks)
                .map(|n| (left.wrapping_add(n * 100), left.wrapping_add(n * 100 + 50)))
                .collect();
        }
        options
    }

    /// An option that is rare, or one of a length that it cannot have. tshark gives up on a frame,
    /// and shows no analysis of it, where SACK (5), MPTCP (30) and some that were never standards
    /// are cut short: these are left out.
    fn odd_option(&mut self) -> Vec<u8> {
        let kind = self.random.pick(&[2, 3, 4, 8, 19, 28, 34, 253]);
        let len = self.random.pick(&[0, 1, 2, 3, 4, 6, 10, 11, 12, 18]);
        let mut bytes = vec![kind, len as u8];
        bytes.extend(self.random.bytes(len.max(2) - 2));
        bytes
    }

    fn send(&mut self, endpoints: &Endpoints, segment: Segment) {
        let step = match self.random.below(12) {
            0 => 0,
            1 => self.random.below(3 * MS),
            2 => 3 * MS,
            3 => self.random.below(20 * MS),
            4 => self.random.between(19 * MS, 21 * MS),
            5 if self.random.chance(0.1) => self.random.below(3000 * MS),
            _ => self.random.below(self.pace),
        };
        self.time += step;
        if self.late && self.random.chance(0.1) {
            self.time -= self.random.below(MS);
        }
        let mut bytes = endpoints.frame(&segment);
        let wire_len = bytes.len() as u32;
        if self.random.chance(self.unmeasured) && bytes[12..14] == [8, 0] && wire_len > 60 {
            bytes[16..18].fill(0);
        }
        bytes.truncate(self.kept);
        self.tape.frames.push(Frame { time: self.time, from: segment.from, bytes, wire_len });
        let end = segment.seq.wrapping_add(segment.space());
        let said = self.said(segment.from);
        said.sent.push((segment.seq, segment.space()));
        said.ack = segment.ack;
        if end.wrapping_sub(said.next) < 10_000 {
            said.next = end;
        }
    }
}
