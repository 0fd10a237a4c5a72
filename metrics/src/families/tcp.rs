//! Families of what TCP shows about the network and about the hosts.

use std::sync::{Arc, LazyLock};

use fact::{Metric, TcpCounter};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use wire::Direction;

use super::edge_family::EdgeFamily;
use super::info::{FamilyInfo, FromInfo, table};
use crate::edge::Edge;
use crate::histogram::DurationHistogram;
use crate::tally::{Counts, TcpTally};

type FloatCounter = Counter<f64, std::sync::atomic::AtomicU64>;

table! {
    /// The families that stand for more than one counter, or for something else than counters.
    pub(super) struct Others {
        handshake: EdgeFamily<DurationHistogram>, "tcp_handshake" in Seconds, ["side"],
            "Time of the handshake between the tap and the side, without repeats: SYN to SYN/ACK (server), SYN/ACK to ACK (client)";
        connect: EdgeFamily<DurationHistogram>, "tcp_connect" in Seconds, [],
            "Time that clients waited for connections: first SYN to the ACK that ends the handshake, repeats included";
        rtt: EdgeFamily<DurationHistogram>, "tcp_rtt" in Seconds, ["side"],
            "Time of the network between the tap and the side and back, from ACKs in which no application had a part";
        rtt_left_out: EdgeFamily<Counter>, "tcp_rtt_left_out", ["side", "reason"],
            "ACKs of the side that are no samples of the round-trip time, by reason";
        retransmissions: EdgeFamily<Counter>, "tcp_retransmissions", ["direction", "kind"],
            "Retransmitted segments by kind";
        zero_window_seconds: EdgeFamily<FloatCounter>, "tcp_zero_window" in Seconds, ["direction"],
            "Time for which a window was closed";
        resets: EdgeFamily<Counter>, "tcp_resets", ["side"],
            "Segments with RST by the side that sent them";
        handshake_failures: EdgeFamily<Counter>, "tcp_handshake_failures", ["reason"],
            "Connections that were never established, by reason";
        troubles: EdgeFamily<Counter>, "tcp_troubles", ["trouble"],
            "Connections that went wrong, by what happened";
    }
}

/// What TCP shows about the network and about the hosts.
#[derive(Debug)]
pub(crate) struct Tcp {
    /// Each counter that has a family of its own.
    counters: Vec<(TcpCounter, EdgeFamily<Counter>)>,
    others: Others,
}

/// Rows of the families of counters: name and help are those of [`TcpCounter`].
static COUNTERS: LazyLock<Vec<(TcpCounter, FamilyInfo)>> = LazyLock::new(|| {
    let row = |counter: &TcpCounter| match counter.metric() {
        Some(Metric::Family(help)) => Some(FamilyInfo {
            stem: format!("tcp_{}", counter.as_str()).into(),
            metric_type: MetricType::Counter,
            unit: None,
            labels: &["direction"],
            help,
        }),
        _ => None,
    };
    TcpCounter::ALL.iter().filter_map(|counter| Some((*counter, row(counter)?))).collect()
});

/// The side whose network and kernel an ACK or a reset comes from.
const fn side(sent: Direction) -> &'static str {
    match sent {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    }
}

impl Tcp {
    pub(crate) fn families() -> impl Iterator<Item = &'static FamilyInfo> {
        COUNTERS.iter().map(|(_, info)| info).chain(Others::FAMILIES)
    }

    pub(crate) fn register(registry: &mut Registry, max_series: usize) -> Self {
        let counters = COUNTERS.iter().map(|(counter, info)| {
            let family: EdgeFamily<Counter> = EdgeFamily::from_info(info, max_series);
            info.register(registry, family.clone());
            (*counter, family)
        });
        Self { counters: counters.collect(), others: Others::register(registry, max_series) }
    }

    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &TcpTally) {
        let others = &self.others;
        for &(reason, count) in &tally.failures {
            others.handshake_failures.get_or_create(edge, [reason.into()]).inc_by(count);
        }
        for &(trouble, count) in &tally.troubles {
            others.troubles.get_or_create(edge, [trouble.into()]).inc_by(count);
        }
        if !tally.connect.is_empty() {
            others.connect.get_or_create(edge, []).add(&tally.connect);
        }
        for direction in Direction::BOTH {
            let by = || [side(direction).into()];
            for (family, durations) in [
                (&others.handshake, &tally.handshake[direction]),
                (&others.rtt, &tally.rtt[direction]),
            ] {
                if !durations.is_empty() {
                    family.get_or_create(edge, by()).add(durations);
                }
            }
            let counts = &tally.counts[direction];
            self.add_counts(edge, direction, counts);
            if counts.resets > 0 {
                others.resets.get_or_create(edge, by()).inc_by(counts.resets);
            }
            for (reason, count) in counts.rtt_left_out().filter(|&(_, count)| count > 0) {
                let values = [side(direction).into(), reason.as_str().into()];
                others.rtt_left_out.get_or_create(edge, values).inc_by(count);
            }
        }
    }

    fn add_counts(&self, edge: &Arc<Edge>, direction: Direction, counts: &Counts) {
        let direction = direction.as_str();
        let kinds = TcpCounter::ALL.iter().filter_map(|&counter| match counter.metric() {
            Some(Metric::Kind(kind)) => Some((kind, counts.of(counter))),
            _ => None,
        });
        let kinds = kinds.chain([("syn_ack", counts.syn_ack_retransmissions)]);
        for (kind, count) in kinds.filter(|&(_, count)| count > 0) {
            let values = [direction.into(), kind.into()];
            self.others.retransmissions.get_or_create(edge, values).inc_by(count);
        }
        for (counter, family) in &self.counters {
            let count = counts.of(*counter);
            if count > 0 {
                family.get_or_create(edge, [direction.into()]).inc_by(count);
            }
        }
        if counts.zero_window_ns > 0 {
            let seconds = counts.zero_window_ns as f64 / 1e9;
            self.others.zero_window_seconds.get_or_create(edge, [direction.into()]).inc_by(seconds);
        }
    }
}
