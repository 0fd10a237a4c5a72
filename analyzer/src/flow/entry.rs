//! One flow at one tap.

use wire::decode::{Decoded, Layer4};
use wire::{Direction, FlowKey, PerDirection, Side, Timestamp};

use super::client::{by_flags, client_of};
use super::{Datagrams, GoneConnection, Held, Networks};
use crate::per_side::PerSide;
use crate::tcp::{Connection, EndCause, Phase};
use fact::{ClientBy, CloseReason, FlowId, FlowOpening, FlowState};
use l7::{Context, Conversation, SessionPool};

/// One flow at one tap.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: FlowId,
    pub(crate) key: FlowKey,
    /// Time of the first packet.
    pub(crate) start: Timestamp,
    /// Time of the last packet.
    pub(crate) last: Timestamp,
    /// The end that asks, by packets; see [`Self::client`] for what the conversation shows.
    client: Side,
    pub(crate) client_by: ClientBy,
    /// The side that was taken for the client when the conversation began; directions of the
    /// conversation go by it.
    l7_client: Side,
    /// Changed since the last tick.
    pub(crate) changed: bool,
    /// In the analyzer's list of flows that may wait for something.
    pub(crate) watched: bool,
    pub(crate) traffic: PerSide<Traffic>,
    pub(crate) networks: Networks,
    /// None for UDP.
    pub(crate) connection: Option<Connection>,
    /// None for TCP, unless a segment waits.
    pub(crate) extra: Option<Box<Extra>>,
    /// None until there is payload.
    pub(crate) conversation: Option<Box<Conversation>>,
}

/// What TCP flows hardly ever need.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Segments that wait; TCP.
    pub(crate) held: Held,
    /// UDP.
    pub(crate) datagrams: Datagrams,
}

/// What one side sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) packets: u64,
    pub(crate) data_packets: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) ip_bytes: u64,
    pub(crate) wire_bytes: u64,
}

/// Which time-out a flow has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeoutClass {
    Closed,
    Closing,
    Handshake,
    Datagrams,
    HalfClosed,
    Established,
}

/// Why a packet in a network of its own belongs to a flow, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It is a copy of a datagram that came in another network.
    Copy,
    /// Its side had not sent yet.
    Answer,
    /// The other side sends in its network.
    Network,
    /// Its sequence and acknowledgement numbers are those of the connection.
    Numbers,
}

impl TimeoutClass {
    /// Every class.
    pub(crate) const ALL: [Self; 6] = [
        Self::Closed,
        Self::Closing,
        Self::Handshake,
        Self::Datagrams,
        Self::HalfClosed,
        Self::Established,
    ];
}

impl Flow {
    #[inline]
    pub(crate) fn new(id: FlowId, packet: &Decoded<'_>) -> Self {
        let (client, client_by) = client_of(&packet.key, packet.side, &packet.layer4);
        Self {
            id,
            key: packet.key,
            start: packet.time,
            last: packet.time,
            client,
            client_by,
            l7_client: client,
            changed: false,
            watched: false,
            traffic: PerSide::default(),
            networks: Networks::new(packet),
            connection: matches!(packet.layer4, Layer4::Tcp(_)).then(Connection::default),
            extra: matches!(packet.layer4, Layer4::Udp(_)).then(Box::default),
            conversation: None,
        }
    }

    /// Counts a packet, and updates by its flags which end is the client. Times beyond `limit` may
    /// be wrong.
    pub(crate) fn count(&mut self, packet: &Decoded<'_>, limit: Timestamp) {
        let payload = match &packet.layer4 {
            Layer4::Tcp(tcp) => {
                self.update_client(by_flags(packet.side, tcp.flags));
                tcp.payload_len
            }
            Layer4::Udp(udp) => udp.payload_len,
        };
        // A time beyond the limit was wrong if a packet before the limit follows it.
        self.last = if self.last > limit { packet.time } else { self.last.max(packet.time) };
        let traffic = self.traffic.get_mut(packet.side);
        traffic.packets += 1;
        traffic.data_packets += u64::from(payload > 0);
        traffic.payload_bytes += u64::from(payload);
        traffic.ip_bytes += u64::from(packet.ip.len);
        traffic.wire_bytes += u64::from(packet.wire_len);
    }

    /// Replaces what was known of the client by what the flags of a packet show, if that is better.
    fn update_client(&mut self, by_flags: Option<(Side, ClientBy)>) {
        let Some((client, by)) = by_flags else { return };
        let better = match by {
            ClientBy::Syn => self.client_by != ClientBy::Syn,
            _ => !matches!(self.client_by, ClientBy::Syn | ClientBy::SynAck),
        };
        if better {
            (self.client, self.client_by) = (client, by);
        }
    }

    /// The end that asks, as far as is known now.
    pub(crate) fn client(&self) -> Side {
        let guessed = matches!(self.client_by, ClientBy::Port | ClientBy::FirstPacket);
        if guessed && self.conversation.as_ref().is_some_and(|c| c.is_reversed()) {
            self.l7_client.other()
        } else {
            self.client
        }
    }

    /// Direction of what `side` sends, as the conversation knows it.
    pub(crate) fn direction_of(&self, side: Side) -> Direction {
        if side == self.l7_client { Direction::ToServer } else { Direction::ToClient }
    }

    /// Starts the conversation, if it has not begun.
    pub(crate) fn start_conversation(&mut self, pool: &mut SessionPool) {
        if self.conversation.is_none() {
            self.l7_client = self.client;
            let context = self.context();
            self.conversation = Some(Box::new(Conversation::new(&context, pool)));
        }
    }

