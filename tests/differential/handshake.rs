use fact::FlowRecord;

use super::simulator::{End, flag};
use super::tshark::Marks;

/// What matters of one stream's handshake, from tshark's fields.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    /// Time and sender of the first of each.
    syn: Option<(u64, End)>,
    syn_ack: Option<(u64, End)>,
    ack: Option<u64>,
    /// SYNs of any kind.
    syns: u32,
    /// Something came in between.
    disturbed: bool,
    nonsense: bool,
    initial_rtt_ns: Option<i64>,
}

impl Opening {
    pub(crate) fn frame(&mut self, time: u64, from: End, marks: &Marks) {
        let kind = marks.flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN);
        self.syns += u32::from(kind & flag::SYN != 0);
        const SYN_ACK: u8 = flag::SYN | flag::ACK;
        match (kind, self.syn_ack) {
            // A SYN that is a FIN too opens nothing.
            _ if kind & (flag::SYN | flag::FIN) == flag::SYN | flag::FIN => self.nonsense = true,
            (flag::SYN, _) => {
                self.syn.get_or_insert((time, from));
            }
            (SYN_ACK, None) => {
                self.syn_ack = Some((time, from));
                self.disturbed |= self.syn.is_none();
            }
            (flag::ACK, Some((_, server))) if server != from => {
                self.ack.get_or_insert(time);
            }
            _ => self.disturbed |= self.ack.is_none(),
        }
        self.initial_rtt_ns = self.initial_rtt_ns.or(marks.initial_rtt_ns);
    }

    /// Where the record's times are others.
    pub(crate) fn differences(&self, record: &FlowRecord) -> Vec<String> {
        let (Some((syn, client)), Some((syn_ack, server))) = (self.syn, self.syn_ack) else {
            return Vec::new();
        };
        if client == server || self.nonsense {
            return Vec::new();
        }
        let since = |from: u64, to: u64| to as i64 - from as i64;
        let own = record.handshake.unwrap_or_default();
        let steps = [Some(since(syn, syn_ack)), self.ack.map(|ack| since(syn_ack, ack))];
        let mut found = Vec::new();
        if [own.syn_to_syn_ack_ns, own.syn_ack_to_ack_ns] != steps {
            found.push(format!("handshake: {own:?}, tshark {steps:?}"));
        }
        let connect = self.ack.and_then(|ack| u64::try_from(since(syn, ack)).ok());
        if own.connect_ns != connect {
            found.push(format!("connect_ns: {:?}, tshark {connect:?}", own.connect_ns));
        }
        if let (Some(rtt), Some(theirs), 2, false) =
            (own.rtt_ns(), self.initial_rtt_ns, self.syns, self.disturbed)
            && rtt != theirs
            && rtt != 0
        {
            found.push(format!("initial round-trip time: {rtt}, tshark {theirs}"));
        }
        found
    }
}
