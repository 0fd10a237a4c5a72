use std::fmt;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::recording::Recording;

/// Nanoseconds by which the same request may begin later where a connection is joined.
static APART: LazyLock<u64> = LazyLock::new(|| match std::env::var_os("WIRESPAN_LOSS") {
    Some(_) => 2_000_000_000,
    None => 1_000_000,
});

/// What was done, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) protocol: String,
    pub(crate) name: String,
    pub(crate) outcome: String,
}

impl Operation {
    pub(crate) fn read(record: &Value) -> Self {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        Self { protocol: text("protocol"), name: text("operation"), outcome: text("outcome") }
    }

    /// Whether this is the other, of which the name could not be known.
    pub(crate) fn is_nameless_of(&self, other: &Self) -> bool {
        self.name.is_empty() && self.outcome == other.outcome
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.protocol, self.name, self.outcome)
    }
}

/// A span record.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) operation: Operation,
    pub(crate) start: u64,
    /// Ends and sequence numbers of the request, if it is there and whole.
    pub(crate) request_seq: Option<(u64, u64)>,
    /// The same of the response, which comes from the other end.
    response_seq: Option<(u64, u64)>,
    ends: [String; 2],
}

impl Span {
    fn read(record: &Value) -> Self {
        let seq = |message: &str| {
            let seq = &record[message]["seq"];
            seq[0].as_u64().zip(seq[1].as_u64())
        };
        Self {
            operation: Operation::read(record),
            start: record["start_unix_ns"].as_u64().expect("a span begins"),
            request_seq: seq("request"),
            response_seq: seq("response"),
            ends: [record["client"].to_string(), record["server"].to_string()],
        }
    }

    /// Whether this was sent as the response of the other: without its request it may be a message
    /// by itself.
    pub(crate) fn is_response_of(&self, other: &Self) -> bool {
        let [client, server] = &self.ends;
        self.request_seq == other.response_seq
            && [server, client] == [&other.ends[0], &other.ends[1]]
    }

    /// Whether this was asked before the other, on the same connection.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.ends == other.ends && self.start < other.start
    }

    /// Whether both tell the same request. Where packets are lost, the one that joined late may
    /// know it by a repeat only.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.request_seq == other.request_seq
            && self.ends == other.ends
            && self.start.abs_diff(other.start) < *APART
    }
}

/// The spans of a recording, by time and place on the wire.
pub(crate) fn of(recording: &Recording) -> Vec<Span> {
    let folder = tempfile::tempdir().expect("temporary files can be made");
    let file = folder.path().join("capture.pcapng");
    recording.write(&file);
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "--output", "jsonl", "--emit", "spans", "--no-progress"])
        .arg(&file)
        .output()
        .expect("wirespan starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("records are UTF-8");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON lines"));
    let mut spans: Vec<_> =
        records.filter(|record| record["type"] == "span").map(|r| Span::read(&r)).collect();
    spans.sort_by_key(|span| (span.start, span.request_seq));
    spans
}
