//! Tests of the tree.

use super::*;

fn trace() -> Trace {
    let json = r#"{"type":"trace","trace_id":"0123456789abcdef0123456789abcdef","root":{
      "span_id":"0000000000000001","protocol":"http","operation":"GET","outcome":"ok",
      "attributes":{"url.path":"/orders\u001b[31m","http.response.status_code":200},
      "client":{"address":"10.0.0.1","port":40000,"process":{"pid":7,"tid":7,"command":"curl","cgroup":""},"sent_ns":1000,"received_ns":5001000},
      "server":{"address":"10.0.0.2","port":80,"process":null},
      "hops":[
        {"tap":"veth0","kind":"veth","node":"a","request_ns":21000,"response_ns":4981000,"retransmissions":0,"flow":1,
         "client":"10.0.0.1:40000","server":"10.0.0.2:80","outcome":"ok","request":null,"response":null,
         "tcp":{"retransmissions":0,"out_of_order":0,"zero_windows":0,"rtt_ns":0,"missing_bytes":0}},
        {"tap":"eth0","kind":"physical","node":"a","request_ns":1021000,"response_ns":4971000,"retransmissions":2,"flow":2,
         "client":"10.0.0.1:40000","server":"10.0.0.2:80","outcome":"ok","request":null,"response":null,
         "tcp":{"retransmissions":2,"out_of_order":0,"zero_windows":0,"rtt_ns":0,"missing_bytes":0}}],
      "start_unix_ns":1000,"end_unix_ns":5001000,"cause":"none",
      "tcp":{"retransmissions":2,"out_of_order":0,"zero_windows":0,"rtt_ns":0,"missing_bytes":0},"children":[]}}"#;
    serde_json::from_str(json).unwrap()
}

#[test]
fn every_step_has_its_time_and_the_slowest_is_pointed_out() {
    let drawn = draw(&trace(), Style::default());
    let line = |start: &str| {
        drawn.lines().find(|line| line.trim_start().starts_with(start)).unwrap().to_owned()
    };
    assert!(line("trace ").contains("1 call · 5.00 ms · 2 retransmissions"), "{drawn}");
    assert!(line("eth0").contains("1.02 ms   +1.00 ms    4.97 ms"), "{drawn}");
    assert!(
        line("eth0").ends_with("beyond: 3.95 ms  ◀ slowest step  2 retransmissions"),
        "{drawn}"
    );
    assert!(!line("veth0").contains("slowest"), "{drawn}");
}

#[test]
fn what_peers_sent_cannot_control_the_terminal() {
    assert!(!draw(&trace(), Style::default()).contains('\x1b'));
}

#[test]
fn a_get_of_a_cache_is_not_taken_for_one_of_the_web() {
    let mut trace = trace();
    assert!(draw(&trace, Style::default()).contains("\nGET /orders"));
    trace.root.protocol = fact::Protocol::new("redis");
    trace.root.attributes = serde_json::from_str(r#"{"db.query.text":"GET ?"}"#).unwrap();
    assert!(draw(&trace, Style::default()).contains("\nredis GET ? ok"));
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
