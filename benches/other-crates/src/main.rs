//! Measures own code beside crates that do the same: packet rings beside `afpacket`, decoding and
//! the list of interfaces beside `pnet`. With `--test` it only shows that everything works.

mod decoding;
mod listing;
mod network;
mod receiving;

/// How much is done for one figure.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) datagrams: u32,
    pub(crate) rounds: u32,
    pub(crate) repetitions: u32,
}

const WHOLE: Amount = Amount { datagrams: 2_000_000, rounds: 20_000, repetitions: 5 };
const TEST: Amount = Amount { datagrams: 2_000, rounds: 10, repetitions: 1 };

fn main() {
    let amount = if std::env::args().any(|argument| argument == "--test") { TEST } else { WHOLE };
    decoding::measure(amount);
    listing::measure(amount);
    receiving::measure(amount);
}

/// Calls `work` as often as said, and prints the least time of one of its `units`.
pub(crate) fn print_least(what: &str, amount: Amount, units: u64, mut work: impl FnMut()) {
    let times = (0..amount.repetitions).map(|_| {
        let start = std::time::Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / units as f64
    });
    let least = times.fold(f64::INFINITY, f64::min);
    println!("{what:<46} {least:>10.1} ns");
}
