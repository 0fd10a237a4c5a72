use super::super::segment::{End, Options, Segment, flag};
use super::super::truth::Reason;
use super::manner::Opening;
use super::receiver::{Receiver, Taken};
use super::sender::{Due, Sender};
use super::{Application, Manner, Step};

const MS: u64 = 1_000_000;
/// Time after which an unanswered SYN is sent once more, doubled each time.
const SYN_WAIT: u64 = 1000 * MS;
const SYN_TRIES: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    SynSent,
    SynReceived,
    Established,
    /// Answers everything with a reset.
    Dead,
    /// Answers nothing.
    Silent,
}

/// A segment to be sent, and why.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub(crate) segment: Segment,
    pub(crate) reason: Reason,
}

/// One end of a connection: a stack and its application.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    end: End,
    manner: Manner,
    state: State,
    application: Application,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    /// Initial sequence number of the other end.
    peer_isn: u32,
    peer_shift: u8,
    shift: u8,
    scaling: bool,
    timestamps: bool,
    ecn: bool,
    echo: u32,
    opening: Option<(u64, u32)>,
    ack_at: Option<u64>,
    /// Offset up to which the other end was told to send.
    told: u64,
    peer_field: u16,
    congested: bool,
    reduced: bool,
    heard: u64,
    keep_alives: u32,
    keep_alive_at: Option<u64>,
    out: Vec<Out>,
}

impl Endpoint {
    pub(crate) fn new(end: End, manner: Manner, steps: Vec<Step>) -> Self {
        Self {
            end,
            state: match manner.opening {
                Opening::Silent => State::Silent,
                Opening::Refuse => State::Dead,
                _ => State::Waiting,
            },
            application: Application::new(steps),
            sender: Sender::new(&manner),
            receiver: Receiver::default(),
            peer_isn: 0,
            peer_shift: 0,
            shift: 0,
            scaling: false,
            timestamps: false,
            ecn: false,
            echo: 0,
            opening: None,
            ack_at: None,
            told: 0,
            peer_field: 0,
            congested: false,
            reduced: false,
            heard: 0,
            keep_alives: 0,
            keep_alive_at: None,
            out: Vec::new(),
            manner,
        }
    }

    /// When it wants to be woken.
    pub(crate) fn wakes(&self) -> Option<u64> {
        let times = [
            self.sender.wakes(),
            self.opening.map(|(time, _)| time),
            self.ack_at,
            self.application.wakes,
            self.keep_alive_at,
        ];
        if self.state == State::Silent { None } else { times.into_iter().flatten().min() }
    }

    pub(crate) fn take_out(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }

    pub(crate) fn start(&mut self, now: u64) {
        if self.manner.opening == Opening::Connect {
            self.state = State::SynSent;
            self.open(now, 0);
        }
    }

    pub(crate) fn wake(&mut self, now: u64) {
        if self.opening.is_some_and(|(time, _)| time <= now) {
            let (_, tries) = self.opening.take().unwrap_or_default();
            if tries < SYN_TRIES {
                self.open(now, tries + 1);
            } else {
                self.state = State::Dead;
            }
        }
        match self.sender.due(now, &self.manner) {
            Due::Nothing => {}
            Due::EmptyProbe => {
                self.say(now, self.sequence(self.sender.next).wrapping_sub(1), Reason::WindowProbe)
            }
            Due::GiveUp => self.state = State::Silent,
        }
        if self.ack_at.is_some_and(|time| time <= now) {
            self.acknowledge(now);
        }
        if self.keep_alive_at.is_some_and(|time| time <= now) {
            self.keep_alive(now);
        }
        if self.application.wakes.is_some_and(|time| time <= now) {
            self.application.wakes = None;
        }
        self.go_on(now);
    }

    fn keep_alive(&mut self, now: u64) {
        self.keep_alive_at = None;
        if !self.sender.idle() {
            return;
        }
        if self.keep_alives >= 4 {
            self.state = State::Silent;
            return;
        }
        self.keep_alives += 1;
        let payload = if self.manner.keep_alive_garbage { vec![0] } else { Vec::new() };
        let seq = self.sequence(self.sender.next).wrapping_sub(1);
        let mut segment = self.segment(now, seq, flag::ACK);
        segment.payload = payload;
        self.out.push(Out { segment, reason: Reason::KeepAlive });
    }

