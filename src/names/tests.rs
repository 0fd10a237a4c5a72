//! Tests of names.

use wire::{SeqNum, SeqRange, SockIoKind, Timestamp};

use super::*;

fn registry() -> NameRegistry {
    NameRegistry::new(Arc::new(Taps::default()), true)
}

fn pod(address: &str, namespace: Option<&str>, name: Option<&str>, uid: Option<&str>) -> CniPod {
    CniPod {
        container: "f".repeat(64),
        pod: name.map(str::to_owned),
        pod_namespace: namespace.map(str::to_owned),
        pod_uid: uid.map(str::to_owned),
        network: "pods".to_owned(),
        interface: "eth0".to_owned(),
        host_interfaces: Vec::new(),
        netns: None,
        addresses: vec![address.parse().unwrap()],
    }
}

fn end(address: &str, port: u16) -> Endpoint {
    Endpoint::new(address.parse().unwrap(), port)
}

fn process(name: &str, cgroup: u64) -> Process {
    let mut command = [0; 16];
    command[..name.len()].copy_from_slice(name.as_bytes());
    Process { pid: 1, tid: 1, command, cgroup }
}

fn record(local: Endpoint, process: Process) -> SockIo {
    let seq = SeqRange { start: SeqNum(1), end: SeqNum(2) };
    let (enter, exit) = (Timestamp::ZERO, Timestamp::ZERO);
    SockIo {
        kind: SockIoKind::Send,
        process,
        cookie: 1,
        local,
        remote: end("10.9.9.9", 80),
        seq,
        enter,
        exit,
    }
}

/// The name in metrics, and the name of the same end in a trace.
fn names(registry: &NameRegistry, end: Endpoint, process: Process) -> (String, String) {
    registry.add_process(&record(end, process));
    let label = Names::workload(registry, end).unwrap_or_default();
    let traced = Workloads::workload(registry, end, Some(&process)).unwrap_or_default();
    (label.to_string(), traced.to_string())
}

#[test]
fn metrics_and_traces_call_a_workload_by_the_same_name() {
    let registry = registry();
    registry.set_pods(&[
        pod("10.0.0.1", Some("shop"), Some("web"), None),
        pod("10.0.0.2", Some("test"), Some("web"), Some("ab-1")),
        pod("10.0.0.3", None, Some("web"), None),
        pod("10.0.0.4", None, None, None),
    ]);
    registry.add_cgroup(7, "/kubepods/podab-1/x");
    registry.add_cgroup(8, "/system.slice/proxy.service");
    registry.add_cgroup(9, "/user.slice/user-0.slice/session-1.scope");
    for (address, cgroup, expected) in [
        ("10.0.0.1", 9, "shop/web"),
        ("10.0.0.2", 9, "test/web"),
        ("10.0.0.3", 9, "web"),
        ("10.0.0.4", 9, "ffffffffffff"),
        ("127.0.0.1", 7, "test/web"),
        ("192.0.2.1", 8, "proxy"),
        ("192.0.2.2", 9, "nginx"),
        ("192.0.2.3", 1, "nginx"),
    ] {
        let found = names(&registry, end(address, 80), process("nginx", cgroup));
        assert_eq!(found, (expected.to_owned(), expected.to_owned()), "{address}");
    }
    assert_eq!(Workloads::workload(&registry, end("192.0.2.4", 80), None), None);
}

#[test]
fn a_group_that_gets_its_name_later_names_its_processes_from_then_on() {
    let registry = registry();
    let (local, process) = (end("192.0.2.1", 80), process("nginx", 8));
    assert_eq!(names(&registry, local, process).0, "nginx");
    registry.add_cgroup(8, "/system.slice/proxy.service");
    assert_eq!(names(&registry, local, process), ("proxy".to_owned(), "proxy".to_owned()));
}

#[test]
fn a_pod_that_is_gone_keeps_its_name_until_another_has_its_address() {
    let registry = registry();
    let name = |address| Names::workload(&registry, end(address, 80)).map(|name| name.to_string());
    let one = |name| [pod("10.0.0.1", Some("shop"), Some(name), None)];
    registry.set_pods(&one("job"));
    registry.set_pods(&[]);
    assert_eq!(name("10.0.0.1").as_deref(), Some("shop/job"));
    registry.set_pods(&one("web"));
    assert_eq!(name("10.0.0.1").as_deref(), Some("shop/web"));
    // Many are gone: the first of them is forgotten, those that are there are not.
    for n in 0..NameRegistry::MAX_GONE {
        let address = format!("10.1.{}.{}", n / 256, n % 256);
        registry.set_pods(&[pod(&address, None, Some("many"), None)]);
    }
    registry.set_pods(&one("web"));
    let last = NameRegistry::MAX_GONE - 1;
    assert_eq!(name("10.0.0.1").as_deref(), Some("shop/web"));
    assert_eq!(name(&format!("10.1.{}.{}", last / 256, last % 256)).as_deref(), Some("many"));
    assert!(registry.pods.len() <= NameRegistry::MAX_GONE + 1);
}
