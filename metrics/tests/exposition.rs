//! What a scrape says after a known sequence of facts, and that Prometheus' own tool accepts it.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fact::{
    Attributes, ClientBy, CloseReason, DirectionRecord, Exchange, FlowId, FlowOpening, FlowRecord,
    FlowState, Handshake, Inference, L7Summary, Latencies, MessageSpan, Notes, Outcome, Protocol,
    RttLeftOut, RttLeftOutCounts, Table, TcpCounter, TcpCounters, TcpTrouble, Trouble,
};
use fact::{Fact, Sink};
use metrics::{Config, Format, JoinResult, Metered, Metrics, Names, TracedCall};
use wire::decode::Undecoded;
use wire::{Drops, Endpoint, PerDirection, SeqNum, SeqRange, TapId, TapKind, Timestamp, Transport};

struct Registry;

impl Names for Registry {
    fn tap_kind(&self, _: TapId) -> TapKind {
        TapKind::Veth
    }
    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>> {
        (endpoint.port == 80).then(|| "nginx".into())
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn emit(&mut self, _: Fact<'_>) {}
}

fn endpoint(host: u8, port: u16) -> Endpoint {
    Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port)
}

fn flow(packets: u64, rtts: &[u64]) -> FlowRecord {
    let mut latencies = Latencies::default();
    rtts.iter().for_each(|&ns| latencies.record(ns));
    let mut tcp = TcpCounters::default();
    tcp[TcpCounter::TimeoutRetransmission] = packets as u32 / 10;
    let mut rtt_left_out = RttLeftOutCounts::default();
    rtt_left_out[RttLeftOut::WithPayload] = packets as u32 / 5;
    let sent = DirectionRecord {
        packets,
        ip_bytes: packets * 100,
        tcp,
        rtt_latencies: latencies,
        rtt_left_out,
        ..DirectionRecord::default()
    };
    FlowRecord {
        id: FlowId(1),
        tap: TapId(0),
        transport: Transport::Tcp,
        client: endpoint(1, 40_000),
        server: endpoint(2, 80),
        client_by: ClientBy::Syn,
        vlans: Vec::new(),
        tunnels: Vec::new(),
        start: Timestamp::from_nanos(1),
        end: Timestamp::from_nanos(2),
        state: FlowState::Open,
        close_reason: None,
        trouble: None,
        notes: Notes::default(),
        directions: PerDirection { to_server: sent.clone(), to_client: sent },
        handshake: Some(Handshake {
            complete: true,
            syn_to_syn_ack_ns: Some(30_000),
            syn_ack_to_ack_ns: Some(20_000),
            server_rtt_ns: Some(30_000),
            client_rtt_ns: Some(20_000),
            connect_ns: Some(50_000),
        }),
        l7: Some(L7Summary {
            protocol: Protocol::new("http"),
            requests: 1,
            responses: 1,
            errors: 0,
        }),
    }
}

fn exchange() -> Exchange {
    let message = |at| MessageSpan {
        seq: SeqRange::new(SeqNum(1), 9),
        bytes: 9,
        first: Timestamp::from_nanos(at),
        last: Timestamp::from_nanos(at + 1_000),
        whole: true,
    };
    Exchange {
        flow: FlowId(1),
        tap: TapId(0),
        transport: Transport::Tcp,
        client: endpoint(1, 40_000),
        server: endpoint(2, 80),
        protocol: Protocol::new("http"),
        operation: "GET".to_owned(),
        outcome: Outcome::Ok,
        request: Some(message(1_000)),
        response: Some(message(2_000_000)),
        connect_ns: None,
        connected: None,
        waited_until: None,
        attributes: Attributes::default(),
        tcp: TcpTrouble::default(),
    }
}

fn scenario() -> Metrics {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let mut sink = Metered::new(Nowhere, metrics.clone(), Arc::new(Registry));
    let first = flow(10, &[40_000]);
    let opening = FlowOpening {
        id: first.id,
        tap: first.tap,
        transport: first.transport,
        client: first.client,
        server: first.server,
        start: first.start,
    };
    sink.emit(Fact::FlowOpened(&opening));
    sink.emit(Fact::FlowProgress(&first));
    sink.emit(Fact::Exchange(&exchange()));
    let mut last = flow(25, &[40_000, 3_000_000]);
    last.close_reason = Some(CloseReason::Fin);
    last.state = FlowState::Closed;
    sink.emit(Fact::FlowClosed(&last));
    metrics.set_exemplar(&TracedCall {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        tap_kind: TapKind::Veth,
        protocol: Protocol::new("http"),
        ends: (endpoint(1, 40_000), endpoint(2, 80)),
        client: None,
        server: Some("nginx"),
        operation: "GET",
        path: None,
        duration_ns: 2_000_000,
        end_unix_ns: 1_700_000_000_123_000_000,
    });
    metrics.add_captured("veth0", 50, 5_000);
    metrics.add_capture_drops("ring", Drops { kernel: 3, freezes: 1, ..Drops::default() });
    metrics.add_ebpf_records(7, 0);
    metrics.add_join_results(JoinResult::Joined, 2);
    metrics.set_memory("flows", 600);
    metrics.update_process(0.5, 1 << 20);
    sink.finish();
    drop(sink);
    Arc::into_inner(metrics).expect("the sink is gone")
}

fn value(text: &str, start: &str, labels: &[&str]) -> Option<f64> {
    let line = text
        .lines()
        .find(|l| l.starts_with(start) && labels.iter().all(|label| l.contains(label)))?;
    let sample = line.split(" # ").next()?;
    sample.rsplit(' ').next()?.parse().ok()
}

#[test]
fn cumulative_facts_are_counted_once() {
    let text = scenario().encode(Format::OpenMetrics);
    let edge = ["tap_kind=\"veth\"", "protocol=\"http\"", "client=\"unknown\"", "server=\"nginx\""];
    let of = |name: &str, more: &[&str]| value(&text, name, &[&edge[..], more].concat());
    assert_eq!(of("wirespan_flow_packets_total{", &["direction=\"to_server\""]), Some(25.0));
    assert_eq!(of("wirespan_flow_bytes_total{", &["direction=\"to_client\""]), Some(2_500.0));
    assert_eq!(
        of("wirespan_tcp_retransmissions_total{", &["to_server", "kind=\"timeout\""]),
        Some(2.0)
    );
    assert_eq!(of("wirespan_tcp_rtt_seconds_count{", &["side=\"server\""]), Some(2.0));
    assert_eq!(of("wirespan_tcp_handshake_seconds_count{", &["side=\"client\""]), Some(1.0));
    assert_eq!(of("wirespan_tcp_connect_seconds_count{", &[]), Some(1.0));
    assert_eq!(of("wirespan_tcp_connect_seconds_bucket{", &["le=\"0.00005\""]), Some(1.0));
    assert_eq!(
        of("wirespan_tcp_rtt_left_out_total{", &["side=\"server\"", "reason=\"with_payload\""]),
        Some(5.0)
    );
    assert_eq!(of("wirespan_tcp_rtt_left_out_total{", &["reason=\"delayed\""]), None);
    assert_eq!(of("wirespan_flows_opened_total{", &[]), Some(1.0));
    assert_eq!(of("wirespan_flows_closed_total{", &["reason=\"fin\""]), Some(1.0));
    assert_eq!(of("wirespan_flows_active{", &[]), Some(0.0));
    assert_eq!(of("wirespan_requests_total{", &["operation=\"GET\"", "status=\"ok\""]), Some(1.0));
    assert_eq!(of("wirespan_request_duration_seconds_bucket{", &["le=\"0.0025\""]), Some(1.0));
    assert_eq!(value(&text, "wirespan_capture_drops_total{", &["reason=\"kernel\""]), Some(3.0));
    assert_eq!(of("wirespan_request_duration_seconds_bucket{le=\"+Inf\"", &[]), Some(1.0));
    assert!(text.ends_with("# EOF\n"));
}

/// A queue that was full in the end took the connection in one of the flows, and not in the other.
#[test]
fn what_went_wrong_is_counted_by_its_name() {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let mut sink = Metered::new(Nowhere, metrics.clone(), Arc::new(Registry));
    for (id, trouble, syn_ack) in [
        (1, Trouble::Refused, 0),
        (2, Trouble::AcceptQueueFull, 3),
        (3, Trouble::AcceptQueueFull, 2),
        (4, Trouble::ResetMidway, 1),
    ] {
        let mut flow = flow(3, &[]);
        (flow.id, flow.trouble, flow.close_reason) =
            (FlowId(id), Some(trouble), Some(CloseReason::InputEnd));
        flow.directions.to_client.syn_ack = syn_ack;
        flow.directions.to_server.tcp[TcpCounter::TailLossProbe] = 1;
        sink.emit(Fact::FlowClosed(&flow));
    }
    sink.finish();
    let text = metrics.encode(Format::OpenMetrics);
    let troubles = |name: &str| {
        value(&text, "wirespan_tcp_troubles_total{", &[&format!("trouble=\"{name}\"")])
    };
    let failures = |name: &str| {
        value(&text, "wirespan_tcp_handshake_failures_total{", &[&format!("reason=\"{name}\"")])
    };
    assert_eq!((troubles("refused"), troubles("accept_queue_full")), (Some(1.0), Some(2.0)));
    assert_eq!((failures("server_refused"), failures("accept_queue_full")), (Some(1.0), Some(1.0)));
    assert_eq!((troubles("reset_midway"), failures("reset_midway")), (Some(1.0), None));
    let probes =
        value(&text, "wirespan_tcp_retransmissions_total{", &["to_server", "kind=\"probe\""]);
    assert_eq!(probes, Some(4.0));
}

/// Names the client only when it is told to.
#[derive(Default)]
struct Late(std::sync::atomic::AtomicBool);

impl Names for Late {
    fn tap_kind(&self, _: TapId) -> TapKind {
        TapKind::Veth
    }
    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>> {
        let known = endpoint.port == 80 || self.0.load(std::sync::atomic::Ordering::Relaxed);
        known.then(|| if endpoint.port == 80 { "nginx".into() } else { "curl".into() })
    }
    fn may_gain_workloads(&self) -> bool {
        true
    }
}

#[test]
fn what_ends_at_once_waits_for_names() {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let names = Arc::new(Late::default());
    let mut sink = Metered::new(Nowhere, metrics.clone(), names.clone());
    let mut last = flow(25, &[40_000]);
    last.close_reason = Some(CloseReason::Fin);
    sink.emit(Fact::Exchange(&exchange()));
    sink.emit(Fact::FlowClosed(&last));
    sink.flush();
    names.0.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(!metrics.encode(Format::OpenMetrics).contains("nginx"));
    sink.flush();
    let text = metrics.encode(Format::OpenMetrics);
    let named = ["client=\"curl\"", "server=\"nginx\""];
    assert_eq!(value(&text, "wirespan_requests_total{", &named), Some(1.0));
    assert_eq!(value(&text, "wirespan_flows_closed_total{", &named), Some(1.0));
    sink.finish();
    assert_eq!(metrics.encode(Format::OpenMetrics), text);
}

/// What has no edge is counted without a look-up in a family, and added when the families are
/// flushed.
#[test]
fn what_the_analyzer_lost_is_added_at_a_flush() {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let mut sink = Metered::new(Nowhere, metrics.clone(), Arc::new(Registry));
    let read = || {
        let text = metrics.encode(Format::OpenMetrics);
        [
            value(&text, "wirespan_frames_undecoded_total{", &["reason=\"truncated\""]),
            value(&text, "wirespan_frames_undecoded_total{", &["reason=\"malformed\""]),
            value(&text, "wirespan_stray_packets_total", &[]),
            value(&text, "wirespan_stream_gap_bytes_total", &[]),
            value(&text, "wirespan_protocol_inference_total{", &["result=\"revision\""]),
            value(&text, "wirespan_table_evictions_total{", &["table=\"fragments\""]),
            value(&text, "wirespan_table_evictions_total{", &["table=\"known_servers\""]),
        ]
    };
    let mut lose = || {
        let tap = TapId(0);
        sink.emit(Fact::Undecoded { reason: Undecoded::Truncated, tap });
        sink.emit(Fact::Undecoded { reason: Undecoded::Truncated, tap });
        sink.emit(Fact::Stray { tap });
        sink.emit(Fact::StreamGap { tap, bytes: 700 });
        sink.emit(Fact::Inference { tap, result: Inference::Revision, times: 3 });
        sink.emit(Fact::Evicted { table: Table::Fragments, entries: 5 });
    };
    lose();
    lose();
    assert_eq!(read(), [Some(0.0); 7]);
    sink.flush();
    let sums = [4.0, 0.0, 2.0, 1_400.0, 6.0, 10.0, 0.0].map(Some);
    assert_eq!(read(), sums);
    sink.finish();
    assert_eq!(read(), sums);
}

/// An open flow counts on the edge that it has now, and the gauge follows at a flush.
#[test]
fn an_open_flow_moves_to_the_edge_of_its_protocol() {
    let metrics = Arc::new(Metrics::new(Config::default()));
    let mut sink = Metered::new(Nowhere, metrics.clone(), Arc::new(Registry));
    let active = |protocol: &str| {
        let text = metrics.encode(Format::OpenMetrics);
        value(&text, "wirespan_flows_active{", &[&format!("protocol=\"{protocol}\"")])
    };
    let mut unknown = flow(10, &[]);
    unknown.l7 = None;
    sink.emit(Fact::FlowProgress(&unknown));
    assert_eq!(active("tcp"), None);
    sink.flush();
    assert_eq!((active("tcp"), active("http")), (Some(1.0), None));
    sink.emit(Fact::FlowProgress(&flow(20, &[])));
    sink.flush();
    assert_eq!((active("tcp"), active("http")), (Some(0.0), Some(1.0)));
    let mut closed = flow(25, &[]);
    closed.close_reason = Some(CloseReason::Fin);
    sink.emit(Fact::FlowClosed(&closed));
    sink.flush();
    assert_eq!((active("tcp"), active("http")), (Some(0.0), Some(0.0)));
}

#[test]
fn invariant_failures_are_a_family_without_samples_as_long_as_there_are_none() {
    let text = Metrics::new(Config::default()).encode(Format::Prometheus);
    let lines: Vec<_> =
        text.lines().filter(|line| line.contains("wirespan_invariant_failures_total")).collect();
    let [help, kind] = lines[..] else { panic!("{lines:?}") };
    assert!(help.starts_with("# HELP wirespan_invariant_failures_total "), "{help}");
    assert_eq!(kind, "# TYPE wirespan_invariant_failures_total counter");
}

#[test]
fn a_trace_is_the_example_of_its_bucket() {
    let metrics = scenario();
    let example = "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.002 1700000000.123";
    let text = metrics.encode(Format::OpenMetrics);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(example)).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(
        lines[0].starts_with("wirespan_request_duration_seconds_bucket{")
            && lines[0].contains("le=\"0.0025\"")
    );
    assert!(!metrics.encode(Format::Prometheus).contains("trace_id"));
}

