//! Two network namespaces joined by a veth pair, `a0` (10.97.0.1) – `b0` (10.97.0.2).

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace that goes away with the value.
pub(crate) struct Netns(String);

impl Netns {
    fn new(end: &str) -> Self {
        let netns = Self(format!("wsother{}{end}", std::process::id()));
        ip(&["netns", "add", &netns.0]);
        netns
    }

    /// Moves this thread into it.
    pub(crate) fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.0)).expect("it is there");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may do it");
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

pub(crate) fn pair() -> (Netns, Netns) {
    let (a, b) = (Netns::new("a"), Netns::new("b"));
    let link = ["-n", &a.0, "link", "add", "a0", "type", "veth", "peer", "b0", "netns", &b.0];
    ip(&link);
    for (netns, device, address) in [(&a, "a0", "10.97.0.1/24"), (&b, "b0", "10.97.0.2/24")] {
        ip(&["-n", &netns.0, "address", "add", address, "dev", device]);
        ip(&["-n", &netns.0, "link", "set", device, "up"]);
    }
    (a, b)
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {}", arguments.join(" "));
}
