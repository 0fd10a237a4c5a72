use fact::{DirectionRecord, Latencies, Timing};
use serde::Serialize;

use super::is_zero;

macro_rules! counters {
    ($($name:ident),* ; $($option:ident: $type:ty),*) => {
        /// DIRECTION of a `flow` record; counters of troubles that are zero are left out.
        #[derive(Debug, Serialize)]
        pub(super) struct Direction {
            packets: u64,
            data_packets: u64,
            payload_bytes: u64,
            ip_bytes: u64,
            wire_bytes: u64,
            syn: u64,
            syn_ack: u64,
            fin: u64,
            rst: u64,
            psh: u64,
            $(#[serde(skip_serializing_if = "is_zero")] $name: u64,)*
            #[serde(skip_serializing_if = "Option::is_none")]
            ack_rtt: Option<Times>,
            #[serde(skip_serializing_if = "Option::is_none")]
            rtt: Option<Times>,
            #[serde(skip_serializing_if = "Option::is_none")]
            response_time: Option<Times>,
            $(#[serde(skip_serializing_if = "Option::is_none")] $option: Option<$type>,)*
        }

        impl From<&DirectionRecord> for Direction {
            fn from(d: &DirectionRecord) -> Self {
                Self {
                    packets: d.packets,
                    data_packets: d.data_packets,
                    payload_bytes: d.payload_bytes,
                    ip_bytes: d.ip_bytes,
                    wire_bytes: d.wire_bytes,
                    syn: d.syn,
                    syn_ack: d.syn_ack,
                    fin: d.fin,
                    rst: d.rst,
                    psh: d.psh,
                    $($name: d.$name,)*
                    ack_rtt: Times::of(&d.ack_rtt),
                    rtt: Times::of(&d.rtt).map(|times| times.with_quantiles(&d.rtt_latencies)),
                    response_time: Times::of(&d.response_time),
                    $($option: d.$option,)*
                }
            }
        }
    };
}

counters! {
    retransmissions, syn_retransmissions, fast_retransmissions, spurious_retransmissions,
    timeout_retransmissions, tail_loss_probes, recovery_retransmissions, needless_retransmissions, out_of_order, duplicate_acks, zero_windows, zero_window_probes, zero_window_probe_acks,
    window_full, window_updates, keep_alives, keep_alive_acks, lost_segments, acked_lost_segments, ecn_ce, ecn_echo, ecn_cwr,
    zero_window_ns, zero_window_episodes, zero_window_max_ns, goodput_bytes, missing_bytes, differing_overlaps;
    mss: u16, window_scale: u8
}

#[derive(Debug, Serialize)]
struct Times {
    count: u64,
    min_ns: i64,
    mean_ns: i64,
    max_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ns: Option<u64>,
}

impl Times {
    fn with_quantiles(self, latencies: &Latencies) -> Self {
        Self { p50_ns: latencies.quantile_ns(0.5), p99_ns: latencies.quantile_ns(0.99), ..self }
    }

    fn of(t: &Timing) -> Option<Self> {
        (t.count > 0).then_some(Self {
            count: t.count,
            min_ns: t.min_ns,
            mean_ns: t.mean_ns,
            max_ns: t.max_ns,
            p50_ns: None,
            p99_ns: None,
        })
    }
}