    /// Gives back what the conversation took; its summary is kept for the record.
    pub(crate) fn close_conversation(&mut self, pool: &mut SessionPool) {
        if let Some(conversation) = &mut self.conversation {
            conversation.close(pool);
        }
    }

    pub(crate) fn wants_payload(&self) -> bool {
        self.conversation.as_ref().is_none_or(|c| c.wants_payload())
    }

    pub(crate) fn context(&self) -> Context {
        let (client, server) = (self.l7_client, self.l7_client.other());
        let base = self.connection.as_ref().map_or_else(PerDirection::default, |c| PerDirection {
            to_server: c.streams.get(client).base(),
            to_client: c.streams.get(server).base(),
        });
        Context {
            flow: self.id,
            tap: self.key.tap,
            transport: self.key.transport,
            client: self.key.endpoint(client),
            server: self.key.endpoint(server),
            roles_known: matches!(self.client_by, ClientBy::Syn | ClientBy::SynAck)
                && self.l7_client == self.client,
            base,
            connect_ns: self.connection.as_ref().and_then(|c| c.lifecycle.connect_ns()),
            connected: self.connection.as_ref().and_then(|c| c.lifecycle.connected()),
            health: self.connection.as_ref().map(Connection::health).unwrap_or_default(),
        }
    }

    pub(crate) fn opening(&self) -> FlowOpening {
        let client = self.client();
        FlowOpening {
            id: self.id,
            tap: self.key.tap,
            transport: self.key.transport,
            client: self.key.endpoint(client),
            server: self.key.endpoint(client.other()),
            start: self.start,
        }
    }

    /// Whether `packet` belongs to a new flow on the same addresses and ports.
    pub(crate) fn starts_over(&self, packet: &Decoded<'_>) -> bool {
        match (&self.connection, &packet.layer4) {
            (Some(connection), Layer4::Tcp(tcp)) if tcp.flags.syn() => {
                connection.analysis.is_new_connection(packet.side, tcp)
            }
            _ => false,
        }
    }

    /// Whether `packet`, which has the addresses and ports of this flow but came in a network of
    /// its own, belongs to this flow; the larger, the better it fits. TCP: its numbers are those of
    /// the connection. UDP: the other side sends in the same network; or, as it seems, its side
    /// answers in a network of its own; or it was seen before in another network.
    pub(crate) fn fits(&self, packet: &Decoded<'_>) -> Option<Fit> {
        match (&self.connection, &packet.layer4) {
            (Some(connection), Layer4::Tcp(tcp)) => {
                connection.analysis.takes(packet.side, tcp).then_some(Fit::Numbers)
            }
            (None, Layer4::Udp(_)) if self.networks.owns(packet.side.other(), packet.network) => {
                Some(Fit::Network)
            }
            (None, Layer4::Udp(_)) if !self.has_sent(packet.side) => Some(Fit::Answer),
            (None, Layer4::Udp(udp)) => {
                let (side, time, id) = (packet.side, packet.time, packet.ip.id);
                let copy = self
                    .extra
                    .as_ref()
                    .is_some_and(|extra| extra.datagrams.has(side, time, id, udp.payload));
                copy.then_some(Fit::Copy)
            }
            _ => None,
        }
    }

    /// Whether `side` sent a packet.
    pub(crate) fn has_sent(&self, side: Side) -> bool {
        self.traffic.get(side).packets > 0
    }

    /// Whether both sides sent FIN.
    pub(crate) fn closed_well(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.lifecycle.state() == FlowState::Closed)
    }

    pub(crate) fn timeout_class(&self) -> TimeoutClass {
        match self.connection.as_ref().map(|c| c.lifecycle.phase()) {
            None => TimeoutClass::Datagrams,
            Some(Phase::Handshake) => TimeoutClass::Handshake,
            Some(Phase::Established) => TimeoutClass::Established,
            Some(Phase::HalfClosed) => TimeoutClass::HalfClosed,
            Some(Phase::Closed) if self.is_closing() => TimeoutClass::Closing,
            Some(Phase::Closed) => TimeoutClass::Closed,
        }
    }

    /// Where the connection ended, if it is closed.
    pub(crate) fn gone(&self) -> Option<GoneConnection> {
        let connection = self.connection.as_ref()?;
        let next = connection.analysis.next();
        let closed = connection.lifecycle.phase() == Phase::Closed;
        closed.then_some(GoneConnection { last: self.last, next })
    }

    fn is_closing(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_closing)
    }

    /// What the final record says for `cause` at `now`.
    pub(crate) fn end(&self, cause: EndCause, now: Timestamp) -> (FlowState, CloseReason) {
        /// Longer than the first repetition of a SYN takes.
        const PATIENCE_NS: u64 = 3_000_000_000;
        match (&self.connection, cause) {
            (Some(connection), _) => {
                let waited = now.nanos_since(self.last) >= PATIENCE_NS;
                connection.lifecycle.end(cause, self.client(), waited)
            }
            (None, EndCause::Idle) => (FlowState::TimedOut, CloseReason::Idle),
            (None, EndCause::Evicted) => (FlowState::Open, CloseReason::Evicted),
            (None, _) => (FlowState::Open, CloseReason::InputEnd),
        }
    }

    /// Memory that it takes, in bytes, besides what waits in reassembly.
    pub(crate) fn bytes(&self) -> usize {
        let conversation = self.conversation.as_ref().map_or(0, |c| c.bytes());
        size_of::<Self>()
            + self.networks.bytes()
            + self.extra.as_ref().map_or(0, |extra| size_of_val(&**extra))
            + conversation
            + self.connection.as_ref().map_or(0, Connection::bytes)
    }
}
