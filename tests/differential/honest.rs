//! Flow records against what the simulator knows: figures that no other tool gives, where there is
//! a truth.

use fact::{DirectionRecord, FlowRecord, TcpCounter};

use super::own;
use super::simulator::{End, Endpoints, Plan, Reason, Truth};

/// Sums over all connections of what is compared in sum, and everything that is wrong with a single
/// one.
#[derive(Debug, Default)]
pub(crate) struct Honest {
    pub(crate) directions: u64,
    pub(crate) wrong: Vec<String>,
    pub(crate) goodput: u64,
    pub(crate) rtt_samples: u64,
    /// Time-outs and tail-loss probes together; those of what was acknowledged already have a
    /// counter of their own.
    pub(crate) timers: Sum,
    pub(crate) timeouts: Sum,
    pub(crate) recoveries: Sum,
    pub(crate) tail_probes: Sum,
    pub(crate) closed: u64,
}

/// Of a kind of retransmission: how many there were, how many were told, and by how much single
/// directions are off.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) truth: u64,
    pub(crate) told: u64,
    pub(crate) off: u64,
}

impl Sum {
    fn add(&mut self, truth: u64, told: u64) {
        self.truth += truth;
        self.told += told;
        self.off += truth.abs_diff(told);
    }
}

/// Bytes of a stream that the tap recorded, and those before the last of them, or before the last
/// that it saw acknowledged, that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Recorded {
    bytes: u64,
    missing: u64,
}

fn recorded(truth: &Truth, end: End) -> Option<Recorded> {
    let first = truth.isn[end as usize]?.wrapping_add(1);
    let mut ranges: Vec<(u64, u64)> = truth
        .sent
        .iter()
        .filter(|sent| sent.from == end && !sent.recorded.is_empty() && sent.len > 0)
        .filter_map(|sent| {
            let start = u64::try_from(sent.seq.wrapping_sub(first) as i32).ok()?;
            Some((start, start + u64::from(sent.len)))
        })
        .collect();
    ranges.sort_unstable();
    let (mut bytes, mut reached) = (0, 0);
    for (start, end) in ranges {
        bytes += end.saturating_sub(start.max(reached));
        reached = end.max(reached);
    }
    Some(Recorded { bytes, missing: reached - bytes })
}

impl Honest {
    /// What is wrong with the sums. From outside, a time-out that comes early looks like a
    /// tail-loss probe, and a repeat that crosses the acknowledgement that it waits for like any
    /// other: so the kinds agree within these shares of what there was.
    pub(crate) fn wrong_sums(&self) -> Vec<String> {
        let sums = [
            ("timers", self.timers, 0.08),
            ("timeouts", self.timeouts, 0.2),
            ("recoveries", self.recoveries, 0.4),
        ];
        let off = |sum: Sum, share: f64| sum.off as f64 > sum.truth as f64 * share;
        let wrong = sums.into_iter().filter(|(_, sum, share)| off(*sum, *share));
        wrong.map(|(name, sum, share)| format!("{name}: {sum:?}, more than {share} off")).collect()
    }

    /// Compares a connection that was alone on its ports.
    pub(crate) fn check(
        &mut self,
        name: &str,
        endpoints: &Endpoints,
        plan: &Plan,
        truth: &Truth,
        record: &FlowRecord,
    ) {
        if plan.tap.joins_after > 0 {
            return;
        }
        for end in End::BOTH {
            let told = own::sent(record, endpoints, end);
            let before = self.wrong.len();
            self.streams(plan, truth, end, told);
            self.times(plan, truth, end, told);
            self.retransmissions(plan, truth, end, told);
            for wrong in &mut self.wrong[before..] {
                *wrong = format!("{name} {end:?}: {wrong}");
            }
            self.directions += 1;
        }
    }

