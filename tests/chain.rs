//! Requests through nginx, a threaded Python service and a third service, in pods with real
//! container networking: one trace a request, joined without any header and without any change of
//! the services.

mod common;

use common::{Chain, Running, report, skipped_without_root};
use serde_json::Value;

/// Requests of the large test, and connections that send them at the same time.
const REQUESTS: u32 = 2000;
const CONNECTIONS: u32 = 16;
/// Share of the requests whose trace must be complete.
const COMPLETE: f64 = 0.99;
/// What may be read of the services' own headers: nothing.
const NO_HEADERS: (&str, &str) = ("WIRESPAN_STORE_USE_HEADERS", "false");

/// A call as it must be: the two ends with the addresses and names of their processes, and the taps
/// between in path order.
struct Expected<'a> {
    client: (&'a str, &'a str),
    server: (&'a str, &'a str),
    taps: Vec<&'a str>,
}

fn expected<'a>(chain: &'a Chain, client: &'a str) -> [Expected<'a>; 3] {
    let [web, shop, stock] =
        ["web", "shop", "stock"].map(|pod| (chain.address(pod), chain.veth(pod)));
    let bridge = chain.bridge();
    [
        Expected {
            client: (chain.gateway(), client),
            server: (web.0, "nginx"),
            taps: vec![bridge, web.1],
        },
        Expected {
            client: (web.0, "nginx"),
            server: (shop.0, "gunicorn"),
            taps: vec![web.1, bridge, shop.1],
        },
        Expected {
            client: (shop.0, "gunicorn"),
            server: (stock.0, "nginx"),
            taps: vec![shop.1, bridge, stock.1],
        },
    ]
}

/// What is wrong with a trace of one request with this id; nothing if it is complete and holds only
/// this request's calls.
fn mistake(root: &Value, id: &str, expected: &[Expected<'_>]) -> Option<String> {
    let mut call = root;
    for (depth, expected) in expected.iter().enumerate() {
        if let Some(mistake) = call_mistake(call, id, expected) {
            return Some(format!("call {}: {mistake}", depth + 1));
        }
        let children = call["children"].as_array().map_or(&[][..], Vec::as_slice);
        let next = depth + 1 < 3;
        if children.len() != usize::from(next) {
            return Some(format!("call {} has {} children", depth + 1, children.len()));
        }
        if next {
            call = &children[0];
        }
    }
    None
}

fn call_mistake(call: &Value, id: &str, expected: &Expected<'_>) -> Option<String> {
    let path = call["attributes"]["url.path"].as_str().unwrap_or_default();
    if !path.ends_with(id) {
        return Some(format!("path {path:?} has not the id {id}"));
    }
    for (side, (address, command)) in [("client", expected.client), ("server", expected.server)] {
        if call[side]["address"] != address {
            return Some(format!("{side} is {}, not {address}", call[side]["address"]));
        }
        let process = &call[side]["process"];
        if !process["command"].as_str().is_some_and(|found| found.starts_with(command)) {
            return Some(format!("{side} process is {process}, not {command}"));
        }
    }
    phases_mistake(call).or_else(|| hops_mistake(call, expected))
}

/// Connect, send, wait and transfer are the duration, and service and network the wait.
fn phases_mistake(call: &Value) -> Option<String> {
    let ns = |key: &str| call[key].as_u64().unwrap_or_default();
    let sum: u64 = ["connect_ns", "send_ns", "wait_ns", "transfer_ns"].into_iter().map(ns).sum();
    if sum != ns("end_unix_ns") - ns("start_unix_ns") {
        return Some("the phases do not add up to the duration".to_owned());
    }
    if call["network_ns"].is_null() || ns("network_ns") > ns("wait_ns") {
        return Some(format!("network {} of a wait of {}", call["network_ns"], call["wait_ns"]));
    }
    None
}

/// Every tap is there in path order, and the times go forwards from end to end and back, inside of
/// the call.
fn hops_mistake(call: &Value, expected: &Expected<'_>) -> Option<String> {
    let hops = call["hops"].as_array().map_or(&[][..], Vec::as_slice);
    let taps: Vec<&str> = hops.iter().filter_map(|hop| hop["tap"].as_str()).collect();
    if taps != expected.taps {
        return Some(format!("hops {taps:?}, not {:?}", expected.taps));
    }
    let time = |value: &Value| value.as_u64().unwrap_or_default();
    let mut times = vec![time(&call["start_unix_ns"])];
    times.extend(hops.iter().map(|hop| time(&hop["request_ns"])));
    times.extend(hops.iter().rev().map(|hop| time(&hop["response_ns"])));
    times.push(time(&call["end_unix_ns"]));
    if times[0] == 0 || !times.is_sorted() {
        return Some(format!("times out of order: {times:?}"));
    }
    None
}

fn run(chain: &Chain, name: &str, emit: &str) -> Running {
    Running::start(chain, name, &["-i", "any", "--output", "jsonl", "--emit", emit], &[NO_HEADERS])
}

fn trace_of<'a>(traces: &'a [Value], id: &str) -> Vec<&'a Value> {
    let has = |trace: &&Value| {
        trace["root"]["attributes"]["url.path"].as_str().is_some_and(|path| path.ends_with(id))
    };
    traces.iter().filter(has).collect()
}

