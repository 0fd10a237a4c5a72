use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use analyzer::{Analyzer, Config};
use capture::CaptureFile;
use fact::{DirectionRecord, FlowRecord};
use fact::{Fact, Sink};
use wire::decode::{Decoder, Layer4};
use wire::{InputClock, TapId};

use super::counts::Counts;
use super::simulator::{End, Endpoints, Frame, Tape};

/// Flows never end by a time-out: tshark knows none.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    let never = Duration::from_secs(1 << 32);
    let flows = &mut config.flows;
    flows.max_flows = 1 << 22;
    for wait in [
        &mut flows.established_idle,
        &mut flows.handshake_idle,
        &mut flows.half_closed_idle,
        &mut flows.closed_linger,
        &mut flows.closing_idle,
    ] {
        *wait = never;
    }
    config.reassembly.hole_wait = never;
    config
}

#[derive(Default)]
struct Closed(Vec<FlowRecord>);

impl Sink for Closed {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowClosed(record) = fact {
            self.0.push(record.clone());
        }
    }
}

/// Records of all flows in the capture, by number of the first frame.
pub(crate) fn records(capture: &Path) -> Vec<FlowRecord> {
    let mut file = CaptureFile::open(capture, Box::new(|_| TapId(1))).expect("a capture");
    let (mut analyzer, mut clock, mut sink) =
        (Analyzer::new(config()), InputClock::default(), Closed::default());
    let mut number = 0;
    while let Some(frame) = file.next_frame().expect("a whole capture") {
        number += 1;
        if let Some(now) = clock.on_frame(frame.time) {
            analyzer.tick(now, &mut sink);
        }
        analyzer.frame(number, &frame, &mut sink);
    }
    analyzer.finish(&mut sink);
    sink.0.sort_by_key(|record| record.id);
    sink.0
}

/// What `end` sent, as `record` has it.
pub(crate) fn sent<'r>(
    record: &'r FlowRecord,
    endpoints: &Endpoints,
    end: End,
) -> &'r DirectionRecord {
    let straight = (record.client.address, record.client.port) == endpoints.client;
    let to_server = straight == (end == End::Client);
    if to_server { &record.directions.to_server } else { &record.directions.to_client }
}

#[derive(Default)]
struct Latest(Option<FlowRecord>);

impl Sink for Latest {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowProgress(record) = fact {
            self.0 = Some(record.clone());
        }
    }
}

/// What each frame of a tape adds to the figures of its sender, with the number of its flow.
pub(crate) fn steps(tape: &Tape, endpoints: &Endpoints) -> Vec<(u64, Counts)> {
    let (mut analyzer, mut sink) = (Analyzer::new(config()), Latest::default());
    let mut before: HashMap<(u64, End), Counts> = HashMap::new();
    let mut steps = Vec::new();
    for (number, frame) in (1..).zip(&tape.frames) {
        analyzer.frame(number, &frame.raw(), &mut sink);
        analyzer.tick(frame.raw().time, &mut sink);
        let Some(record) = &sink.0 else { continue };
        let now = Counts::of_record(sent(record, endpoints, frame.from));
        let old = before.insert((record.id.0, frame.from), now.clone()).unwrap_or_default();
        let mut step = Counts::default();
        for (n, (now, old)) in now.of.iter().zip(old.of).enumerate() {
            step.of[n] = now.wrapping_sub(old);
        }
        if now.ack_rtt.count > old.ack_rtt.count {
            // Exact only as far as the mean is.
            step.ack_rtt.record(now.ack_rtt.sum_ns.saturating_sub(old.ack_rtt.sum_ns));
        }
        steps.push((record.id.0, step));
    }
    steps
}

/// The frame's segment in a line.
pub(crate) fn describe(frame: &Frame) -> String {
    let mut decoder = Decoder::new(config().decode);
    let raw = frame.raw();
    let Ok(packet) = decoder.decode(&raw) else { return "no packet".into() };
    let Layer4::Tcp(tcp) = packet.layer4 else { return "no TCP".into() };
    let flags: String = "FSRPAUEC"
        .chars()
        .enumerate()
        .filter(|(bit, _)| tcp.flags.0 & (1 << bit) != 0)
        .map(|(_, c)| c)
        .collect();
    format!(
        "{:?} {}.{:09} {flags} seq {} len {} ack {} win {} {:?}",
        frame.from,
        frame.time / 1_000_000_000 % 1000,
        frame.time % 1_000_000_000,
        tcp.seq.0,
        tcp.payload_len,
        tcp.ack.0,
        tcp.window,
        tcp.options.sack_count,
    )
}

/// A line for each frame of a tape: the segment, and all that is new in its sender's figures.
pub(crate) fn story(tape: &Tape, endpoints: &Endpoints) -> Vec<String> {
    let (mut analyzer, mut sink) = (Analyzer::new(config()), Latest::default());
    let mut before: HashMap<(u64, End), DirectionRecord> = HashMap::new();
    let mut story = Vec::new();
    for (number, frame) in (1..).zip(&tape.frames) {
        analyzer.frame(number, &frame.raw(), &mut sink);
        analyzer.tick(frame.raw().time, &mut sink);
        let Some(record) = &sink.0 else { continue };
        let now = sent(record, endpoints, frame.from).clone();
        let old = before.insert((record.id.0, frame.from), now.clone()).unwrap_or_default();
        let mut line = format!("{number:5} flow {} {}", record.id.0, describe(frame));
        let (times, old_times) = (now.rtt, old.rtt);
        if times.count > old_times.count {
            let sum = |t: &fact::Timing| t.mean_ns * t.count as i64;
            line += &format!("  rtt {}", sum(&times) - sum(&old_times));
        }
        let counts = now.tcp.iter().zip(old.tcp.iter());
        let counts =
            counts.map(|((c, now), (_, old))| (c.as_str(), u64::from(now), u64::from(old)));
        for (name, now, old) in counts.chain([
            ("missing", now.missing_bytes, old.missing_bytes),
            ("closed_ns", now.zero_window_ns, old.zero_window_ns),
        ]) {
            if now != old {
                line += &format!("  {name} {}", now.wrapping_sub(old));
            }
        }
        story.push(line);
    }
    story
}
