//! A TCP segment of a known flow, and the questions that are asked of its header.

use wire::decode::{Tcp, TcpFlags};
use wire::{SeqNum, Side, Timestamp};

/// A TCP segment of a known flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'r> {
    pub(crate) time: Timestamp,
    pub(crate) side: Side,
    /// IPv4 identification; 0 where there is none.
    pub(crate) ip_id: u16,
    pub(crate) tcp: &'r Tcp<'r>,
}

impl Segment<'_> {
    /// SYN, FIN or RST set.
    pub(crate) const fn has_control_flag(&self) -> bool {
        self.tcp.flags.any(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST)
    }

    /// SYN or FIN set: one of the flags that occupy a sequence number.
    pub(crate) const fn occupies_seq(&self) -> bool {
        self.tcp.flags.any(TcpFlags::SYN | TcpFlags::FIN)
    }

    /// SYN without ACK.
    pub(crate) const fn is_syn(&self) -> bool {
        self.tcp.flags.syn() && !self.tcp.flags.ack()
    }

    /// SYN with ACK.
    pub(crate) const fn is_syn_ack(&self) -> bool {
        self.tcp.flags.syn() && self.tcp.flags.ack()
    }

    /// The first SACK block reports bytes that had come before (RFC 2883, section 4).
    pub(crate) fn is_dsack(&self) -> bool {
        let options = &self.tcp.options;
        let [(start, end), (outer_start, outer_end), ..] = options.sack;
        if options.sack_count == 0 || !self.tcp.flags.ack() {
            return false;
        }
        let inside = options.sack_count > 1 && !start.before(outer_start) && !end.after(outer_end);
        !end.after(self.tcp.ack) || inside
    }

    /// Sequence number of the first payload byte.
    pub(crate) const fn payload_seq(&self) -> SeqNum {
        if self.tcp.flags.syn() { self.tcp.seq.plus(1) } else { self.tcp.seq }
    }
}
