//! Names of the control groups that processes are in, from `/proc/PID/cgroup`.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use wire::{Process, Timestamp};

/// Control groups whose name is known.
const MAX_NAMED: usize = 65_536;
/// Processes without an answer that are remembered: 24 bytes each, twice.
const MAX_UNANSWERED: usize = 4096;
/// How long a process without an answer is not asked about again. Most are gone for good; the group
/// of the others has its name at the next process in it, or after this time.
const RETRY: Duration = Duration::from_secs(5);

/// Finds the name of each control group once. A process that gives no name (it is gone, or belongs
/// to a hierarchy of version 1 only) is not asked about at every record that it makes.
pub(super) struct CgroupNames<R> {
    /// Reads `/proc/PID/cgroup`.
    read: R,
    named: HashSet<u64>,
    unanswered: HashSet<(u64, u32)>,
    /// Group, process and time of the records in `unanswered`, the oldest in front.
    asked: VecDeque<((u64, u32), Timestamp)>,
}

/// Reads `/proc/PID/cgroup`; none where the process is gone.
pub(super) fn read_proc(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()
}

impl<R: FnMut(u32) -> Option<String>> CgroupNames<R> {
    pub(super) fn new(read: R) -> Self {
        let (named, unanswered) = (HashSet::new(), HashSet::new());
        Self { read, named, unanswered, asked: VecDeque::new() }
    }

    /// The name of the group of `process`, of which there is a record at `now`; none where the name
    /// is known already, or there is none to be had.
    pub(super) fn find(&mut self, process: &Process, now: Timestamp) -> Option<String> {
        let (cgroup, key) = (process.cgroup, (process.cgroup, process.pid));
        if cgroup == 0 || self.named.len() >= MAX_NAMED || self.named.contains(&cgroup) {
            return None;
        }
        self.forget(now);
        if self.unanswered.contains(&key) {
            return None;
        }
        let text = (self.read)(process.pid);
        let name = text.as_deref().and_then(unified);
        if name.is_none() {
            self.set_unanswered(process, now);
        }
        name.map(str::to_owned)
    }

    /// Notes that the name of a group has reached the store.
    pub(super) fn set_named(&mut self, cgroup: u64) {
        self.named.insert(cgroup);
    }

    /// Notes that `process` is not to be asked about for a while.
    pub(super) fn set_unanswered(&mut self, process: &Process, now: Timestamp) {
        let key = (process.cgroup, process.pid);
        if self.unanswered.insert(key) {
            self.asked.push_back((key, now));
        }
    }

    /// Removes what is older than [`RETRY`], and makes room for one more.
    fn forget(&mut self, now: Timestamp) {
        let retry = u64::try_from(RETRY.as_nanos()).unwrap_or(u64::MAX);
        while let Some(&(key, then)) = self.asked.front() {
            if now.nanos_since(then) < retry && self.asked.len() < MAX_UNANSWERED {
                break;
            }
            self.asked.pop_front();
            self.unanswered.remove(&key);
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
    fn a_process_without_an_answer_is_asked_about_once() {
        let mut reads = Vec::new();
        let mut names = CgroupNames::new(|pid| {
            reads.push(pid);
            (pid == 3).then(|| "12:pids:/x\n0::/system.slice/a.service\n".to_owned())
        });
        for millis in 0..1000 {
            assert_eq!(names.find(&process(7, 1), at(millis)), None);
            assert_eq!(names.find(&process(7, 2), at(millis)), None);
        }
        let name = names.find(&process(7, 3), at(1000));
        assert_eq!(name.as_deref(), Some("/system.slice/a.service"), "another process knows it");
        names.set_named(7);
        assert_eq!(names.find(&process(7, 4), at(20_000)), None);
        assert_eq!(reads, [1, 2, 3]);
    }

    #[test]
    fn a_process_is_asked_about_again_after_a_while() {
        let mut reads = 0;
        let mut names = CgroupNames::new(|_| {
            reads += 1;
            Some("3:cpu:/only/version/1\n".to_owned())
        });
        for millis in [0, 1, 4999, 5000, 5001, 9999, 10_000] {
            assert_eq!(names.find(&process(7, 1), at(millis)), None);
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
            if names.find(&process(7, 1), at(millis)).is_some() {
                names.set_unanswered(&process(7, 1), at(millis));
            }
        }
        assert!(names.find(&process(7, 1), at(6000)).is_some());
        assert_eq!(reads, 2);
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = CgroupNames::new(|_| None);
        for pid in 0..100_000 {
            names.find(&process(7, pid), at(0));
        }
        assert_eq!((names.asked.len(), names.unanswered.len()), (MAX_UNANSWERED, MAX_UNANSWERED));
    }
}