/// The same requests with the option on and off, an example for one of them, and a flow that says
/// nothing of paths.
#[test]
fn routes_are_operations_where_they_are_switched_on() {
    let text = |config: Config, late: bool| {
        let metrics = Arc::new(Metrics::new(config));
        let names: Arc<dyn Names> =
            if late { Arc::new(Late::default()) } else { Arc::new(Registry) };
        let mut sink = Metered::new(Nowhere, metrics.clone(), names);
        for (flow, path) in
            [(1, "/user/1"), (1, "/user/2"), (1, "/cart"), (1, "/user/3"), (2, "/user/4")]
        {
            let mut asked = exchange();
            asked.flow = FlowId(flow);
            asked.attributes.push_text("url.path", path);
            sink.emit(Fact::Exchange(&asked));
        }
        let mut query = exchange();
        (query.protocol, query.operation) = (Protocol::new("dns"), "A".to_owned());
        sink.emit(Fact::Exchange(&query));
        sink.finish();
        metrics.set_exemplar(&TracedCall {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
            tap_kind: TapKind::Veth,
            protocol: Protocol::new("http"),
            ends: (endpoint(1, 40_000), endpoint(2, 80)),
            client: None,
            server: Some("nginx"),
            operation: "GET",
            path: Some("/user/3"),
            duration_ns: 2_000_000,
            end_unix_ns: 1_700_000_000_123_000_000,
        });
        metrics.encode(Format::OpenMetrics)
    };
    let requests = |text: &str, name: &str| {
        value(text, "wirespan_requests_total{", &[&format!("operation=\"{name}\"")])
    };
    let example_of = |text: &str| {
        let line = text.lines().find(|line| line.contains("# {trace_id="))?;
        Some(line.split_once("operation=\"")?.1.split('"').next()?.to_owned())
    };
    for late in [false, true] {
        let off = text(Config::default(), late);
        assert_eq!((requests(&off, "GET"), requests(&off, "A")), (Some(5.0), Some(1.0)));
        assert_eq!(example_of(&off).as_deref(), Some("GET"));
        assert!(!off.contains("/user"));
        let on = text(Config { routes: true, ..Config::default() }, late);
        assert_eq!((requests(&on, "GET"), requests(&on, "A")), (None, Some(1.0)));
        assert_eq!(
            (requests(&on, "GET /user/{id}"), requests(&on, "GET /cart")),
            (Some(4.0), Some(1.0))
        );
        assert_eq!(example_of(&on).as_deref(), Some("GET /user/{id}"));
    }
    // Two routes and a name in DNS, and the second and third have no series left.
    let capped = text(Config { routes: true, max_series: 1, ..Config::default() }, false);
    assert_eq!(
        (requests(&capped, "GET /user/{id}"), requests(&capped, "__overflow__")),
        (Some(4.0), Some(2.0))
    );
}

