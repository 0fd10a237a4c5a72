/// How a stack was built and set.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) isn: u32,
    pub(crate) mss: u32,
    pub(crate) scale: Option<u8>,
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
    pub(crate) ecn: bool,
    /// Bytes that wait for the application, at most.
    pub(crate) buffer: u64,
    pub(crate) delayed_ack: u64,
    pub(crate) tail_loss_probe: bool,
    pub(crate) min_rto: u64,
    pub(crate) probe: ProbeStyle,
    /// Idle time before a keep-alive; none are sent without.
    pub(crate) keep_alive: Option<u64>,
    /// Keep-alives carry a byte.
    pub(crate) keep_alive_garbage: bool,
    /// Every write is a segment of its own.
    pub(crate) no_delay: bool,
    /// Segments that are sent once more are cut anew.
    pub(crate) recut: bool,
    /// Segments that the sender has on the way at the beginning.
    pub(crate) initial_window: u64,
    pub(crate) opening: Opening,
}

/// What an end does about SYNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Connect,
    Accept,
    /// A reset for every SYN.
    Refuse,
    /// A SYN/ACK for every SYN, and nothing else: the queue of the application is full.
    Overflow,
    /// Nothing is there.
    Silent,
}

/// How a closed window is asked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeStyle {
    /// With the next byte.
    Byte,
    /// With a sequence number that was acknowledged, and no byte.
    Empty,
}
