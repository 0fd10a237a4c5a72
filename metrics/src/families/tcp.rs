use std::sync::Arc;

use analyzer::fact::{CloseReason, FlowRecord};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};
use wire::Direction;

use crate::capped::Capped;
use crate::edge::{Edge, Series};
use crate::histogram::Seconds;
use crate::snapshot::{Counted, Snapshot};

type FloatCounter = Counter<f64, std::sync::atomic::AtomicU64>;

/// What TCP tells about the network and about the hosts.
#[derive(Debug)]
pub(crate) struct Tcp {
    handshake: Capped<Seconds>,
    rtt: Capped<Seconds>,
    retransmissions: Capped<Counter>,
    out_of_order: Capped<Counter>,
    duplicate_acks: Capped<Counter>,
    zero_windows: Capped<Counter>,
    zero_window_seconds: Capped<FloatCounter>,
    window_full: Capped<Counter>,
    resets: Capped<Counter>,
    handshake_failures: Capped<Counter>,
}

/// The side whose network and kernel an ACK or a reset comes from.
const fn side(sent: Direction) -> &'static str {
    match sent {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    }
}

impl Tcp {
    pub(crate) fn register(registry: &mut Registry, cap: usize) -> Self {
        let it = Self {
            handshake: Capped::new(cap),
            rtt: Capped::new(cap),
            retransmissions: Capped::new(cap),
            out_of_order: Capped::new(cap),
            duplicate_acks: Capped::new(cap),
            zero_windows: Capped::new(cap),
            zero_window_seconds: Capped::new(cap),
            window_full: Capped::new(cap),
            resets: Capped::new(cap),
            handshake_failures: Capped::new(cap),
        };
        let r = registry;
        let seconds = || Unit::Seconds;
        r.register_with_unit(
            "tcp_handshake",
            "Time of the handshake between the tap and the side: SYN to SYN/ACK (server), SYN/ACK to ACK (client)",
            seconds(),
            it.handshake.clone(),
        );
        r.register_with_unit(
            "tcp_rtt",
            "Time from a segment to its ACK between the tap and the side that acknowledges, without retransmitted segments",
            seconds(),
            it.rtt.clone(),
        );
        r.register("tcp_retransmissions", "Retransmitted segments by kind", it.retransmissions.clone());
        r.register("tcp_out_of_order", "Segments out of order", it.out_of_order.clone());
        r.register("tcp_duplicate_acks", "Duplicate ACKs", it.duplicate_acks.clone());
        r.register("tcp_zero_windows", "Segments that close the window", it.zero_windows.clone());
        r.register_with_unit(
            "tcp_zero_window",
            "Time for which a window was closed",
            seconds(),
            it.zero_window_seconds.clone(),
        );
        r.register("tcp_window_full", "Segments that fill the receiver's window", it.window_full.clone());
        r.register("tcp_resets", "Segments with RST by the side that sent them", it.resets.clone());
        r.register(
            "tcp_handshake_failures",
            "Connections that were never established, by reason",
            it.handshake_failures.clone(),
        );
        it
    }

    /// Counts a flow that ended without having been established.
    pub(crate) fn closed(&self, edge: &Arc<Edge>, reason: CloseReason) {
        use CloseReason::{ServerRefused, SynAckUnanswered, SynUnanswered};
        if matches!(reason, ServerRefused | SynAckUnanswered | SynUnanswered) {
            self.handshake_failures.at(&Series::with(edge, ("reason", reason.as_str().into()))).inc();
        }
    }

    /// Adds what `now` has more than `before`; `counted` is `now` as a snapshot.
    pub(crate) fn add(&self, edge: &Arc<Edge>, now: &FlowRecord, counted: &Snapshot, before: &Snapshot) {
        if counted.handshake && !before.handshake {
            let times = now.handshake.unwrap_or_default();
            for (side, ns) in [("server", times.syn_to_syn_ack_ns), ("client", times.syn_ack_to_ack_ns)] {
                if let Some(ns) = ns.and_then(|ns| u64::try_from(ns).ok()) {
                    self.handshake.at(&Series::with(edge, ("side", side.into()))).observe_ns(ns);
                }
            }
        }
        for direction in Direction::BOTH {
            self.add_direction(
                edge,
                direction,
                &counted.directions[direction],
                &before.directions[direction],
            );
        }
    }

    fn add_direction(&self, edge: &Arc<Edge>, direction: Direction, now: &Counted, before: &Counted) {
        let to = ("direction", direction.as_str().into());
        let kinds = [
            ("timeout", now.timeout, before.timeout),
            ("fast", now.fast, before.fast),
            ("spurious", now.spurious, before.spurious),
            ("syn", now.syn, before.syn),
            ("syn_ack", now.syn_ack, before.syn_ack),
        ];
        for (kind, now, before) in kinds {
            if now > before {
                let series = Series::with_both(edge, to.clone(), ("kind", kind.into()));
                self.retransmissions.at(&series).inc_by(now - before);
            }
        }
        let plain = [
            (&self.out_of_order, now.out_of_order, before.out_of_order),
            (&self.duplicate_acks, now.duplicate_acks, before.duplicate_acks),
            (&self.zero_windows, now.zero_windows, before.zero_windows),
            (&self.window_full, now.window_full, before.window_full),
        ];
        for (family, now, before) in plain {
            if now > before {
                family.at(&Series::with(edge, to.clone())).inc_by(now - before);
            }
        }
        if now.zero_window_ns > before.zero_window_ns {
            let seconds = (now.zero_window_ns - before.zero_window_ns) as f64 / 1e9;
            self.zero_window_seconds.at(&Series::with(edge, to)).inc_by(seconds);
        }
        let by = ("side", side(direction).into());
        if now.resets > before.resets {
            self.resets.at(&Series::with(edge, by.clone())).inc_by(now.resets - before.resets);
        }
        if let Some(rtt) = &now.rtt {
            self.rtt.at(&Series::with(edge, by)).add_since(rtt, before.rtt.as_deref());
        }
    }
}