/// With addresses a traced call is on the edge that its exchange was counted on.
#[test]
fn the_network_of_a_call_is_counted_on_its_edge() {
    for addresses in [false, true] {
        let metrics = Metrics::new(Config { addresses, ..Config::default() });
        let call = TracedCall {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
            tap_kind: TapKind::Veth,
            protocol: Protocol::new("http"),
            ends: (endpoint(1, 40_000), endpoint(2, 80)),
            client: None,
            server: Some("nginx"),
            operation: "GET",
            path: None,
            duration_ns: 2_000_000,
            end_unix_ns: 1_700_000_000_123_000_000,
        };
        metrics.add_call_network(&call, 40_000);
        metrics.add_call_network(&call, 60_000);
        let text = metrics.encode(Format::Prometheus);
        let of = |name: &str, more: &[&str]| {
            let edge = ["tap_kind=\"veth\"", "client=\"unknown\"", "server=\"nginx\""];
            value(&text, name, &[&edge[..], more].concat())
        };
        assert_eq!(of("wirespan_call_network_seconds_sum", &[]), Some(0.0001));
        assert_eq!(
            of("wirespan_call_network_seconds_bucket", &["le=\"0.00005\""]),
            Some(1.0),
            "{text}"
        );
        let with_address =
            of("wirespan_call_network_seconds_count", &["server_address=\"10.0.0.2\""]);
        assert_eq!(with_address, addresses.then_some(2.0));
    }
}

#[test]
fn promtool_accepts_the_text() {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else {
        eprintln!("skipped: promtool (Debian package prometheus) is not installed");
        return;
    };
    let text = scenario().encode(Format::Prometheus);
    tool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("promtool reads");
    let out = tool.wait_with_output().expect("promtool ends");
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}