#[test]
fn one_request_is_one_trace() {
    if skipped_without_root("one_request_is_one_trace") {
        return;
    }
    // Sends and receives recorded in the socket layer, and by system call.
    for socket_tracepoints in ["true", "false"] {
        let chain = Chain::up();
        let arguments = ["-i", "any", "--output", "jsonl", "--emit", "traces"];
        let environment = [NO_HEADERS, ("WIRESPAN_EBPF_SOCKET_TRACEPOINTS", socket_tracepoints)];
        let wirespan = Running::start(&chain, "one", &arguments, &environment);
        let url = format!("http://{}/order/one", chain.address("web"));
        let answer = common::text(
            chain.on_node("curl").args(["-sf", "-m", "10", &url]).output().expect("curl starts"),
        );
        assert!(answer.contains("order one"), "{answer}");
        let (status, traces) = wirespan.stop("trace");
        assert!(status.success(), "{status}");
        let traces: Vec<_> =
            traces.iter().filter(|trace| trace.to_string().contains("/one")).collect();
        assert_eq!(traces.len(), 1, "{traces:#?}");
        assert_eq!(
            mistake(&traces[0]["root"], "/one", &expected(&chain, "curl")),
            None,
            "{socket_tracepoints}: {:#}",
            traces[0]
        );
    }
}

/// Two pods run nginx. Metrics, traces, the map of services and the list of connections tell them
/// apart, and call each by the same name.
#[test]
fn a_service_has_one_name() {
    if skipped_without_root("a_service_has_one_name") {
        return;
    }
    let chain = Chain::up();
    let wirespan = run(&chain, "names", "traces");
    let url = format!("http://{}/order/one", chain.address("web"));
    common::text(chain.on_node("curl").args(["-sf", &url]).output().expect("curl starts"));
    let edges = [("curl", "web"), ("web", "shop"), ("shop", "stock")].map(|(client, server)| {
        let pod = |name: &str| format!("wirespan/{name}");
        (if client == "curl" { client.to_owned() } else { pod(client) }, pod(server))
    });
    let json = |path: &str| -> Value {
        let answer = wirespan.get(path).unwrap_or_default();
        serde_json::from_str(&answer).unwrap_or_default()
    };
    let metrics = common::wait_for(20, "metrics name all edges", || {
        let metrics = wirespan.get("/metrics")?;
        let has = |(client, server): &(String, String)| {
            let labels = format!("client=\"{client}\",server=\"{server}\"");
            metrics
                .lines()
                .any(|line| line.starts_with("wirespan_requests_total") && line.contains(&labels))
        };
        edges.iter().all(has).then_some(metrics)
    });
    assert!(!metrics.contains("=\"nginx\""), "{metrics}");
    let services = common::wait_for(20, "the map has all edges", || {
        let services = json("/api/services");
        (services.as_array()?.len() >= edges.len()).then_some(services)
    });
    for (client, server) in &edges {
        let edge = |edge: &&Value| edge["client"] == **client && edge["server"] == **server;
        let services = services.as_array().expect("a list");
        assert_eq!(services.iter().filter(edge).count(), 1, "{client} {server}: {services:?}");
    }
    let flows = json("/api/flows");
    let named = |flow: &&Value| flow["server"]["workload"] == "wirespan/stock";
    assert!(flows.as_array().is_some_and(|flows| flows.iter().any(|f| named(&f))), "{flows}");
    let (status, traces) = wirespan.stop("trace");
    assert!(status.success(), "{status}");
    let mut call = &trace_of(&traces, "/one").first().expect("a trace")["root"];
    for (client, server) in &edges {
        assert_eq!(call["client"]["workload"], **client, "{call:#}");
        assert_eq!(call["server"]["workload"], **server, "{call:#}");
        call = &call["children"][0];
    }
}

