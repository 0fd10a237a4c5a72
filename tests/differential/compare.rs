use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use fact::FlowRecord;

use super::counts::Counts;
use super::handshake::Opening;
use super::simulator::{End, Endpoints, Origin, Tape, write};
use super::{own, tshark};

/// Tapes with the endpoints of each, and what they came from.
pub(crate) struct Batch {
    pub(crate) seed: u64,
    /// What makes a tape of this kind, to name it.
    pub(crate) kind: &'static str,
    pub(crate) tapes: Vec<Tape>,
    pub(crate) endpoints: Vec<Endpoints>,
}

/// Outcome of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) frames: u64,
    pub(crate) flows: u64,
    /// Single figures that were compared.
    pub(crate) figures: u64,
    /// Times below zero, in captures whose times go back.
    pub(crate) backwards: u64,
    pub(crate) differences: Vec<String>,
    /// How often each of the counters was not zero.
    pub(crate) seen: Counts,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.flows += other.flows;
        self.figures += other.figures;
        self.backwards += other.backwards;
        self.differences.extend(other.differences);
        self.seen.add(&other.seen);
    }
}

/// tshark's figures of one stream.
#[derive(Default)]
struct Stream {
    tape: usize,
    sent: [Counts; 2],
    opening: Opening,
}

impl Batch {
    /// Writes the tapes as one capture and holds what tshark says of it against flow records; the
    /// records by tape.
    pub(crate) fn compare(&self, capture: &Path) -> (Report, Vec<Vec<FlowRecord>>) {
        let origins = write(capture, &self.tapes);
        let (marks, records) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| tshark::marks(capture));
            (theirs.join_or_resume(), own::records(capture))
        });
        assert_eq!(marks.len(), origins.len(), "tshark did not see every frame");

        let mut report = Report { frames: origins.len() as u64, ..Report::default() };
        let mut numbers = BTreeMap::new();
        let mut streams: BTreeMap<u64, Stream> = BTreeMap::new();
        for ((number, marks), origin) in (1..).zip(&marks).zip(&origins) {
            let Some(stream) = marks.stream else { continue };
            let first = *numbers.entry(stream).or_insert(number);
            let sum = streams.entry(first).or_default();
            sum.tape = origin.tape;
            let frame = &self.tapes[origin.tape].frames[origin.frame];
            sum.sent[frame.from as usize].add(&marks.counts);
            sum.opening.frame(frame.time, frame.from, marks);
            report.backwards += u64::from(marks.backwards);
        }
        let mut wrong = Vec::new();
        for (number, stream) in &streams {
            if records.binary_search_by_key(number, |record| record.id.0).is_err() {
                report.differences.push(self.name(stream.tape, "no flow for a stream of tshark's"));
                wrong.push(stream.tape);
            }
        }
        let mut by_tape: Vec<Vec<FlowRecord>> = self.tapes.iter().map(|_| Vec::new()).collect();
        for record in records {
            let tape = origins[record.id.0 as usize - 1].tape;
            report.flows += 1;
            match streams.get(&record.id.0) {
                None => {
                    report
                        .differences
                        .push(self.name(tape, "a flow that is no stream of tshark's"));
                    wrong.push(tape);
                }
                Some(stream) => {
                    for difference in stream.opening.differences(&record) {
                        report.differences.push(self.name(tape, &difference));
                    }
                    for end in End::BOTH {
                        let have =
                            Counts::of_record(own::sent(&record, &self.endpoints[tape], end));
                        let want = &stream.sent[end as usize];
                        report.figures += want.of.len() as u64 + 4;
                        report.seen.add(want);
                        for difference in have.differences(want) {
                            report
                                .differences
                                .push(self.name(tape, &format!("{end:?}: {difference}")));
                            wrong.push(tape);
                        }
                    }
                }
            }
            by_tape[tape].push(record);
        }
        wrong.dedup();
        for tape in wrong.into_iter().take(20) {
            report.differences.push(self.locate(tape, &origins, &marks));
        }
        (report, by_tape)
    }

    fn name(&self, tape: usize, what: &str) -> String {
        format!("{} seed {} connection {tape}: {what}", self.kind, self.seed)
    }

    /// The first frame of a tape of which the two say different things, and those before it.
    fn locate(&self, tape: usize, origins: &[Origin], marks: &[tshark::Marks]) -> String {
        let theirs: Vec<&tshark::Marks> =
            origins.iter().zip(marks).filter(|(o, _)| o.tape == tape).map(|(_, m)| m).collect();
        let frames = &self.tapes[tape].frames;
        let steps = own::steps(&self.tapes[tape], &self.endpoints[tape]);
        let mut story = self.name(tape, "frame by frame");
        for (((number, frame), (flow, step)), theirs) in (1..).zip(frames).zip(&steps).zip(&theirs)
        {
            let segment = own::describe(frame);
            let irtt = theirs.initial_rtt_ns.map_or(String::new(), |ns| format!(" irtt {ns}"));
            let _ = write!(
                story,
                "\n  {number:4} flow {flow} {segment}  {}{irtt}",
                theirs.counts.names()
            );
            let differences: Vec<String> = step.differences(&theirs.counts);
            // The mean of a record is rounded, and with it the time of a single step.
            if differences.iter().any(|difference| !difference.starts_with("ack_rtt"))
                || step.ack_rtt.count != theirs.counts.ack_rtt.count
            {
                let _ = write!(story, "\n  HERE {}", differences.join("; "));
                break;
            }
        }
        story
    }
}

trait Joined<T> {
    fn join_or_resume(self) -> T;
}

impl<T> Joined<T> for std::thread::ScopedJoinHandle<'_, T> {
    fn join_or_resume(self) -> T {
        self.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
