use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use wire::SockIo;
use xdp::SocketRecords;

use crate::live::Shared;
use crate::live::{Message, ToKeeper};

/// How long the reader waits before it looks whether it shall end.
const WAIT: Duration = Duration::from_millis(100);
/// Records sent at once.
const BATCH: usize = 512;
/// Control groups whose name was told.
const MAX_CGROUPS: usize = 65_536;

/// Records of system calls that were read and lost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecordsReport {
    pub(super) read: u64,
    pub(super) dropped_by_kernel: u64,
    pub(super) dropped_by_queue: u64,
}

struct Reader<'a> {
    shared: &'a Shared,
    keeper: &'a ToKeeper,
    batch: Vec<SockIo>,
    cgroups: HashSet<u64>,
    report: RecordsReport,
}

/// Reads records of system calls until the run ends, and passes them on.
pub(super) fn read(mut records: SocketRecords, keeper: &ToKeeper, shared: &Arc<Shared>) -> RecordsReport {
    let mut reader = Reader {
        shared,
        keeper,
        batch: Vec::new(),
        cgroups: HashSet::new(),
        report: RecordsReport::default(),
    };
    loop {
        let last = shared.stopping();
        let wait = if last { Duration::ZERO } else { WAIT };
        let count = records.read(wait, &mut |record| reader.take(record)).unwrap_or_else(|error| {
            tracing::error!("system calls are not recorded any more: {error}");
            0
        });
        reader.send(last);
        let drops = records.drops();
        shared.metrics.ebpf(count as u64, drops);
        reader.report.read += count as u64;
        reader.report.dropped_by_kernel += drops;
        if last {
            return reader.report;
        }
    }
}

impl Reader<'_> {
    fn take(&mut self, record: SockIo) {
        self.shared.names.learn(&record);
        let cgroup = record.process.cgroup;
        if cgroup != 0 && self.cgroups.len() < MAX_CGROUPS && !self.cgroups.contains(&cgroup) {
            self.name(cgroup, record.process.pid);
        }
        self.batch.push(record);
        if self.batch.len() >= BATCH {
            self.send(self.shared.stopping());
        }
    }

    /// Finds the name of a control group through a process in it. One that is gone already leaves it to the next.
    fn name(&mut self, cgroup: u64, pid: u32) {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/cgroup")) else { return };
        let Some(name) = text.lines().find_map(|line| line.strip_prefix("0::")) else { return };
        if self.keeper.offer(Message::Cgroup(cgroup, name.to_owned())).is_ok() {
            self.cgroups.insert(cgroup);
        }
    }

    fn send(&mut self, wait: bool) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        if wait {
            self.keeper.push(Message::Records(batch));
        } else if let Err(Message::Records(lost)) = self.keeper.offer(Message::Records(batch)) {
            self.report.dropped_by_queue += lost.len() as u64;
            self.shared.metrics.channel_dropped(lost.len() as u64);
        }
    }
}
