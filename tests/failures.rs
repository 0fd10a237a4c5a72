//! Connections that go wrong between two real kernels: each must get the name of what happened to
//! it, and the repeats of a lossy path must be what the sender's kernel says that they were.

mod common;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Trouble and notes of a flow.
type Told = (Option<&'static str>, &'static [&'static str]);

/// Server port of each story, with the trouble and the notes of its flows in order of their start.
const STORIES: &[(u64, &[Told])] = &[
    (8001, &[(Some("refused"), &[])]),
    (8002, &[(Some("syn_unanswered"), &[])]),
    (8004, &[(Some("reset_before_data"), &[])]),
    (8005, &[(Some("reset_unanswered"), &[])]),
    (8006, &[(Some("reset_midway"), &[])]),
    (8007, &[(Some("half_closed"), &[])]),
    (8009, &[(None, &[]), (None, &["fast_open"])]),
    (8010, &[(None, &["fast_open_refused"])]),
    (8011, &[(Some("peer_silent"), &[])]),
    (8012, &[(Some("keep_alive_only"), &[])]),
    (8013, &[(Some("window_shut"), &[])]),
];

fn flows(capture: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "--output", "jsonl", "--emit", "flows", "--no-progress"])
        .arg(capture)
        .output()
        .expect("wirespan starts");
    let text = common::text(output);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn what_went_wrong_has_its_name() {
    if common::skipped_without_root("what_went_wrong_has_its_name") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/failures");
    let output = Command::new(script).arg(folder.path()).output().expect("the script starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kernel: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");

    let all = flows(&folder.path().join("server.pcap"));
    let of = |port: u64| all.iter().filter(move |flow| flow["server"]["port"] == port);
    for (port, expected) in STORIES {
        let found: Vec<_> = of(*port).map(|flow| (&flow["trouble"], &flow["notes"])).collect();
        let expected: Vec<(Value, Value)> = expected
            .iter()
            .map(|(trouble, notes)| {
                ((*trouble).into(), if notes.is_empty() { Value::Null } else { (*notes).into() })
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(trouble, notes)| (trouble, notes)).collect();
        assert_eq!(found, expected, "port {port}");
    }
    let full = of(8003).filter(|flow| flow["trouble"] == "accept_queue_full").count();
    assert!(
        full >= 2,
        "of three clients the listener has room for one: {:?}",
        of(8003).collect::<Vec<_>>()
    );

    let table = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "--emit", "flows", "--no-progress"])
        .arg(folder.path().join("server.pcap"))
        .output();
    let table = common::text(table.expect("wirespan starts"));
    for words in ["accept queue full", "window shut", "reset midway", "fast open refused"] {
        assert!(table.contains(words), "{words} is not in the table:\n{table}");
    }

    let lossy = flows(&folder.path().join("lossy.pcap"));
    let flow =
        lossy.iter().find(|flow| flow["server"]["port"] == 8020).expect("the lossy path's flow");
    let ours = |name: &str| flow["to_server"][name].as_u64().unwrap_or(0);
    let theirs = |name: &str| kernel[name].as_u64().expect("a counter of the kernel");
    let (timeouts, probes) = (ours("timeout_retransmissions"), ours("tail_loss_probes"));
    let all =
        timeouts + probes + ours("recovery_retransmissions") + ours("spurious_retransmissions");
    common::report(&format!(
        "kernel {kernel}; here {timeouts} timeouts, {probes} probes, {all} in all"
    ));
    assert!(theirs("RetransSegs") > 50, "the path loses segments");
    assert!(all.abs_diff(theirs("RetransSegs")) <= 2, "{all} repeats, {kernel}");
    assert!(timeouts.abs_diff(theirs("TCPTimeouts")) <= 2, "{timeouts} timeouts, {kernel}");
    assert!(probes.abs_diff(theirs("TCPLossProbes")) <= 3, "{probes} probes, {kernel}");
}
