//! Two network namespaces joined by a veth pair, gone when dropped.

use std::fs::File;
use std::process::Command;

use rustix::fd::AsFd;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::common::run;

/// The near namespace holds `near0` (10.9.0.1/24), the far one `far0` (10.9.0.2/24).
pub(crate) struct Pair {
    pub(crate) near: String,
    pub(crate) far: String,
}

impl Pair {
    pub(crate) fn new(test: &str) -> Self {
        let id = std::process::id();
        let pair = Self { near: format!("xn{id}{test}"), far: format!("xf{id}{test}") };
        for ns in [&pair.near, &pair.far] {
            run(Command::new("ip").args(["netns", "add", ns]));
            let quiet = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1";
            run(pair.within(ns, "sysctl").arg("-qw").args(quiet.split(' ')));
        }
        let (near, far) = (&pair.near, &pair.far);
        pair.ip(near, &format!("link add near0 type veth peer name far0 netns {far}"));
        for (ns, end, address) in [(near, "near0", "10.9.0.1/24"), (far, "far0", "10.9.0.2/24")] {
            pair.ip(ns, &format!("address add {address} dev {end}"));
            pair.ip(ns, &format!("link set {end} up"));
        }
        pair
    }

    #[track_caller]
    pub(crate) fn ip(&self, ns: &str, arguments: &str) {
        run(Command::new("ip").args(["-n", ns]).args(arguments.split(' ')));
    }

    /// A command that will run in `ns`.
    pub(crate) fn within(&self, ns: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", ns, program]);
        command
    }

    /// Moves this thread to the near namespace, for good.
    pub(crate) fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.near)).unwrap();
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }

    pub(crate) fn ifindex(&self) -> u32 {
        self.link()["ifindex"].as_u64().unwrap().try_into().unwrap()
    }

    /// Frames that the kernel counted on `near0`, in and out.
    pub(crate) fn counted(&self) -> u64 {
        let stats = &self.link()["stats64"];
        stats["rx"]["packets"].as_u64().unwrap() + stats["tx"]["packets"].as_u64().unwrap()
    }

    /// What `ip` tells of `near0`.
    pub(crate) fn link(&self) -> serde_json::Value {
        let output =
            run(Command::new("ip")
                .args(["-n", &self.near, "-s", "-j", "-d", "link", "show", "near0"]));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()[0].clone()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for ns in [&self.near, &self.far] {
            let _gone = Command::new("ip").args(["netns", "delete", ns]).output();
        }
    }
}
