//! Tests of the tree.

use std::fmt::Write as _;

use super::*;

const MESSAGE: &str = r#"{"seq":[1,2],"bytes":300000,"first_ns":0,"last_ns":0}"#;

/// A call of curl through two taps, with these times in nanoseconds: connect, send, wait, transfer,
/// service and network; and its children.
fn call(id: u32, start: u64, times: [u64; 6], children: &str) -> String {
    let [connect, send, wait, transfer, service, network] = times;
    let begin = start + connect;
    let connect = if connect > 0 { connect.to_string() } else { "null".to_owned() };
    let first = begin + send + wait;
    let end = first + transfer;
    let hop = |tap: &str, kind: &str, request: u64, response: u64, retransmissions: u64| {
        format!(
            r#"{{"tap":"{tap}","kind":"{kind}","node":"a","request_ns":{request},
            "response_ns":{response},"retransmissions":{retransmissions},"flow":1,
            "client":"10.0.0.1:40000","server":"10.0.0.2:80","outcome":"ok",
            "request":{MESSAGE},
            "response":{{"seq":[1,2],"bytes":300000,"first_ns":{response},"last_ns":{end}}},
            "tcp":{{"retransmissions":{retransmissions},"out_of_order":0,"zero_windows":0,
            "rtt_ns":0,"missing_bytes":0}}}}"#
        )
    };
    let near = hop("veth0", "veth", begin + 20_000, first - 20_000, 0);
    let far = hop("eth0", "physical", begin + 1_020_000, first - 30_000, 2);
    format!(
        r#"{{"span_id":"{id:016x}","protocol":"http","operation":"GET","outcome":"ok",
      "attributes":{{"url.path":"/orders\u001b[31m","http.response.status_code":200}},
      "client":{{"address":"10.0.0.1","port":40000,"process":{{"pid":7,"tid":7,"command":"curl",
        "cgroup":""}},"sent_ns":{begin},"first_received_ns":{first},"received_ns":{end}}},
      "server":{{"address":"10.0.0.2","port":80,"process":null}},
      "hops":[{near},{far}],"start_unix_ns":{start},"end_unix_ns":{end},
      "connect_ns":{connect},"send_ns":{send},"wait_ns":{wait},"transfer_ns":{transfer},
      "service_ns":{service},"network_ns":{network},"syn_repeats":1,"cause":"none",
      "tcp":{{"retransmissions":2,"out_of_order":0,"zero_windows":0,"rtt_ns":0,
        "missing_bytes":0}},"children":[{children}]}}"#
    )
}

