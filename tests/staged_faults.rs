//! Faults staged among real services in pods: the trace of each names what took the time, and the
//! phases of every call add up to its duration.
#![allow(clippy::disallowed_methods, reason = "a test waits for other programs by the clock")]

mod common;

use std::process::{Command, Stdio};

use common::{Chain, LISTEN, Running, report, skipped_without_root, text, wait_for};
use serde_json::Value;

/// Time for which the staged script keeps Redis busy, in milliseconds.
const BUSY_MS: u64 = 700;
/// Bytes of the slow response, and the rate of the link that it crosses: some 120 ms.
const RESPONSE: usize = 300_000;
const RATE: &str = "20mbit";

/// Redis runs one script at a time and answers nobody meanwhile.
fn busy_script() -> String {
    format!(
        "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end \
         local stop = now() + {BUSY_MS} while now() < stop do end return 1"
    )
}

fn start(chain: &Chain, name: &str) -> Running {
    Running::start(chain, name, &["-i", "any", "--output", "jsonl", "--emit", "traces"], &[])
}

/// The first kept trace with this text somewhere in it.
fn trace_with(wirespan: &Running, what: &str) -> Value {
    wait_for(20, what, || {
        let traces: Vec<Value> =
            serde_json::from_str(&wirespan.get("/api/traces?limit=100")?).ok()?;
        traces.into_iter().find(|trace| trace.to_string().contains(what))
    })
}

/// The trace as a person sees it.
fn drawn(chain: &Chain, trace: &Value) -> String {
    let mut command = chain.on_node(env!("CARGO_BIN_EXE_wirespan"));
    command.args(["trace", "--url", &format!("http://{LISTEN}")]);
    let id = trace["trace_id"].as_str().expect("an id");
    let drawn = text(command.arg(id).output().expect("wirespan starts"));
    report(&drawn);
    drawn
}

/// The line that names what took the longest.
fn named(drawn: &str) -> &str {
    let labels = ["most of the time: ", "longest part: "];
    let line = drawn.lines().find(|line| labels.iter().any(|label| line.starts_with(label)));
    line.unwrap_or_else(|| panic!("nothing is named in\n{drawn}"))
}

/// Connect, send, wait and transfer of each call are its duration.
fn assert_phases_add_up(call: &Value) {
    let ns = |key: &str| call[key].as_u64().unwrap_or(0);
    let sum: u64 = ["connect_ns", "send_ns", "wait_ns", "transfer_ns"].into_iter().map(ns).sum();
    assert_eq!(sum, ns("end_unix_ns") - ns("start_unix_ns"), "{call:#}");
    call["children"].as_array().into_iter().flatten().for_each(assert_phases_add_up);
}

fn run(mut command: Command) {
    text(command.output().expect("the command starts"));
}

fn get(chain: &Chain, url: &str) -> Command {
    let mut curl = chain.on_node("curl");
    curl.args(["-sf", "-m", "20", "-o", "/dev/null", url]);
    curl
}

#[test]
fn a_slow_cache_is_named() {
    if skipped_without_root("a_slow_cache_is_named") {
        return;
    }
    let chain = Chain::with(&["cache"]);
    let wirespan = start(&chain, "slow-cache");
    let order = |id: &str| format!("http://{}/order/{id}", chain.address("web"));
    // The connections of the chain are there.
    run(get(&chain, &order("before")));
    let mut script = chain
        .on_node("redis-cli")
        .args(["-h", chain.address("cache"), "EVAL", &busy_script(), "0"])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-cli starts");
    std::thread::sleep(std::time::Duration::from_millis(BUSY_MS / 7));
    run(get(&chain, &order("meanwhile")));
    assert!(script.wait().expect("redis-cli ends").success());

    // The script itself is served in Redis all the time.
    let trace = trace_with(&wirespan, "\"EVAL\"");
    assert_phases_add_up(&trace["root"]);
    let tree = drawn(&chain, &trace);
    assert!(named(&tree).contains("served in wirespan/cache redis-server["), "{tree}");
    assert_eq!(trace["longest"]["part"], "service");

    // Of the request meanwhile it is the read in Redis that is late, three calls below the root.
    let trace = trace_with(&wirespan, "/order/meanwhile");
    assert_phases_add_up(&trace["root"]);
    let tree = drawn(&chain, &trace);
    let line = named(&tree);
    assert!(line.starts_with("most of the time: "), "{tree}");
    assert!(
        line.contains("until wirespan/cache redis-server[")
            && line.contains("had read the request"),
        "{tree}"
    );
    assert!(line.contains("redis GET"), "{tree}");
    // It is not taken for the network's.
    let cache = &trace["root"]["children"][0]["children"][0];
    let ns = |key: &str| cache[key].as_u64().expect("nanoseconds");
    assert!(ns("unread_ns") > ns("wait_ns") / 10 * 9, "{cache:#}");
    assert!(ns("network_ns") < ns("wait_ns") / 10, "{cache:#}");
}

#[test]
fn a_lost_syn_is_named() {
    if skipped_without_root("a_lost_syn_is_named") {
        return;
    }
    let chain = Chain::up();
    let wirespan = start(&chain, "lost-syn");
    let mut rule = chain.in_pod("shop", "iptables");
    // The first, the third, …: a SYN that is sent again arrives.
    rule.args(["-I", "INPUT", "-p", "tcp", "--syn", "--dport", "8000", "-m", "statistic"]);
    rule.args(["--mode", "nth", "--every", "2", "--packet", "0", "-j", "DROP"]);
    run(rule);
    // The proxy opens a connection for each request to this port.
    run(get(&chain, &format!("http://{}:81/order/lost", chain.address("web"))));

    let trace = trace_with(&wirespan, "/order/lost");
    assert_phases_add_up(&trace["root"]);
    let tree = drawn(&chain, &trace);
    let line = named(&tree);
    assert!(line.starts_with("most of the time: 1.0"), "{tree}");
    assert!(line.contains(" s (") && line.contains("connect from wirespan/web nginx["), "{tree}");
    assert!(line.ends_with(": SYN sent again"), "{tree}");
    let connect = trace["root"]["children"][0]["connect_ns"].as_u64();
    assert!(connect.is_some_and(|ns| (1_000_000_000..1_300_000_000).contains(&ns)), "{trace:#}");
}

#[test]
fn a_slow_transfer_is_named() {
    if skipped_without_root("a_slow_transfer_is_named") {
        return;
    }
    let chain = Chain::up();
    let folder = chain.folder().join("files");
    std::fs::create_dir(&folder).expect("a folder for the server");
    std::fs::write(folder.join("300k"), vec![b'x'; RESPONSE]).expect("a file for the server");
    let wirespan = start(&chain, "slow-transfer");
    let mut queue = chain.in_pod("stock", "tc");
    queue.args(["qdisc", "add", "dev", "eth0", "root", "tbf", "rate", RATE]);
    run({
        queue.args(["burst", "16kb", "latency", "2s"]);
        queue
    });
    run(get(&chain, &format!("http://{}/files/300k", chain.address("stock"))));

    let trace = trace_with(&wirespan, "/files/300k");
    assert_phases_add_up(&trace["root"]);
    let tree = drawn(&chain, &trace);
    let line = named(&tree);
    assert!(line.contains("transfer of the 300 kB response from wirespan/stock nginx["), "{tree}");
    assert!(line.contains(" to curl["), "{tree}");
    assert!(trace["root"]["transfer_ns"].as_u64() > Some(80_000_000), "{trace:#}");
}