/// A cache asked before the call and told after it: both stand beside the call, in the order of
/// their times.
#[test]
fn a_cache_is_part_of_the_trace() {
    if skipped_without_root("a_cache_is_part_of_the_trace") {
        return;
    }
    let chain = Chain::with(&["cache"]);
    let wirespan = run(&chain, "cache", "traces");
    let url = |id: &str| format!("http://{}/order/{id}", chain.address("web"));
    for id in ["first", "first", "second"] {
        let output = chain.on_node("curl").args(["-sf", "-m", "10", &url(id)]).output();
        assert!(common::text(output.expect("curl starts")).contains(id));
    }
    let (status, traces) = wirespan.stop("trace");
    assert!(status.success(), "{status}");
    let asked_by_shop = |trace: &Value| {
        let shop = &trace["root"]["children"][0];
        let calls = shop["children"].as_array().map_or(&[][..], Vec::as_slice);
        let said = |call: &Value| {
            let process =
                call["server"]["process"]["command"].as_str().unwrap_or("nobody").to_owned();
            let cause = call["cause"].as_str().unwrap_or_default().to_owned();
            [call["protocol"].as_str(), call["operation"].as_str(), Some(&process), Some(&cause)]
                .map(|w| w.unwrap_or_default().to_owned())
                .join(" ")
        };
        calls.iter().map(said).collect::<Vec<_>>()
    };
    let asked: Vec<_> =
        traces.iter().filter(|t| t.to_string().contains("/order/")).map(asked_by_shop).collect();
    let all =
        ["redis GET redis-server thread", "http GET nginx thread", "redis SET redis-server thread"];
    assert_eq!(asked, [&all[..], &all[..1], &all[..]]);
    assert!(
        !traces.iter().any(|trace| trace.to_string().contains("order:first")),
        "keys are masked"
    );
}

/// Requests at the same time through one event loop and many threads; the share of complete traces
/// is printed.
fn complete_share(name: &str, port: u16) -> f64 {
    let chain = Chain::up();
    let wirespan = run(&chain, name, "traces");
    let requests = chain.load(None, port, REQUESTS, CONNECTIONS);
    let metrics = wirespan.get("/metrics").unwrap_or_default();
    let messages = wirespan.messages();
    let (status, traces) = wirespan.stop("trace");
    assert!(status.success(), "{status}: {messages}");
    let expected = expected(&chain, "python3");
    let mut complete = 0;
    let mut mistakes = std::collections::BTreeMap::<String, u32>::new();
    for request in &requests {
        let id = request["id"].as_str().expect("id");
        let found = trace_of(&traces, id);
        let mistake = match found.as_slice() {
            [] => Some("no trace".to_owned()),
            [trace] => mistake(&trace["root"], id, &expected),
            more => Some(format!("{} traces", more.len())),
        };
        match mistake {
            None => complete += 1,
            Some(mistake) => *mistakes.entry(mistake.replace(id, "ID")).or_default() += 1,
        }
    }
    let share = f64::from(complete) / requests.len() as f64;
    report(&format!("{name}: {complete} of {} traces complete ({share:.4})", requests.len()));
    for (mistake, count) in mistakes.iter().take(12) {
        report(&format!("  {count} x {mistake}"));
    }
    for line in metrics.lines().filter(|line| {
        line.starts_with("wirespan_") && (line.contains("_join_") || line.contains("_drops_total"))
    }) {
        report(&format!("  {line}"));
    }
    share
}

