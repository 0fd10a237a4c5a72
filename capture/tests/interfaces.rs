//! Interfaces of a real network namespace.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use capture::interfaces::{Change, Watch, list};
use common::{Netns, pair};
use wire::{LinkType, TapKind};

#[test]
fn kinds_peers_and_masters_are_told() {
    let Some((a, b)) = pair() else { return };
    a.ip("link add br0 type bridge");
    a.ip("link set a0 master br0");
    a.ip("link add x0 mtu 1400 type veth peer name x1");
    a.ip("link add vx type vxlan id 7 remote 10.9.0.2 dstport 4789 dev a0");
    a.ip("link add link x0 name mv type macvlan");
    a.ip("tuntap add t0 mode tun");
    let all = a.exec(|| list().unwrap());
    let find = |name: &str| all.iter().find(|i| i.name == name).unwrap().clone();
    let (a0, br0, x0, x1) = (find("a0"), find("br0"), find("x0"), find("x1"));
    assert_eq!(find("lo").kind, TapKind::Loopback);
    assert_eq!((a0.kind, a0.master, a0.up), (TapKind::Veth, Some(br0.index), true));
    let b0 = b.exec(|| list().unwrap()).into_iter().find(|i| i.name == "b0").unwrap();
    assert_eq!(a0.peer, Some(b0.index));
    assert!(a0.peer_namespace.is_some() && x0.peer_namespace.is_none());
    assert_eq!((x0.peer, x1.peer, x0.mtu, x0.up), (Some(x1.index), Some(x0.index), 1400, false));
    assert_eq!((br0.kind, br0.driver_kind.as_str()), (TapKind::Bridge, "bridge"));
    assert_eq!((find("vx").kind, find("mv").kind), (TapKind::Tunnel, TapKind::Macvlan));
    let tun = find("t0");
    assert_eq!((tun.kind, tun.link_type), (TapKind::Tun, LinkType::RawIp));
    assert_eq!(a0.link_type, LinkType::Ethernet);
}

#[test]
fn a_watch_tells_what_comes_changes_and_goes() {
    let Some(a) = Netns::new() else { return };
    a.exec(|| {
        let mut watch = Watch::open().unwrap();
        assert_eq!(watch.interfaces().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["lo"]);
        assert!(!watch.wait(Duration::ZERO).unwrap());
        assert_eq!(watch.changes().unwrap(), []);
        a.ip("link add d0 type bridge");
        a.ip("link set d0 up");
        a.ip("link set d0 name d9");
        a.ip("link del d9");
        assert!(watch.wait(Duration::from_secs(5)).unwrap());
        let changes = watch.changes().unwrap();
        assert!(
            matches!(&changes[0], Change::Appeared(i) if i.name == "d0" && !i.up),
            "{changes:?}"
        );
        assert!(
            changes.iter().any(|c| matches!(c, Change::Changed(i) if i.name == "d0" && i.up)),
            "{changes:?}"
        );
        assert!(
            changes.iter().any(|c| matches!(c, Change::Changed(i) if i.name == "d9")),
            "{changes:?}"
        );
        assert!(matches!(changes.last(), Some(Change::Gone(i)) if i.name == "d9"), "{changes:?}");
    });
}

#[test]
fn a_watch_that_was_overrun_lists_again() {
    let Some(a) = Netns::new() else { return };
    a.exec(|| {
        let mut watch = Watch::open().unwrap();
        a.ip("link add keep type bridge");
        a.ip("link add loses type bridge");
        // More notices than the socket's buffer holds.
        let flood: String =
            (0..3000).map(|n| format!("link set keep mtu {}\n", 1000 + n)).collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("batch");
        std::fs::write(&file, flood).unwrap();
        a.ip(&format!("-b {}", file.display()));
        a.ip("link del loses");
        a.ip("link add last type bridge");
        watch.changes().unwrap();
        let names: Vec<_> = watch.interfaces().map(|i| (i.name.as_str(), i.mtu)).collect();
        assert_eq!(names, [("lo", 65536), ("keep", 3999), ("last", 1500)]);
    });
}
