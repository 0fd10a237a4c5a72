//! The families of TCP: times, retransmissions, windows, failures.

use std::sync::Arc;

use fact::{Metric, TcpCounter};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};
use wire::Direction;

use crate::capped::Capped;
use crate::edge::{Edge, Series};
use crate::histogram::Seconds;
use crate::tally::{Counts, TcpTally};

type FloatCounter = Counter<f64, std::sync::atomic::AtomicU64>;

/// What TCP tells about the network and about the hosts.
#[derive(Debug)]
pub(crate) struct Tcp {
    handshake: Capped<Seconds>,
    rtt: Capped<Seconds>,
    retransmissions: Capped<Counter>,
    /// Each counter that has a family of its own.
    counters: Vec<(TcpCounter, Capped<Counter>)>,
    zero_window_seconds: Capped<FloatCounter>,
    resets: Capped<Counter>,
    handshake_failures: Capped<Counter>,
    troubles: Capped<Counter>,
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
        let has_family = |counter: &TcpCounter| matches!(counter.metric(), Some(Metric::Family(_)));
        let counters = TcpCounter::ALL.iter().copied().filter(has_family);
        let it = Self {
            handshake: Capped::new(cap),
            rtt: Capped::new(cap),
            retransmissions: Capped::new(cap),
            counters: counters.map(|counter| (counter, Capped::new(cap))).collect(),
            zero_window_seconds: Capped::new(cap),
            resets: Capped::new(cap),
            handshake_failures: Capped::new(cap),
            troubles: Capped::new(cap),
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
        for (counter, family) in &it.counters {
            if let Some(Metric::Family(help)) = counter.metric() {
                r.register(format!("tcp_{}", counter.as_str()), help, family.clone());
            }
            // The time for which windows were closed stands next to how often they were.
            if *counter == TcpCounter::ZeroWindow {
                r.register_with_unit(
                    "tcp_zero_window",
                    "Time for which a window was closed",
                    seconds(),
                    it.zero_window_seconds.clone(),
                );
            }
        }
        r.register("tcp_resets", "Segments with RST by the side that sent them", it.resets.clone());
        r.register(
            "tcp_handshake_failures",
            "Connections that were never established, by reason",
            it.handshake_failures.clone(),
        );
        r.register("tcp_troubles", "Connections that went wrong, by what happened", it.troubles.clone());
        it
    }

    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &TcpTally) {
        for &(reason, times) in &tally.failures {
            self.handshake_failures.at(&Series::with(edge, ("reason", reason.into()))).inc_by(times);
        }
        for &(trouble, times) in &tally.troubles {
            self.troubles.at(&Series::with(edge, ("trouble", trouble.into()))).inc_by(times);
        }
        for direction in Direction::BOTH {
            let by = ("side", side(direction).into());
            for (family, times) in
                [(&self.handshake, &tally.handshake[direction]), (&self.rtt, &tally.rtt[direction])]
            {
                if !times.is_empty() {
                    family.at(&Series::with(edge, by.clone())).add(times);
                }
            }
            let counts = &tally.counts[direction];
            self.add_counts(edge, direction, counts);
            if counts.resets > 0 {
                self.resets.at(&Series::with(edge, by)).inc_by(counts.resets);
            }
        }
    }

    fn add_counts(&self, edge: &Arc<Edge>, direction: Direction, counts: &Counts) {
        let to = ("direction", direction.as_str().into());
        let kinds = TcpCounter::ALL.iter().filter_map(|&counter| match counter.metric() {
            Some(Metric::Kind(kind)) => Some((kind, counts.of(counter))),
            _ => None,
        });
        let kinds = kinds.chain([("syn_ack", counts.syn_ack_retransmissions)]);
        for (kind, times) in kinds.filter(|&(_, times)| times > 0) {
            let series = Series::with_both(edge, to.clone(), ("kind", kind.into()));
            self.retransmissions.at(&series).inc_by(times);
        }
        for (counter, family) in &self.counters {
            let times = counts.of(*counter);
            if times > 0 {
                family.at(&Series::with(edge, to.clone())).inc_by(times);
            }
        }
        if counts.zero_window_ns > 0 {
            let seconds = counts.zero_window_ns as f64 / 1e9;
            self.zero_window_seconds.at(&Series::with(edge, to)).inc_by(seconds);
        }
    }
}
