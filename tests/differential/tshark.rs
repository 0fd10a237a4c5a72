//! What tshark says of a capture.

use std::path::Path;
use std::process::{Command, Stdio};

use fact::TcpCounter;

use super::counts::{Counts, names};
use super::simulator::flag;

/// Counters that tshark tells, each with its field; those before them are counted from the header.
fn analyses() -> impl Iterator<Item = (TcpCounter, String)> {
    let field =
        |counter: &TcpCounter| Some((*counter, format!("tcp.analysis.{}", counter.wireshark()?)));
    TcpCounter::ALL.iter().filter_map(field)
}

const HEADER: [&str; 5] =
    ["tcp.stream", "tcp.flags", "tcp.len", "tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt"];

/// What tshark says of one frame.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    /// Number of the conversation; none where it saw no TCP.
    pub(crate) stream: Option<u32>,
    pub(crate) flags: u8,
    pub(crate) counts: Counts,
    pub(crate) initial_rtt_ns: Option<i64>,
    /// The time since the acknowledged segment is negative, in a capture whose times go back.
    pub(crate) backwards: bool,
}

/// Whether tshark 4.0, whose rules are followed, is installed; if not, why.
pub(crate) fn available() -> Result<(), String> {
    let output = Command::new("tshark").arg("--version").stderr(Stdio::null()).output();
    let output = output.map_err(|e| format!("tshark: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.lines().next().unwrap_or_default().to_owned();
    if version.contains(" 4.0.") {
        Ok(())
    } else {
        Err(format!("this is no tshark 4.0: {version}"))
    }
}

/// One entry for each frame of the capture.
pub(crate) fn marks(capture: &Path) -> Vec<Marks> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args(["-T", "fields", "-E", "occurrence=f"]);
    for field in HEADER.into_iter().map(str::to_owned).chain(analyses().map(|(_, field)| field)) {
        command.args(["-e", &field]);
    }
    let output = command.stderr(Stdio::piped()).output().expect("tshark runs");
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(frame).collect()
}

fn index(name: &str) -> usize {
    names().position(|known| known == name).expect("a counter's name")
}

fn frame(line: &str) -> Marks {
    let mut fields = line.split('\t');
    let mut header = || fields.next().unwrap_or_default();
    let stream = header().parse().ok();
    let flags = u16::from_str_radix(header().trim_start_matches("0x"), 16).unwrap_or(0) as u8;
    let len: u64 = header().parse().unwrap_or(0);
    let ack_rtt = header();
    let initial_rtt_ns = Some(header()).filter(|text| !text.is_empty()).map(nanos);
    let has = |flag: u8| u64::from(flags & flag != 0);
    let opening = has(flag::SYN);
    let mut counts = Counts::default();
    let mut set = |name: &str, n: u64| counts.of[index(name)] = n;
    set("packets", 1);
    set("data_packets", u64::from(len > 0));
    set("payload_bytes", len);
    set("syn", opening * (1 - has(flag::ACK)));
    set("syn_ack", opening * has(flag::ACK));
    set("fin", has(flag::FIN));
    set("rst", has(flag::RST));
    set("psh", has(flag::PSH));
    for (counter, _) in analyses() {
        let found = u64::from(!fields.next().unwrap_or_default().is_empty());
        set(counter.as_str(), found);
        if counter == TcpCounter::Retransmission {
            set(TcpCounter::SynRetransmission.as_str(), found * opening);
        }
    }
    let backwards = ack_rtt.starts_with('-');
    if !ack_rtt.is_empty() {
        counts.ack_rtt.record(nanos(ack_rtt));
    }
    Marks { stream, flags, counts, initial_rtt_ns, backwards }
}

/// Nanoseconds of a decimal fraction of seconds.
fn nanos(text: &str) -> i64 {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.trim_start_matches('-').parse().unwrap_or(0);
    let fraction: i64 = format!("{fraction:0<9}")[..9].parse().unwrap_or(0);
    let nanos = seconds * 1_000_000_000 + fraction;
    if text.starts_with('-') { -nanos } else { nanos }
}
