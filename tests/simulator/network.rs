use super::path::{Quality, Way};
use super::schedule::Schedule;
use super::stack::{Endpoint, Manner, Step};
use super::truth::Truth;
use super::{End, Endpoints, Frame, Random, Segment, Tape, flag};

/// A connection, or an attempt at one, before it happens.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) start: u64,
    /// When the server opens too: a simultaneous open.
    pub(crate) crossing: bool,
    pub(crate) manners: [Manner; 2],
    pub(crate) programs: [Vec<Step>; 2],
    /// From an end to the tap or back, for the client's and the server's half of the path.
    pub(crate) halves: [Quality; 2],
    pub(crate) tap: Tap,
}

/// How well the tap does its work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tap {
    /// So many frames pass before it records.
    pub(crate) joins_after: u64,
    /// Share of frames that it misses.
    pub(crate) loss: f64,
}

#[derive(Debug)]
enum Event {
    Start(End),
    Wake(End),
    /// The segment with this number in the truth passes the tap.
    Pass(Segment, usize),
    Arrive(Segment, usize),
}

/// No connection goes on for longer, and none takes more events.
const LONGEST: u64 = 120_000_000_000;
const MOST_EVENTS: u32 = 50_000;

struct Network<'a> {
    endpoints: &'a Endpoints,
    random: Random,
    schedule: Schedule<Event>,
    ends: [Endpoint; 2],
    /// For each end's half: towards the tap, and away from it.
    ways: [[Way; 2]; 2],
    tap: Tap,
    passed: u64,
    tape: Tape,
    truth: Truth,
}

/// Lets it happen.
pub(crate) fn run(plan: &Plan, endpoints: &Endpoints, random: Random) -> (Tape, Truth) {
    let [client, server] = &plan.programs;
    let [ours, theirs] = &plan.manners;
    let mut network = Network {
        endpoints,
        random,
        schedule: Schedule::new(),
        ends: [
            Endpoint::new(End::Client, ours.clone(), client.clone()),
            Endpoint::new(End::Server, theirs.clone(), server.clone()),
        ],
        ways: plan.halves.map(|half| [Way::new(half), Way::new(half)]),
        tap: plan.tap,
        passed: 0,
        tape: Tape::default(),
        truth: Truth::default(),
    };
    network.schedule.plan(plan.start, Event::Start(End::Client));
    if plan.crossing {
        network.schedule.plan(plan.start + 1000, Event::Start(End::Server));
    }
    for _ in 0..MOST_EVENTS {
        let Some((now, event)) = network.schedule.next() else { break };
        if now > plan.start + LONGEST {
            break;
        }
        network.happen(now, event);
    }
    network.finish()
}

impl Network<'_> {
    fn happen(&mut self, now: u64, event: Event) {
        self.truth.end = now;
        let end = match event {
            Event::Start(end) => {
                self.ends[end as usize].start(now);
                end
            }
            Event::Wake(end) => {
                let endpoint = &mut self.ends[end as usize];
                if endpoint.wakes().is_none_or(|time| time > now) {
                    return;
                }
                endpoint.wake(now);
                end
            }
            Event::Pass(segment, number) => return self.pass(now, segment, number),
            Event::Arrive(segment, number) => {
                let end = segment.from.other();
                self.truth.sent[number].delivered.push(now);
                self.ends[end as usize].arrive(now, &segment);
                end
            }
        };
        for out in self.ends[end as usize].take_out() {
            let number = self.truth.send(&out.segment, out.reason);
            if !out.segment.has(flag::SYN | flag::RST) {
                self.truth.window(now, end, out.segment.window == 0);
            }
            for time in self.ways[end as usize][0].pass(now, &mut self.random) {
                self.schedule.plan(time, Event::Pass(out.segment.clone(), number));
            }
        }
        if let Some(time) = self.ends[end as usize].wakes() {
            self.schedule.plan(time.max(now + 1), Event::Wake(end));
        }
    }

    fn pass(&mut self, now: u64, mut segment: Segment, number: usize) {
        self.mark(&mut segment);
        self.passed += 1;
        if self.passed <= self.tap.joins_after || self.random.chance(self.tap.loss) {
            self.truth.unrecorded += 1;
        } else {
            self.truth.sent[number].recorded.push(now);
            let bytes = self.endpoints.frame(&segment);
            let wire_len = bytes.len() as u32;
            self.tape.frames.push(Frame { time: now, from: segment.from, bytes, wire_len });
        }
        let way = &mut self.ways[segment.from.other() as usize][1];
        for time in way.pass(now, &mut self.random) {
            self.schedule.plan(time, Event::Arrive(segment.clone(), number));
        }
    }

    fn mark(&mut self, segment: &mut Segment) {
        let marking = self.ways[segment.from as usize][0].quality.marking;
        if segment.ecn != 0 && self.random.chance(marking) {
            segment.ecn = 3;
        }
    }

    fn finish(mut self) -> (Tape, Truth) {
        for end in End::BOTH {
            let endpoint = &mut self.ends[end as usize];
            self.truth.written[end as usize] = std::mem::take(&mut endpoint.sender.stream);
            self.truth.read[end as usize] = std::mem::take(&mut endpoint.receiver.bytes);
            for (_, until) in &mut self.truth.closed[end as usize] {
                *until = (*until).min(self.truth.end);
            }
        }
        (self.tape, self.truth)
    }
}
