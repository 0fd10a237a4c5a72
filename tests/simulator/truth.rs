use super::{End, Segment, flag};

/// Why a segment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// SYN, SYN/ACK, or one of these once more.
    Opening,
    Data,
    /// Nothing new: an acknowledgement, a window, a reset.
    Word,
    /// Repeated, as acknowledgements called for it: duplicate or selective ones, or those after a
    /// time-out.
    Recovery,
    /// Repeated as the retransmission time-out was over.
    Timeout,
    /// Tail-loss probe: the last segment once more.
    TailProbe,
    WindowProbe,
    KeepAlive,
}

/// A segment as its sender knows it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) from: End,
    pub(crate) reason: Reason,
    pub(crate) seq: u32,
    pub(crate) len: u32,
    /// When the tap recorded it, each time.
    pub(crate) recorded: Vec<u64>,
    /// When it reached the other end.
    pub(crate) delivered: Vec<u64>,
}

/// What is true of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    pub(crate) sent: Vec<Sent>,
    /// Initial sequence numbers of client and server, where they sent one.
    pub(crate) isn: [Option<u32>; 2],
    /// All that the applications wrote.
    pub(crate) written: [Vec<u8>; 2],
    /// All that they read, of what the other one wrote.
    pub(crate) read: [Vec<u8>; 2],
    /// Each time for which an end told the other that its window is closed.
    pub(crate) closed: [Vec<(u64, u64)>; 2],
    /// Frames that passed the tap and were not recorded.
    pub(crate) unrecorded: u64,
    /// When the last thing happened.
    pub(crate) end: u64,
}

impl Truth {
    pub(crate) fn send(&mut self, segment: &Segment, reason: Reason) -> usize {
        if segment.has(flag::SYN) {
            self.isn[segment.from as usize].get_or_insert(segment.seq);
        }
        self.sent.push(Sent {
            from: segment.from,
            reason,
            seq: segment.seq,
            len: segment.payload.len() as u32,
            recorded: Vec::new(),
            delivered: Vec::new(),
        });
        self.sent.len() - 1
    }

    /// Follows the window that an end tells.
    pub(crate) fn window(&mut self, time: u64, from: End, closed: bool) {
        let list = &mut self.closed[from as usize];
        let open = list.last_mut().filter(|(_, until)| *until == u64::MAX);
        match (open, closed) {
            (Some((_, until)), false) => *until = time,
            (None, true) => list.push((time, u64::MAX)),
            (Some(_), true) | (None, false) => {}
        }
    }
}