#[test]
fn concurrent_requests_do_not_mix() {
    if skipped_without_root("concurrent_requests_do_not_mix") {
        return;
    }
    assert!(complete_share("kept connections", 80) >= COMPLETE);
}

/// The proxy opens a connection for each request, and reads other requests before it can send on
/// it.
#[test]
fn concurrent_requests_do_not_mix_over_new_connections() {
    if skipped_without_root("concurrent_requests_do_not_mix_over_new_connections") {
        return;
    }
    assert!(complete_share("new connections", 81) >= COMPLETE);
}

/// Ids of the requests of all calls of a trace.
fn ids(call: &Value) -> std::collections::BTreeSet<String> {
    let path = call["attributes"]["url.path"].as_str().unwrap_or_default();
    let own = path.rsplit('/').next().unwrap_or_default().to_owned();
    let children = call["children"].as_array().map_or(&[][..], Vec::as_slice);
    children.iter().flat_map(ids).chain([own]).collect()
}

/// A program that keeps many requests in one thread: no call is put below another request, and what
/// is not sure says so.
#[test]
fn requests_of_one_event_loop_do_not_mix() {
    if skipped_without_root("requests_of_one_event_loop_do_not_mix") {
        return;
    }
    let chain = Chain::up();
    let mut shop = chain
        .in_pod("shop", "python3")
        .args([&common::testbed().join("services/shop_loop.py").display().to_string(), "8001"])
        .env("STOCK_ADDRESS", format!("{}:80", chain.address("stock")))
        .spawn()
        .expect("python3 starts");
    let url = format!("http://{}:8001/order/ready", chain.address("shop"));
    common::wait_for(10, "the event loop answers", || {
        let mut curl = chain.on_node("curl");
        let status = curl.args(["-sf", "-m", "5", "-o", "/dev/null", &url]).status();
        status.expect("curl starts").success().then_some(())
    });
    let wirespan = run(&chain, "loop", "traces");
    let requests = chain.load_at(chain.address("shop"), None, 8001, REQUESTS, CONNECTIONS);
    let (status, traces) = wirespan.stop("trace");
    let _ = shop.kill();
    let _ = shop.wait();
    assert!(status.success(), "{status}");
    let mixed = traces.iter().filter(|trace| ids(&trace["root"]).len() > 1).count();
    let found: std::collections::BTreeSet<_> =
        traces.iter().flat_map(|trace| ids(&trace["root"])).collect();
    let is_call = |trace: &&Value| trace["root"]["server"]["port"] == 80;
    let roots: Vec<_> = traces.iter().filter(is_call).collect();
    let undecided =
        roots.iter().filter(|t| t["root"]["undecided"]["open_requests"].as_u64() > Some(0));
    report(&format!(
        "event loop: {} traces of {} requests, {mixed} with several requests, {} of {} calls undecided",
        traces.len(),
        requests.len(),
        undecided.clone().count(),
        roots.len(),
    ));
    assert_eq!(mixed, 0);
    assert!(requests.iter().all(|r| found.contains(r["id"].as_str().expect("id"))));
    assert!(roots.len() >= requests.len(), "16 connections keep several requests in the thread");
    assert!(undecided.count() * 100 >= roots.len() * 95);
}