    /// Lets the application act, and sends what can be sent.
    fn go_on(&mut self, now: u64) {
        if self.state != State::Established {
            return;
        }
        loop {
            if self.application.reads {
                self.receiver.taken = self.receiver.bytes.len() as u64;
            }
            if self.application.wakes.is_some() || !self.step(now) {
                break;
            }
        }
        while self.state == State::Established
            && let Some(cut) = self.sender.poll(now, &self.manner)
        {
            self.send(now, cut.start, cut.end, cut.reason);
        }
        if self.state == State::Established {
            let (free, _) = self.offer();
            let least = u64::from(self.manner.mss * 2).min(self.manner.buffer / 2).max(1);
            if self.receiver.next + free >= self.told + least {
                self.acknowledge(now);
            }
            let quiet = self.sender.idle() && self.manner.keep_alive.is_some();
            let finished = self.sender.closing && self.receiver.ended();
            if quiet && !finished && self.keep_alive_at.is_none() {
                self.keep_alive_at = self.manner.keep_alive.map(|wait| now.max(self.heard) + wait);
            }
        }
    }

    /// Whether the application did its next step.
    fn step(&mut self, now: u64) -> bool {
        let app = &mut self.application;
        let Some(step) = app.steps.front() else { return false };
        match step {
            Step::Wait(time) => app.wakes = Some(now + time),
            Step::Write(bytes) => {
                self.sender.stream.extend(bytes);
                self.sender.writes.push(self.sender.stream.len() as u64);
            }
            Step::Read(total) if self.receiver.taken < *total && !self.receiver.ended() => {
                return false;
            }
            Step::ReadToEnd if !self.receiver.ended() => return false,
            Step::Read(_) | Step::ReadToEnd => {}
            Step::Stall => app.reads = false,
            Step::Resume => app.reads = true,
            Step::Close => self.sender.closing = true,
            Step::Abort => {
                self.say_flags(now, flag::RST | flag::ACK);
                self.state = State::Dead;
            }
            Step::Vanish => self.state = State::Silent,
        }
        self.application.steps.pop_front();
        self.state == State::Established
    }

    pub(crate) fn arrive(&mut self, now: u64, segment: &Segment) {
        match self.state {
            State::Silent => return,
            State::Dead => return self.refuse(segment),
            State::Waiting if segment.flags & (flag::SYN | flag::ACK | flag::RST) == flag::SYN => {
                self.meet(segment);
                self.state = State::SynReceived;
                return self.open(now, 0);
            }
            State::Waiting => return self.refuse(segment),
            State::SynSent | State::SynReceived | State::Established => {}
        }
        if segment.has(flag::RST) {
            self.state = State::Dead;
            self.opening = None;
            return;
        }
        let acks_syn = segment.has(flag::ACK) && segment.ack == self.manner.isn.wrapping_add(1);
        let overflow = self.manner.opening == Opening::Overflow;
        match self.state {
            State::SynSent if segment.has(flag::SYN) => {
                self.meet(segment);
                if segment.has(flag::ACK) && acks_syn {
                    self.establish(now, segment);
                    self.acknowledge(now);
                } else {
                    self.state = State::SynReceived;
                    self.open(now, 0);
                }
                return self.go_on(now);
            }
            State::SynSent => return self.refuse(segment),
            State::SynReceived if segment.has(flag::SYN) && !segment.has(flag::ACK) => {
                return self.open(now, 0);
            }
            State::SynReceived if overflow || !segment.has(flag::ACK) => return,
            State::SynReceived => {
                self.establish(now, segment);
                if segment.has(flag::SYN) {
                    self.acknowledge(now);
                    return self.go_on(now);
                }
            }
            _ => {}
        }
        self.established(now, segment);
        self.go_on(now);
    }

