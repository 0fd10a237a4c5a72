//! Connections as they come about in data centres and across bad lines, chosen at random.

use super::network::{Plan, Tap, run};
use super::path::Quality;
use super::stack::{Manner, Opening, ProbeStyle, Step};
use super::{Endpoints, Random, Tape, Truth};

const US: u64 = 1000;
const MS: u64 = 1_000_000;

/// A tape of one connection, or of several on the same ports, with what is true of each.
pub(crate) fn tape(
    endpoints: &Endpoints,
    mut random: Random,
    start: u64,
) -> (Tape, Vec<(Plan, Truth)>) {
    let (mut tape, mut happened) = (Tape::default(), Vec::new());
    let connections = if random.chance(0.1) { random.between(2, 4) } else { 1 };
    let mut start = start;
    for _ in 0..connections {
        let plan = plan(&mut random, start);
        let part = Random::part(random.next(), 0);
        let (frames, truth) = run(&plan, endpoints, part);
        tape.frames.extend(frames.frames);
        start = truth.end + random.between(1, 200 * MS);
        happened.push((plan, truth));
    }
    (tape, happened)
}

fn plan(random: &mut Random, start: u64) -> Plan {
    let ideal = random.chance(0.2);
    let halves = if ideal { calm(random) } else { rough(random) };
    let tap = match random.below(10) {
        0 => Tap { joins_after: random.between(1, 40), loss: 0.0 },
        1 => Tap { joins_after: 0, loss: random.pick(&[0.01, 0.05, 0.2]) },
        _ => Tap::default(),
    };
    let mut manners = [manner(random, Opening::Connect), manner(random, Opening::Accept)];
    let crossing = random.chance(0.02);
    manners[1].opening = match random.below(50) {
        _ if crossing => Opening::Connect,
        0 => Opening::Refuse,
        1 => Opening::Overflow,
        2 => Opening::Silent,
        _ => Opening::Accept,
    };
    let programs = programs(random, &mut manners);
    Plan { start, crossing, manners, programs, halves, tap }
}

pub(super) fn calm(random: &mut Random) -> [Quality; 2] {
    [(); 2].map(|()| Quality {
        delay: random.between(20 * US, 20 * MS),
        gap: 10 * US,
        ..Quality::default()
    })
}

pub(super) fn rough(random: &mut Random) -> [Quality; 2] {
    let scale = random.pick(&[50 * US, MS, 10 * MS, 60 * MS]);
    [(); 2].map(|()| Quality {
        delay: random.between(scale / 10, scale),
        jitter: random.pick(&[0, scale / 10, scale]),
        gap: random.pick(&[0, US, 12 * US, 500 * US]),
        loss: random.pick(&[0.0, 0.0, 0.005, 0.02, 0.1, 0.3]),
        duplication: random.pick(&[0.0, 0.0, 0.0, 0.01, 0.1]),
        reordering: random.pick(&[0.0, 0.0, 0.01, 0.1]),
        held_up: random.pick(&[scale / 20, scale, 5 * MS, 40 * MS]).max(1),
        marking: random.pick(&[0.0, 0.02]),
    })
}

pub(super) fn manner(random: &mut Random, opening: Opening) -> Manner {
    let near_wrap = 0u32.wrapping_sub(random.below(20_000) as u32);
    let buffer = random.pick(&[1000, 5000, 30_000, 65_535, 300_000]);
    let scale = random.pick(&[None, Some(0), Some(2), Some(7), Some(7), Some(14)]);
    Manner {
        isn: if random.chance(0.3) { near_wrap } else { random.word() },
        mss: random.pick(&[1, 88, 536, 1380, 1460, 1460, 1460]),
        scale: scale.map(|shift: u8| if buffer >> shift < 16 { 2 } else { shift }),
        timestamps: random.chance(0.6),
        sack: random.chance(0.75),
        ecn: random.chance(0.3),
        buffer,
        delayed_ack: random.pick(&[0, 5 * MS, 40 * MS, 40 * MS, 200 * MS]),
        tail_loss_probe: random.chance(0.6),
        min_rto: random.pick(&[10 * MS, 200 * MS, 200 * MS]),
        probe: random.pick(&[ProbeStyle::Byte, ProbeStyle::Empty]),
        keep_alive: random.chance(0.15).then_some(random.pick(&[500 * MS, 10_000 * MS])),
        keep_alive_garbage: random.chance(0.5),
        no_delay: random.chance(0.5),
        recut: random.chance(0.5),
        initial_window: random.pick(&[1, 2, 10, 10]),
        opening,
    }
}

/// What client and server do: requests and answers, with all that may come between them.
fn programs(random: &mut Random, manners: &mut [Manner; 2]) -> [Vec<Step>; 2] {
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let mut totals = [0, 0];
    let smallest = manners.iter().map(|manner| manner.mss).min().unwrap_or(1);
    let tiny = smallest < 10;
    let most = u64::from(smallest) * 25;
    let largest = random.pick(&[100, 1000, 3000, 3000, 30_000]).min(most);
    for _ in 0..random.between(0, 6) {
        for index in [0, 1] {
            let (own, other) =
                if index == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
            let writes = random.pick(&[1, 1, 1, 2, 5]);
            for _ in 0..writes {
                let len = random.between(1, largest) as usize;
                totals[index] += len as u64;
                own.push(Step::Write(random.bytes(len)));
                if random.chance(0.1) {
                    own.push(Step::Wait(random.between(1, 300 * MS)));
                }
            }
            if random.chance(0.1) {
                let stalled = random.between(50 * MS, 3000 * MS);
                other.extend([Step::Stall, Step::Wait(stalled), Step::Resume]);
            }
            other.push(Step::Read(totals[index]));
            if random.chance(0.5) {
                other.push(Step::Wait(random.between(1, 50 * MS)));
            }
        }
    }
    if random.chance(0.1) {
        client.push(Step::Wait(random.between(1, 40_000 * MS)));
    }
    let end = |random: &mut Random| match random.below(12) {
        0 => vec![Step::Abort],
        1 => vec![Step::Vanish],
        2 => vec![Step::Wait(10 * MS), Step::Abort],
        3 => vec![Step::Close],
        _ => vec![Step::Close, Step::ReadToEnd],
    };
    client.extend(end(random));
    if random.chance(0.8) {
        server.push(Step::ReadToEnd);
        if random.chance(0.3) && !tiny {
            server.push(Step::Write(random.bytes(500)));
        }
    }
    server.extend(if random.chance(0.8) { vec![Step::Close] } else { end(random) });
    [client, server]
}
