use super::super::truth::Reason;
use super::Manner;
use super::manner::ProbeStyle;
use super::rto::Rto;

/// The sending half. Offsets count from the first byte of the stream; a FIN has one too.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) stream: Vec<u8>,
    pub(crate) closing: bool,
    /// Ends of writes, for those that are sent as they were written.
    pub(crate) writes: Vec<u64>,
    pub(crate) una: u64,
    pub(crate) next: u64,
    /// Offset up to which the other end takes bytes.
    pub(crate) edge: u64,
    pub(crate) mss: u64,
    pub(crate) selective: bool,
    flight: Vec<Piece>,
    congestion_window: u64,
    threshold: u64,
    duplicates: u32,
    recovery: Option<u64>,
    pub(crate) rto: Rto,
    timer: Option<(u64, Timer)>,
    probed_tail: bool,
}

#[derive(Clone, Debug)]
struct Piece {
    start: u64,
    end: u64,
    time: u64,
    copies: u32,
    sacked: bool,
    lost: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Retransmission,
    TailProbe,
    Persist,
}

/// A piece of the stream to be sent now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) reason: Reason,
}

/// What an end does because time passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    EmptyProbe,
    GiveUp,
}

impl Sender {
    pub(crate) fn new(manner: &Manner) -> Self {
        Self {
            stream: Vec::new(),
            closing: false,
            writes: Vec::new(),
            una: 0,
            next: 0,
            edge: 0,
            mss: u64::from(manner.mss),
            selective: false,
            flight: Vec::new(),
            congestion_window: manner.initial_window * u64::from(manner.mss),
            threshold: u64::MAX / 2,
            duplicates: 0,
            recovery: None,
            rto: Rto::new(manner.min_rto),
            timer: None,
            probed_tail: false,
        }
    }

    pub(crate) fn wakes(&self) -> Option<u64> {
        self.timer.map(|(time, _)| time)
    }

    pub(crate) fn idle(&self) -> bool {
        self.flight.is_empty() && self.next >= self.total()
    }

    pub(crate) fn halve(&mut self) {
        self.threshold = (self.pipe() / 2).max(2 * self.mss);
        self.congestion_window = self.congestion_window.min(self.threshold);
    }

    fn total(&self) -> u64 {
        self.stream.len() as u64 + u64::from(self.closing)
    }

    fn pipe(&self) -> u64 {
        self.flight.iter().filter(|p| !p.sacked && p.lost.is_none()).map(|p| p.end - p.start).sum()
    }

    /// Takes an acknowledgement; `repeat` if it says nothing but the same once more.
    pub(crate) fn acknowledged(
        &mut self,
        now: u64,
        ack: u64,
        edge: u64,
        repeat: bool,
        blocks: &[(u64, u64)],
    ) {
        if ack > self.next || ack < self.una {
            return;
        }
        self.edge = edge;
        for piece in &mut self.flight {
            piece.sacked |= blocks.iter().any(|b| b.0 <= piece.start && piece.end <= b.1);
        }
        if ack > self.una {
            self.advance(now, ack);
        } else if repeat && !self.flight.is_empty() {
            self.duplicates += 1;
        }
        self.detect();
    }

    fn advance(&mut self, now: u64, ack: u64) {
        let clean = self.flight.iter().rev().find(|p| p.end <= ack && p.copies == 1 && !p.sacked);
        if let Some(piece) = clean {
            self.rto.sample(now - piece.time);
        }
        self.flight.retain(|piece| piece.end > ack);
        if let Some(first) = self.flight.first_mut() {
            first.start = first.start.max(ack);
        }
        let gained = ack - self.una;
        self.una = ack;
        self.duplicates = 0;
        self.probed_tail = false;
        self.rto.reset();
        self.timer = None;
        match self.recovery {
            Some(point) if ack >= point => {
                self.recovery = None;
                self.congestion_window =
                    self.threshold.min(self.congestion_window.max(2 * self.mss));
            }
            Some(_) if !self.selective => self.lose_first(),
            Some(_) => {}
            None if self.congestion_window < self.threshold => self.congestion_window += gained,
            None => self.congestion_window += (self.mss * self.mss / self.congestion_window).max(1),
        }
    }

    fn lose_first(&mut self) {
        if let Some(first) = self.flight.first_mut()
            && !first.sacked
        {
            first.lost.get_or_insert(Reason::Recovery);
        }
    }

    fn detect(&mut self) {
        let mut behind = 0;
        let mut found = false;
        for piece in self.flight.iter_mut().rev() {
            if piece.sacked {
                behind += 1;
            } else if behind >= 3 && piece.copies == 1 && piece.lost.is_none() {
                piece.lost = Some(Reason::Recovery);
                found = true;
            }
        }
        if self.duplicates == 3 && self.recovery.is_none() {
            self.lose_first();
            found = true;
        }
        if found && self.recovery.is_none() {
            self.recovery = Some(self.next);
            self.halve();
        }
    }