    fn established(&mut self, now: u64, segment: &Segment) {
        self.heard = now;
        self.keep_alives = 0;
        self.keep_alive_at = None;
        if segment.has(flag::SYN) {
            return self.acknowledge(now);
        }
        if let (true, Some((value, _))) = (self.timestamps, segment.options.timestamps) {
            self.echo = value;
        }
        if segment.has(flag::ACK) {
            self.hear_ack(now, segment);
        }
        if self.ecn && segment.ecn == 3 {
            self.congested = true;
        }
        if segment.has(flag::CWR) {
            self.congested = segment.ecn == 3;
        }
        let expected = self.peer_isn.wrapping_add(1).wrapping_add(self.receiver.next as u32);
        let start =
            self.receiver.next as i64 + i64::from(segment.seq.wrapping_sub(expected) as i32);
        if segment.payload.is_empty() && !segment.has(flag::FIN) {
            if segment.seq != expected {
                self.acknowledge(now);
            }
            return;
        }
        let known = usize::try_from(-start).unwrap_or(0).min(segment.payload.len());
        let limit = (self.receiver.taken + self.manner.buffer).max(self.told);
        let taken = self.receiver.segment(
            start.max(0) as u64,
            &segment.payload[known..],
            segment.has(flag::FIN),
            limit,
        );
        self.receiver.owed += 1;
        let full = segment.payload.len() as u32 >= self.manner.mss;
        if taken == Taken::Odd || (self.receiver.owed >= 2 && full) || self.manner.delayed_ack == 0
        {
            self.acknowledge(now);
        } else {
            self.ack_at.get_or_insert(now + self.manner.delayed_ack);
        }
    }

    fn hear_ack(&mut self, now: u64, segment: &Segment) {
        let first = self.sequence(self.sender.una);
        let offset = |seq: u32| self.sender.una as i64 + i64::from(seq.wrapping_sub(first) as i32);
        let ack = offset(segment.ack);
        if ack < 0 {
            return;
        }
        let edge = ack as u64 + (u64::from(segment.window) << self.peer_shift);
        let block = |&(left, right): &(u32, u32)| {
            Some((u64::try_from(offset(left)).ok()?, u64::try_from(offset(right)).ok()?))
        };
        let blocks: Vec<(u64, u64)> = segment.options.sack.iter().filter_map(block).collect();
        let repeat = segment.payload.is_empty()
            && segment.window == self.peer_field
            && !segment.has(flag::FIN);
        self.peer_field = segment.window;
        self.sender.acknowledged(now, ack as u64, edge, repeat, &blocks);
        if self.ecn && segment.has(flag::ECE) && !self.reduced {
            self.sender.halve();
            self.reduced = true;
        }
    }

    /// Learns from the other end's SYN.
    fn meet(&mut self, segment: &Segment) {
        self.peer_isn = segment.seq;
        let (own, theirs) = (&self.manner, &segment.options);
        if let (Some(shift), Some(peer)) = (own.scale, theirs.scale) {
            (self.scaling, self.shift, self.peer_shift) = (true, shift, peer);
        }
        self.timestamps = own.timestamps && theirs.timestamps.is_some();
        self.sender.selective = own.sack && theirs.sack_permitted;
        self.ecn = own.ecn && segment.has(flag::ECE);
        self.echo = theirs.timestamps.map_or(0, |(value, _)| value);
        let room = u64::from(theirs.mss.unwrap_or(536)).min(self.sender.mss);
        self.sender.mss = room - if self.timestamps { 12.min(room / 2) } else { 0 };
    }

    fn establish(&mut self, now: u64, segment: &Segment) {
        self.state = State::Established;
        self.opening = None;
        self.heard = now;
        self.peer_field = segment.window;
        let shift = if segment.has(flag::SYN) { 0 } else { self.peer_shift };
        self.sender.edge = u64::from(segment.window) << shift;
    }

    /// Sends a SYN or a SYN/ACK.
    fn open(&mut self, now: u64, tries: u32) {
        let answer = self.state == State::SynReceived;
        let ecn = match (self.manner.ecn, answer) {
            (true, false) => flag::ECE | flag::CWR,
            (true, true) if self.ecn => flag::ECE,
            _ => 0,
        };
        let flags = flag::SYN | if answer { flag::ACK } else { 0 } | ecn;
        let mut segment = self.segment(now, self.manner.isn, flags);
        segment.options = Options {
            mss: Some(self.manner.mss as u16),
            scale: self.manner.scale.filter(|_| !answer || self.scaling),
            sack_permitted: if answer { self.sender.selective } else { self.manner.sack },
            timestamps: (if answer { self.timestamps } else { self.manner.timestamps })
                .then_some(((now / MS) as u32, self.echo)),
            ..Options::default()
        };
        segment.window = self.manner.buffer.min(65_535) as u16;
        self.told = self.told.max(u64::from(segment.window));
        self.out.push(Out { segment, reason: Reason::Opening });
        self.opening = Some((now + (SYN_WAIT << tries), tries));
    }

