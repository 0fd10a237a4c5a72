//! Made-up traffic through `tshark` and through the analyzer: every counter that has Wireshark's
//! name must agree, for every flow and direction. `DIFFERENTIAL_SEED` and `DIFFERENTIAL_ROUNDS`
//! make it another, or a longer one; a difference names seed, connection and frame.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that stops and tells")]

mod compare;
mod counts;
mod handshake;
mod honest;
mod own;
#[path = "../simulator/mod.rs"]
mod simulator;
mod streams;
mod tshark;

use std::path::PathBuf;

use compare::{Batch, Report};
use counts::names;
use honest::Honest;
use simulator::{Endpoints, Plan, Random, Truth, hostile, scenario};

/// 2023-11-14.
const EPOCH: u64 = 1_700_000_000_000_000_000;
/// Within this time connections begin.
const SPAN: u64 = 20_000_000_000;

fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    }
}

fn endpoints(number: usize, random: &mut Random) -> Endpoints {
    let server = random.pick(&[80, 443, 3306, 6379, 8080, 9000, 33333, 50051]);
    Endpoints::numbered(
        number as u32,
        (random.between(1024, 65535) as u16, server),
        random.chance(0.2),
    )
}

type Happened = Vec<Vec<(Plan, Truth)>>;

fn simulated_batch(seed: u64, connections: usize) -> (Batch, Happened) {
    let mut batch = Batch { seed, kind: "simulated", tapes: Vec::new(), endpoints: Vec::new() };
    let mut happened = Vec::new();
    for number in 0..connections {
        let mut random = Random::part(seed, number as u64);
        let endpoints = endpoints(number, &mut random);
        let start = EPOCH + random.below(SPAN);
        let (tape, truths) = scenario::tape(&endpoints, random, start);
        batch.tapes.push(tape);
        batch.endpoints.push(endpoints);
        happened.push(truths);
    }
    (batch, happened)
}

fn hostile_batch(seed: u64, connections: usize) -> Batch {
    let mut batch = Batch { seed, kind: "hostile", tapes: Vec::new(), endpoints: Vec::new() };
    for number in 0..connections {
        let mut random = Random::part(seed, number as u64);
        let endpoints = endpoints(number, &mut random);
        let start = EPOCH + random.below(SPAN);
        batch.tapes.push(hostile::tape(&endpoints, random, start, 100));
        batch.endpoints.push(endpoints);
    }
    batch
}

/// Where captures go: they stay only where `DIFFERENTIAL_KEEP` names a folder for them.
struct Folder {
    _temporary: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let kept = std::env::var_os("DIFFERENTIAL_KEEP").map(PathBuf::from);
        Self { path: kept.unwrap_or_else(|| temporary.path().to_owned()), _temporary: temporary }
    }

    fn file(&self, kind: &str, seed: u64) -> PathBuf {
        self.path.join(format!("{kind}-{seed}.pcapng"))
    }
}

fn tell(what: &str, report: &Report) {
    eprintln!(
        "{what}: {} frames, {} flows, {} figures, {} times below zero, {} differences",
        report.frames,
        report.flows,
        report.figures,
        report.backwards,
        report.differences.len()
    );
    for (name, count) in names().zip(report.seen.of).skip(3) {
        eprintln!("  {name:24} {count}");
    }
    let (stories, figures): (Vec<&String>, Vec<&String>) =
        report.differences.iter().partition(|difference| difference.contains('\n'));
    for difference in figures.iter().take(100).chain(&stories) {
        eprintln!("{difference}");
    }
}

#[test]
fn hostile_segments_are_counted_as_tshark_counts_them() {
    if let Err(why) = tshark::available() {
        eprintln!("skipped: {why}");
        return;
    }
    let folder = Folder::new();
    let (seed, rounds) = (setting("DIFFERENTIAL_SEED", 1), setting("DIFFERENTIAL_ROUNDS", 1));
    let mut total = Report::default();
    for seed in seed..seed + rounds {
        total.add(hostile_batch(seed, 3000).compare(&folder.file("hostile", seed)).0);
    }
    tell("hostile", &total);
    assert!(total.differences.is_empty(), "{} differences", total.differences.len());
}

/// Tells a single simulated connection, named `SEED:CONNECTION` in `DIFFERENTIAL_TELL`, frame by
/// frame.
#[test]
fn a_named_connection_is_told() {
    let Ok(name) = std::env::var("DIFFERENTIAL_TELL") else { return };
    let (seed, connection) = name.split_once(':').expect("SEED:CONNECTION");
    let (seed, connection): (u64, usize) = (seed.parse().unwrap(), connection.parse().unwrap());
    let (batch, happened) = simulated_batch(seed, connection + 1);
    for (plan, truth) in &happened[connection] {
        eprintln!("{:#?} {:#?} {:?}", plan.halves, plan.tap, truth.closed);
        for sent in &truth.sent {
            eprintln!("  {sent:?}");
        }
    }
    for line in own::story(&batch.tapes[connection], &batch.endpoints[connection]) {
        eprintln!("{line}");
    }
}

#[test]
fn simulated_connections_are_counted_as_tshark_counts_them() {
    if let Err(why) = tshark::available() {
        eprintln!("skipped: {why}");
        return;
    }
    let folder = Folder::new();
    let (seed, rounds) = (setting("DIFFERENTIAL_SEED", 1), setting("DIFFERENTIAL_ROUNDS", 1));
    let (mut total, mut honest) = (Report::default(), Honest::default());
    for seed in seed..seed + rounds {
        let (batch, happened) = simulated_batch(seed, 2000);
        let (report, records) = batch.compare(&folder.file("simulated", seed));
        total.add(report);
        for (tape, (happened, records)) in happened.iter().zip(&records).enumerate() {
            if let ([(plan, truth)], [record]) = (&happened[..], &records[..]) {
                let name = format!("simulated seed {seed} connection {tape}");
                honest.check(&name, &batch.endpoints[tape], plan, truth, record);
            }
        }
    }
    tell("simulated", &total);
    eprintln!("{honest:#?}");
    assert!(honest.wrong.is_empty(), "{} figures are not true", honest.wrong.len());
    assert!(honest.wrong_sums().is_empty(), "{:?}", honest.wrong_sums());
    assert!(total.differences.is_empty(), "{} differences", total.differences.len());
}