    /// The next piece to be sent, if there is one that may be.
    pub(crate) fn poll(&mut self, now: u64, manner: &Manner) -> Option<Cut> {
        let cut = self.repeat(now, manner).or_else(|| self.fresh(now, manner));
        if self.flight.is_empty() {
            let blocked = self.next < self.total();
            match self.timer {
                Some((_, Timer::Persist)) if blocked => {}
                _ => self.timer = blocked.then(|| (now + self.rto.wait(), Timer::Persist)),
            }
        } else if !matches!(self.timer, Some((_, Timer::Retransmission | Timer::TailProbe))) {
            self.arm(now, manner);
        }
        cut
    }

    fn arm(&mut self, now: u64, manner: &Manner) {
        let calm = self.recovery.is_none() && !self.probed_tail && self.rto.doubled() == 0;
        self.timer = Some(match self.rto.smoothed() {
            Some(rtt) if manner.tail_loss_probe && self.selective && calm => {
                let slack = if self.flight.len() == 1 { 200_000_000 } else { 2_000_000 };
                (now + (2 * rtt + slack).min(self.rto.wait()), Timer::TailProbe)
            }
            _ => (now + self.rto.wait(), Timer::Retransmission),
        });
    }

    fn repeat(&mut self, now: u64, manner: &Manner) -> Option<Cut> {
        let index = self.flight.iter().position(|piece| piece.lost.is_some() && !piece.sacked)?;
        let pipe = self.pipe();
        let reason = self.flight[index].lost?;
        let urgent = matches!(reason, Reason::TailProbe | Reason::WindowProbe);
        if pipe > 0 && pipe + self.mss > self.congestion_window && !urgent {
            return None;
        }
        if manner.recut && !urgent {
            self.merge(index);
        }
        let piece = &mut self.flight[index];
        (piece.time, piece.lost) = (now, None);
        piece.copies += 1;
        Some(Cut { start: piece.start, end: piece.end, reason })
    }

    /// Joins lost pieces that lie behind each other into one of the largest size.
    fn merge(&mut self, index: usize) {
        while let Some(next) = self.flight.get(index + 1) {
            let piece = &self.flight[index];
            let fits = next.end - piece.start <= self.mss && next.end <= self.stream.len() as u64;
            if next.lost.is_none() || next.sacked || next.start != piece.end || !fits {
                break;
            }
            let (end, copies) = (next.end, next.copies.max(piece.copies));
            self.flight.remove(index + 1);
            self.flight[index].end = end;
            self.flight[index].copies = copies;
        }
    }

    fn fresh(&mut self, now: u64, manner: &Manner) -> Option<Cut> {
        let total = self.stream.len() as u64;
        if self.next >= self.total() || self.pipe() >= self.congestion_window {
            return None;
        }
        let mut end = (self.next + self.mss).min(total).min(self.edge.max(self.next));
        if manner.no_delay
            && let Some(write) = self.writes.iter().find(|&&write| write > self.next)
        {
            end = end.min(*write);
        }
        if end == self.next && self.next < total {
            return None;
        }
        let small = end - self.next < self.mss;
        if small && !manner.no_delay && !self.closing && !self.flight.is_empty() {
            return None;
        }
        let end = end + u64::from(end == total && self.closing);
        let cut = Cut { start: self.next, end, reason: Reason::Data };
        self.flight.push(Piece {
            start: self.next,
            end,
            time: now,
            copies: 1,
            sacked: false,
            lost: None,
        });
        self.next = end;
        Some(cut)
    }

    /// Does what a timer calls for.
    pub(crate) fn due(&mut self, now: u64, manner: &Manner) -> Due {
        let Some((_, timer)) = self.timer.take_if(|(time, _)| *time <= now) else {
            return Due::Nothing;
        };
        match timer {
            Timer::TailProbe => {
                self.probed_tail = true;
                if let Some(last) = self.flight.last_mut().filter(|piece| !piece.sacked) {
                    last.lost = Some(Reason::TailProbe);
                }
            }
            Timer::Retransmission => {
                if self.rto.doubled() > 6 {
                    return Due::GiveUp;
                }
                let closed = self.edge <= self.una;
                self.halve();
                let first = if closed { Reason::WindowProbe } else { Reason::Timeout };
                let reasons = std::iter::once(first).chain(std::iter::repeat(Reason::Recovery));
                for (piece, reason) in
                    self.flight.iter_mut().filter(|piece| !piece.sacked).zip(reasons)
                {
                    piece.lost = Some(reason);
                }
                self.congestion_window = self.mss;
                self.recovery = Some(self.next);
                self.duplicates = 0;
                self.rto.double();
            }
            Timer::Persist => {
                self.rto.double();
                if manner.probe == ProbeStyle::Empty {
                    return Due::EmptyProbe;
                }
                let (start, end) = (self.next, self.next + 1);
                let lost = Some(Reason::WindowProbe);
                self.flight.push(Piece { start, end, time: now, copies: 0, sacked: false, lost });
                self.next = end;
            }
        }
        Due::Nothing
    }
}