    fn refuse(&mut self, segment: &Segment) {
        if segment.has(flag::RST) {
            return;
        }
        let (seq, ack, flags) = if segment.has(flag::ACK) {
            (segment.ack, 0, flag::RST)
        } else {
            (0, segment.seq.wrapping_add(segment.space()), flag::RST | flag::ACK)
        };
        let reset = Segment {
            from: self.end,
            seq,
            ack,
            flags,
            window: 0,
            options: Options::default(),
            ecn: 0,
            payload: Vec::new(),
        };
        self.out.push(Out { segment: reset, reason: Reason::Word });
    }

    fn sequence(&self, offset: u64) -> u32 {
        self.manner.isn.wrapping_add(1).wrapping_add(offset as u32)
    }

    /// Bytes that may be sent to this end, and what the window field says of it.
    fn offer(&self) -> (u64, u16) {
        let next = self.receiver.next;
        let free = (self.receiver.taken + self.manner.buffer).saturating_sub(next);
        let least = u64::from(self.manner.mss).min(self.manner.buffer / 2).max(1);
        let free = if free >= least { free } else { self.told.saturating_sub(next).min(free) };
        let field = (free >> self.shift).min(65_535);
        (field << self.shift, field as u16)
    }

    fn segment(&mut self, now: u64, seq: u32, flags: u8) -> Segment {
        let synchronised = flags & flag::SYN == 0;
        let (free, field) = self.offer();
        if synchronised {
            self.told = self.receiver.next + free;
        }
        let ack = self.peer_isn.wrapping_add(1).wrapping_add(self.receiver.next as u32);
        let first = self.peer_isn.wrapping_add(1);
        let blocks =
            if self.sender.selective && synchronised { self.receiver.blocks() } else { Vec::new() };
        let edge = |offset: u64| first.wrapping_add(offset as u32);
        Segment {
            from: self.end,
            seq,
            ack: if flags & flag::ACK == 0 { 0 } else { ack },
            flags: flags | if self.congested && synchronised { flag::ECE } else { 0 },
            window: field,
            options: Options {
                timestamps: self.timestamps.then_some(((now / MS) as u32, self.echo)),
                sack: blocks.iter().map(|&(left, right)| (edge(left), edge(right))).collect(),
                ..Options::default()
            },
            ecn: 0,
            payload: Vec::new(),
        }
    }

    fn send(&mut self, now: u64, start: u64, end: u64, reason: Reason) {
        let len = self.sender.stream.len() as u64;
        let mut flags = flag::ACK;
        if end > len {
            flags |= flag::FIN;
        }
        if end >= len || self.sender.writes.contains(&end) {
            flags |= flag::PSH;
        }
        if std::mem::take(&mut self.reduced) {
            flags |= flag::CWR;
        }
        let mut segment = self.segment(now, self.sequence(start), flags);
        segment.payload =
            self.sender.stream[start.min(len) as usize..end.min(len) as usize].to_vec();
        segment.ecn =
            if self.ecn && reason == Reason::Data && !segment.payload.is_empty() { 2 } else { 0 };
        self.receiver.owed = 0;
        self.ack_at = None;
        self.out.push(Out { segment, reason });
    }

    fn say(&mut self, now: u64, seq: u32, reason: Reason) {
        let segment = self.segment(now, seq, flag::ACK);
        self.out.push(Out { segment, reason });
    }

    fn say_flags(&mut self, now: u64, flags: u8) {
        let segment = self.segment(now, self.sequence(self.sender.next), flags);
        self.out.push(Out { segment, reason: Reason::Word });
    }

    fn acknowledge(&mut self, now: u64) {
        self.receiver.owed = 0;
        self.ack_at = None;
        self.say(now, self.sequence(self.sender.next), Reason::Word);
    }
}
