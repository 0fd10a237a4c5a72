//! What one side of a flow sent: the objects `to_server` and `to_client` of a `flow` record.

use fact::{DirectionRecord, Latencies, RttLeftOutCounts, TcpCounters, Timing};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::is_zero;

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
    #[serde(skip_serializing_if = "is_zero")]
    copies: u64,
    #[serde(flatten, serialize_with = "nonzero_counters")]
    tcp: TcpCounters,
    #[serde(skip_serializing_if = "is_zero")]
    zero_window_ns: u64,
    #[serde(skip_serializing_if = "is_zero")]
    zero_window_episodes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    zero_window_max_ns: u64,
    #[serde(skip_serializing_if = "is_zero")]
    goodput_bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    missing_bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    differing_overlaps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_rtt: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt: Option<Times>,
    #[serde(
        skip_serializing_if = "RttLeftOutCounts::is_empty",
        serialize_with = "nonzero_reasons"
    )]
    rtt_left_out: RttLeftOutCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mss: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_scale: Option<u8>,
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
            copies: d.copies,
            tcp: d.tcp,
            zero_window_ns: d.zero_window_ns,
            zero_window_episodes: d.zero_window_episodes,
            zero_window_max_ns: d.zero_window_max_ns,
            goodput_bytes: d.goodput_bytes,
            missing_bytes: d.missing_bytes,
            differing_overlaps: d.differing_overlaps,
            ack_rtt: Times::of(&d.ack_rtt),
            rtt: Times::of(&d.rtt).map(|times| times.with_quantiles(&d.rtt_latencies)),
            rtt_left_out: d.rtt_left_out,
            response_time: Times::of(&d.response_time),
            mss: d.mss,
            window_scale: d.window_scale,
        }
    }
}

/// A field for each counter that is not zero, by its name.
fn nonzero_counters<S: Serializer>(
    counters: &TcpCounters,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_map(None)?;
    for (counter, count) in counters.iter().filter(|&(_, count)| count > 0) {
        fields.serialize_entry(counter.as_str(), &count)?;
    }
    fields.end()
}

/// A field for each reason whose count is not zero, by its name.
fn nonzero_reasons<S: Serializer>(
    counts: &RttLeftOutCounts,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        counts
            .iter()
            .filter(|&(_, count)| count > 0)
            .map(|(reason, count)| (reason.as_str(), count)),
    )
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
        let [least, most] = [self.min_ns, self.max_ns].map(|ns| u64::try_from(ns).unwrap_or(0));
        let quantile = |q| latencies.quantile_ns(q).map(|ns| ns.max(least).min(most));
        Self { p50_ns: quantile(0.5), p99_ns: quantile(0.99), ..self }
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