fn traced(root: &str) -> Trace {
    let id = "0123456789abcdef0123456789abcdef";
    serde_json::from_str(&format!(r#"{{"type":"trace","trace_id":"{id}","root":{root}}}"#)).unwrap()
}

/// Nothing stands out but the way from one tap to the next.
fn trace() -> Trace {
    traced(&call(1, 1_000, [0, 0, 1_500_000, 0, 450_000, 1_050_000], ""))
}

fn line(drawn: &str, start: &str) -> String {
    let found = drawn
        .lines()
        .find(|line| line.trim_start_matches(|c: char| " │├└─".contains(c)).starts_with(start));
    found.unwrap_or_else(|| panic!("no line {start:?} in\n{drawn}")).to_owned()
}

#[test]
fn every_step_has_its_time_and_the_longest_is_pointed_out() {
    let drawn = draw_in(&trace(), Style::default(), None);
    assert!(line(&drawn, "trace ").contains("1 call · 1.50 ms · 2 retransmissions"), "{drawn}");
    assert!(line(&drawn, "eth0").contains("1.02 ms    +1.00 ms     1.47 ms"), "{drawn}");
    assert!(line(&drawn, "eth0").ends_with("◀ longest  2 retransmissions"), "{drawn}");
    assert!(!line(&drawn, "veth0").contains("longest"), "{drawn}");
    assert_eq!(
        line(&drawn, "most of the time"),
        "most of the time: 1.00 ms (66 %) from veth0 to eth0 for the request · GET /orders·[31m"
    );
}

#[test]
fn what_lay_unread_is_told() {
    let json = call(1, 0, [0, 0, 175_000, 0, 100_000, 5_000], "");
    let json = json.replace(r#""network_ns":5000"#, r#""network_ns":5000,"unread_ns":70000"#);
    let drawn = draw_in(&traced(&json), Style::default(), None);
    assert!(drawn.contains("(service 100 µs, unread 70.0 µs, network 5.00 µs)"), "{drawn}");
}

/// The columns say which byte they mean, and the last one is told.
#[test]
fn first_and_last_byte_of_the_response_are_told() {
    let trace = traced(&call(1, 0, [0, 0, 175_000, 13_000_000, 100_000, 75_000], ""));
    let drawn = draw_in(&trace, Style::default(), None);
    let head = drawn.lines().find(|line| line.contains("first byte")).unwrap();
    let columns = ["request", "step", "first byte", "step", "last byte"];
    assert_eq!(
        head.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>(),
        columns
    );
    assert!(line(&drawn, "curl[7]  ").ends_with("175 µs    +20.0 µs     13.2 ms"), "{drawn}");
    assert_eq!(
        line(&drawn, "send").trim_start(),
        "send 0 ns · wait 175 µs (service 100 µs, network 75.0 µs) · receive 13.0 ms ◀"
    );
    assert_eq!(
        line(&drawn, "most of the time"),
        "most of the time: 13.0 ms (98 %) transfer of the 300 kB response from 10.0.0.2:80 to \
         curl[7] · GET /orders·[31m"
    );
}

#[test]
fn a_repeated_syn_is_named() {
    let trace = traced(&call(1, 0, [1_020_000_000, 0, 500_000, 0, 100_000, 400_000], ""));
    let drawn = draw_in(&trace, Style::default(), None);
    assert!(
        line(&drawn, "most").starts_with("most of the time: 1.02 s (99 %) connect from curl[7] to"),
        "{drawn}"
    );
    assert!(line(&drawn, "most").ends_with(": SYN sent again"), "{drawn}");
    assert!(line(&drawn, "connect").contains("connect 1.02 s ◀ · send 0 ns · wait"), "{drawn}");
    assert_eq!(in_short(&trace), "1.02 s connect to 10.0.0.2");
}

/// A service that takes long is named, and not the hop that took longest; of a service that asked
/// others its own time counts.
#[test]
fn services_and_network_are_compared() {
    let below = call(2, 5_000_000, [0, 0, 702_000_000, 0, 700_000_000, 2_000_000], "");
    let root = call(1, 0, [0, 0, 710_000_000, 0, 708_000_000, 2_000_000], &below);
    let drawn = draw_in(&traced(&root), Style::default(), None);
    assert!(
        line(&drawn, "most").starts_with(
            "most of the time: 700 ms (98 %) served by 10.0.0.2:80, beyond eth0 · GET"
        ),
        "{drawn}"
    );
    assert!(drawn.contains("(service 708 ms, own 6.00 ms, network 2.00 ms)"), "{drawn}");
    assert!(drawn.contains("(service 700 ms ◀, network 2.00 ms)"), "{drawn}");
    assert!(!drawn.contains("longest"), "{drawn}");
    assert_eq!(in_short(&traced(&root)), "700 ms in 10.0.0.2");
}

#[test]
fn a_trace_of_an_older_version_has_no_phases() {
    let mut json = call(1, 0, [0, 0, 175_000, 13_000_000, 100_000, 75_000], "");
    json = json.replace(r#""wait_ns":175000,"#, "").replace(r#""transfer_ns":13000000,"#, "");
    let drawn = draw_in(&traced(&json), Style::default(), None);
    assert!(!drawn.contains("receive") && !drawn.contains("send"), "{drawn}");
}

/// On a terminal nothing is wider than it, however deep the call.
#[test]
fn lines_fit_the_terminal() {
    let mut nested = call(9, 0, [1_020_000_000, 12_345, 175_123, 13_000_000, 100_000, 75_000], "");
    for id in (1..4).rev() {
        nested = call(id, 0, [1_020_000_000, 0, 999_999_999, 13_000_000, 100_000, 75_000], &nested);
    }
    let trace = traced(&nested.replace("veth0", "veth0123456789abcdef0123456789"));
    for room in [80, 100, 160] {
        let drawn = draw_in(&trace, Style::default(), Some(room));
        let mut wide = String::new();
        for line in drawn.lines().filter(|line| line.chars().count() > room) {
            let _ = writeln!(wide, "{line}");
        }
        assert_eq!(wide, "", "{room} columns");
        for part in ["connect 1.02 s", "receive 13.0 ms", "2 retransmissions", "veth0123"] {
            assert!(drawn.contains(part), "{part} is not in\n{drawn}");
        }
    }
}

#[test]
fn what_peers_sent_cannot_control_the_terminal() {
    assert!(!draw_in(&trace(), Style::default(), None).contains('\x1b'));
    assert!(!in_short(&trace()).contains('\x1b'));
}

#[test]
fn a_get_of_a_cache_is_not_taken_for_one_of_the_web() {
    let mut trace = trace();
    assert!(draw_in(&trace, Style::default(), None).contains("\nGET /orders"));
    trace.root.protocol = fact::Protocol::new("redis");
    trace.root.attributes = serde_json::from_str(r#"{"db.query.text":"GET ?"}"#).unwrap();
    assert!(draw_in(&trace, Style::default(), None).contains("\nredis GET ? ok"));
}

#[test]
fn a_side_is_called_by_its_workload_and_process() {
    let mut trace = trace();
    trace.root.client.workload = Some("shop/web-0".into());
    trace.root.server.workload = Some("proxy".into());
    let drawn = draw(&trace, Style::default());
    let parties = "shop/web-0 curl[7] → proxy  (10.0.0.1:40000 → 10.0.0.2:80)";
    assert!(drawn.contains(parties), "{drawn}");
    trace.root.client.workload = Some("curl".into());
    let drawn = draw(&trace, Style::default());
    assert!(drawn.lines().any(|line| line.trim_start().starts_with("curl[7] → proxy")), "{drawn}");
}