    fn streams(&mut self, plan: &Plan, truth: &Truth, end: End, told: &DirectionRecord) {
        let opened = truth.sent.iter().find(|sent| sent.from == end && !sent.recorded.is_empty());
        let from_the_start = opened.is_some_and(|sent| sent.reason == Reason::Opening);
        let Some(seen) = recorded(truth, end).filter(|_| from_the_start && plan.tap.loss == 0.0)
        else {
            return;
        };
        self.goodput += seen.bytes;
        // A keep-alive's byte says something else than the byte that it stands for.
        let manner = &plan.manners[end as usize];
        let differing = if manner.keep_alive.is_some() { 0 } else { told.differing_overlaps };
        let told = (told.goodput_bytes, told.missing_bytes, differing);
        if told != (seen.bytes, seen.missing, 0) {
            self.wrong.push(format!("(goodput, missing, differing) {told:?}, truly {seen:?}"));
        }
    }

    fn times(&mut self, plan: &Plan, truth: &Truth, end: End, told: &DirectionRecord) {
        let half = plan.halves[end as usize];
        if plan.tap.loss > 0.0 {
            return;
        }
        self.rtt_samples += told.rtt.count;
        // Of two copies in one millisecond, one after the other, the echo does not tell which.
        let least = (half.delay * 2).saturating_sub(100 * half.gap) as i64;
        if told.rtt.count > 0 && told.rtt.min_ns < least {
            self.wrong.push(format!("rtt {} below twice the delay {least}", told.rtt.min_ns));
        }
        let steady = half.loss == 0.0 && half.reordering == 0.0 && half.duplication == 0.0;
        // Whatever the receiver waited before it acknowledged: a delayed ACK waits 40 ms or more,
        // an application has no limit. What is near the smallest of its side may have waited too.
        // Where segments follow each other slowly, ACKs queue.
        let network = 2 * (half.delay + half.jitter) + 100 * half.gap;
        let most = (network + (network / 4).clamp(50_000, 10_000_000)) as i64;
        let queues = half.gap > 1_000;
        if steady && !queues && told.rtt.count > 0 && told.rtt.max_ns > most {
            self.wrong.push(format!("rtt {} above what the path takes, {most}", told.rtt.max_ns));
        }
        let closed = &truth.closed[end as usize];
        if steady && closed.last().is_none_or(|(_, until)| *until < truth.end) {
            let sum: u64 = closed.iter().map(|(from, until)| until - from).sum();
            let tolerance = (half.jitter + 100 * half.gap) * closed.len() as u64;
            self.closed += closed.len() as u64;
            if sum.abs_diff(told.zero_window_ns) > tolerance {
                self.wrong.push(format!(
                    "zero_window_ns {}, truly {sum} +- {tolerance}",
                    told.zero_window_ns
                ));
            }
        }
    }

    fn retransmissions(&mut self, plan: &Plan, truth: &Truth, end: End, told: &DirectionRecord) {
        let half = plan.halves[end as usize];
        let sees_all = plan.tap.loss == 0.0
            && half.loss == 0.0
            && half.reordering == 0.0
            && half.duplication == 0.0;
        // A repeated byte of its own is a keep-alive to Wireshark, and so here.
        if !sees_all || told.tcp[TcpCounter::KeepAlive] > 0 {
            return;
        }
        let told_of = |counter: TcpCounter| u64::from(told.tcp[counter]);
        let count = |reason: Reason| {
            truth
                .sent
                .iter()
                .filter(|s| s.from == end && s.reason == reason && !s.recorded.is_empty())
                .count() as u64
        };
        self.timeouts.add(count(Reason::Timeout), told_of(TcpCounter::TimeoutRetransmission));
        let timers = count(Reason::Timeout) + count(Reason::TailProbe);
        let needless = told_of(TcpCounter::SpuriousRetransmission);
        let told_timers =
            told_of(TcpCounter::TimeoutRetransmission) + told_of(TcpCounter::TailLossProbe);
        self.timers.add(
            timers,
            if told_timers < timers { (told_timers + needless).min(timers) } else { told_timers },
        );
        self.recoveries.add(count(Reason::Recovery), told_of(TcpCounter::RecoveryRetransmission));
        self.tail_probes.add(count(Reason::TailProbe), told_of(TcpCounter::TailLossProbe));
    }
}
