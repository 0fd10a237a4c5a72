//! What applications said must come out of the reassembled streams as they said it, whatever the
//! path did to the segments.

use analyzer::Analyzer;
use fact::{Exchange, FlowRecord, Value};
use fact::{Fact, Sink};

use super::simulator::requests::{Conversation, conversation};
use super::simulator::{End, Endpoints, Random};
use super::{EPOCH, endpoints, own, setting};

#[derive(Default)]
struct Heard {
    exchanges: Vec<Exchange>,
    records: Vec<FlowRecord>,
}

impl Sink for Heard {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Exchange(exchange) => self.exchanges.push(exchange.clone()),
            Fact::FlowClosed(record) => self.records.push(record.clone()),
            _ => {}
        }
    }
}

fn hear(conversation: &Conversation) -> Heard {
    let mut config = own::config();
    config.requests.stream_wait = std::time::Duration::from_secs(1 << 20);
    let (mut analyzer, mut heard) = (Analyzer::new(config), Heard::default());
    for (number, frame) in (1..).zip(&conversation.tape.frames) {
        analyzer.frame(number, &frame.raw(), &mut heard);
    }
    analyzer.finish(&mut heard);
    let first = conversation.truth.isn[End::Client as usize].unwrap_or(0);
    heard
        .exchanges
        .sort_by_key(|exchange| exchange.request.map(|r| r.seq.start.0.wrapping_sub(first)));
    heard
}

/// Path, status, and bytes of request and response.
type Said<'a> = (&'a str, i64, [u64; 2]);

fn said(exchange: &Exchange) -> Said<'_> {
    let text = |key| match exchange.attributes.get(key) {
        Some(Value::Text(text)) => text,
        _ => "",
    };
    let status = match exchange.attributes.get("http.response.status_code") {
        Some(Value::Int(status)) => status,
        _ => 0,
    };
    let bytes = [exchange.request, exchange.response].map(|span| span.map_or(0, |span| span.bytes));
    (text("url.path"), status, bytes)
}

/// In order and without loss, each answer comes when the server has thought, and the server's half
/// of the path was passed twice.
fn response_times(
    conversation: &Conversation,
    record: &FlowRecord,
    endpoints: &Endpoints,
) -> Result<(), String> {
    let told = own::sent(record, endpoints, End::Server).response_time;
    let half = conversation.plan.halves[End::Server as usize];
    let thought = || conversation.talks.iter().map(|talk| talk.thought);
    let least = thought().min().unwrap_or(0) + 2 * half.delay;
    // Every segment of the request may have to wait for the one before it.
    let most = thought().max().unwrap_or(0) + 2 * half.delay + 100 * half.gap;
    let fits = told.min_ns >= least as i64 && told.max_ns <= most as i64;
    if fits && told.count == conversation.talks.len() as u64 {
        Ok(())
    } else {
        Err(format!(
            "response times {told:?}, truly {} from {least} to {most}",
            conversation.talks.len()
        ))
    }
}

#[test]
fn streams_say_what_the_applications_said() {
    let seed = setting("DIFFERENTIAL_SEED", 1);
    let (mut wrong, mut compared, mut bytes, mut timed) = (Vec::new(), 0, 0, 0);
    for number in 0..500 * setting("DIFFERENTIAL_ROUNDS", 1) {
        let mut random = Random::part(seed ^ 0x5eed, number);
        let endpoints = endpoints(number as usize & 0xffff, &mut random);
        let conversation = conversation(&endpoints, random, EPOCH);
        let truth = &conversation.truth;
        for end in End::BOTH {
            let (wrote, read) = (&truth.written[end as usize], &truth.read[end.other() as usize]);
            assert!(
                wrote.starts_with(read),
                "the simulator's own TCP does not work: connection {number}"
            );
        }
        let planned: [usize; 2] =
            [0, 1].map(|n| conversation.talks.iter().map(|talk| talk.bytes[n] as usize).sum());
        if [truth.read[1].len(), truth.read[0].len()] != planned {
            continue;
        }
        let heard = hear(&conversation);
        let have: Vec<Said<'_>> = heard.exchanges.iter().map(said).collect();
        let want: Vec<Said<'_>> = conversation
            .talks
            .iter()
            .map(|talk| (&talk.path[..], talk.status, talk.bytes))
            .collect();
        compared += want.len();
        bytes += truth.written.iter().map(Vec::len).sum::<usize>();
        if have != want {
            wrong.push(format!("connection {number}: heard {have:?}\n  said {want:?}"));
            if std::env::var_os("DIFFERENTIAL_TELL").is_some() {
                wrong.extend(own::story(&conversation.tape, &endpoints));
            }
        }
        if conversation.calm && !conversation.pipelined && heard.records.len() == 1 {
            timed += 1;
            if let Err(why) = response_times(&conversation, &heard.records[0], &endpoints) {
                wrong.push(format!("connection {number}: {why}"));
            }
        }
    }
    eprintln!("streams: {compared} exchanges, {bytes} bytes, {timed} connections timed");
    for wrong in &wrong {
        eprintln!("seed {seed} {wrong}");
    }
    assert!(wrong.is_empty(), "{} conversations are not as they were said", wrong.len());
    assert!(compared > 1000, "nothing to compare");
}
