//! Names of the control groups that processes are in, from `/proc/PID/cgroup`.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use wire::{Process, Timestamp};

/// Control groups whose names were sent, at most. Groups beyond that keep their numbers.
const MAX_NAMED: usize = 65_536;
/// Failed look-ups that are remembered, at most: about 50 bytes each.
const MAX_FAILED: usize = 4096;
/// How long a failed look-up is not repeated. Most of these processes have ended and never have a
/// name; the group of the others gets its name from another process in it, or after this time.
const RETRY: Duration = Duration::from_secs(5);

/// A group and a process in it.
type Member = (u64, u32);

/// Looks the name of each control group up once. A process without a name (it has ended, or is in
/// hierarchies of version 1 only) costs one read in [`RETRY`], not one for each of its records.
pub(super) struct CgroupNames<R> {
    /// Reads `/proc/PID/cgroup`.
    read: R,
    named: HashSet<u64>,
    failed: HashSet<Member>,
    /// What is in `failed`, with the time of the look-up, the oldest in front.
    failed_at: VecDeque<(Member, Timestamp)>,
}

/// Reads `/proc/PID/cgroup`; none where the process is gone.
pub(super) fn read_proc(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()
}

impl<R: FnMut(u32) -> Option<String>> CgroupNames<R> {
    pub(super) fn new(read: R) -> Self {
        let (named, failed) = (HashSet::new(), HashSet::new());
        Self { read, named, failed, failed_at: VecDeque::new() }
    }

    /// The name of the group of `process`, which made a record at `now`; none where the name was
    /// sent already, or cannot be had at present.
    pub(super) fn look_up(&mut self, process: &Process, now: Timestamp) -> Option<String> {
        let cgroup = process.cgroup;
        if cgroup == 0 || self.named.len() >= MAX_NAMED || self.named.contains(&cgroup) {
            return None;
        }
        self.expire(now);
        if self.failed.contains(&(cgroup, process.pid)) {
            return None;
        }
        let text = (self.read)(process.pid);
        let name = text.as_deref().and_then(unified);
        if name.is_none() {
            self.set_failed(process, now);
        }
        name.map(str::to_owned)
    }

    /// Notes that the name of a group was sent.
    pub(super) fn set_named(&mut self, cgroup: u64) {
        self.named.insert(cgroup);
    }

    /// Notes that the name of the process's group could not be had, or not be sent.
    pub(super) fn set_failed(&mut self, process: &Process, now: Timestamp) {
        let member = (process.cgroup, process.pid);
        if self.failed.insert(member) {
            self.failed_at.push_back((member, now));
        }
    }

    /// Removes look-ups that are older than [`RETRY`], and makes room for one more.
    fn expire(&mut self, now: Timestamp) {
        let retry = u64::try_from(RETRY.as_nanos()).unwrap_or(u64::MAX);
        while let Some(&(member, then)) = self.failed_at.front() {
            if now.nanos_since(then) < retry && self.failed_at.len() < MAX_FAILED {
                break;
            }
            self.failed_at.pop_front();
            self.failed.remove(&member);
        }
    }
}

/// The group in the unified hierarchy (cgroups(7), "/proc/pid/cgroup": hierarchy 0, no
/// controllers).
fn unified(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(cgroup: u64, pid: u32) -> Process {
        Process { pid, tid: pid, command: [0; 16], cgroup }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_process_without_a_name_is_read_once() {
        let mut reads = Vec::new();
        let mut names = CgroupNames::new(|pid| {
            reads.push(pid);
            (pid == 3).then(|| "12:pids:/x\n0::/system.slice/a.service\n".to_owned())
        });
        for millis in 0..1000 {
            assert_eq!(names.look_up(&process(7, 1), at(millis)), None);
            assert_eq!(names.look_up(&process(7, 2), at(millis)), None);
        }
        let name = names.look_up(&process(7, 3), at(1000));
        assert_eq!(name.as_deref(), Some("/system.slice/a.service"), "another process knows it");
        names.set_named(7);
        assert_eq!(names.look_up(&process(7, 4), at(20_000)), None);
        assert_eq!(reads, [1, 2, 3]);
    }

    #[test]
    fn a_process_is_read_again_after_a_while() {
        let mut reads = 0;
        let mut names = CgroupNames::new(|_| {
            reads += 1;
            Some("3:cpu:/only/version/1\n".to_owned())
        });
        for millis in [0, 1, 4999, 5000, 5001, 9999, 10_000] {
            assert_eq!(names.look_up(&process(7, 1), at(millis)), None);
        }
        assert_eq!(reads, 3);
    }

    #[test]
    fn a_name_that_found_no_room_is_read_again_later_only() {
        let mut reads = 0;
        let mut names = CgroupNames::new(|_| {
            reads += 1;
            Some("0::/a\n".to_owned())
        });
        for millis in 0..100 {
            if names.look_up(&process(7, 1), at(millis)).is_some() {
                names.set_failed(&process(7, 1), at(millis));
            }
        }
        assert!(names.look_up(&process(7, 1), at(6000)).is_some());
        assert_eq!(reads, 2);
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = CgroupNames::new(|_| None);
        for pid in 0..100_000 {
            names.look_up(&process(7, pid), at(0));
        }
        assert_eq!((names.failed_at.len(), names.failed.len()), (MAX_FAILED, MAX_FAILED));
    }
}
