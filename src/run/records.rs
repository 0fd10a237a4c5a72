//! The thread that reads the records of system calls and sends them to the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wire::SockIo;
use xdp::SocketRecords;

use super::cgroup_names::{CgroupNames, read_proc};
use crate::clock::Stopwatch;
use crate::live::{Shared, StoreMessage, StoreSender};

/// How long the thread waits for records before it checks whether the run ends.
const WAIT: Duration = Duration::from_millis(100);
/// How long at most the records that wait in the kernel are read at the end.
const DRAIN: Duration = Duration::from_secs(5);
/// Records sent at once.
const BATCH: usize = 512;

/// How many records were read and lost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecordsReport {
    pub(super) read: u64,
    pub(super) dropped_by_kernel: u64,
    pub(super) dropped_by_queue: u64,
}

struct Reader<'a> {
    shared: &'a Shared,
    sender: &'a StoreSender,
    batch: Vec<SockIo>,
    cgroups: CgroupNames<fn(u32) -> Option<String>>,
    report: RecordsReport,
}

/// Reads records until `until` is set: while the run ends the shards still analyse the frames that
/// wait, of which the store wants to know the processes.
pub(super) fn read(
    mut records: SocketRecords,
    sender: &StoreSender,
    shared: &Shared,
    until: &AtomicBool,
) -> RecordsReport {
    let cgroups = CgroupNames::new(read_proc as fn(u32) -> Option<String>);
    let report = RecordsReport::default();
    let mut reader = Reader { shared, sender, batch: Vec::new(), cgroups, report };
    let mut since_end = None;
    loop {
        let last = until.load(Ordering::Relaxed);
        let wait = if last { Duration::ZERO } else { WAIT };
        let count =
            records.read(wait, &mut |record| reader.on_record(record)).unwrap_or_else(|error| {
                tracing::error!("system calls are not recorded any more: {error}");
                0
            });
        reader.flush(shared.stopping());
        let drops = records.drops();
        shared.metrics.add_ebpf_records(count as u64, drops);
        reader.report.read += count as u64;
        reader.report.dropped_by_kernel += drops;
        if last {
            // One read hands over a bounded number, and processes go on meanwhile.
            let since = since_end.get_or_insert_with(Stopwatch::start);
            if count == 0 || since.elapsed() > DRAIN {
                return reader.report;
            }
        }
    }
}

impl Reader<'_> {
    fn on_record(&mut self, record: SockIo) {
        self.add_cgroup(&record);
        self.shared.names.add_process(&record);
        self.batch.push(record);
        if self.batch.len() >= BATCH {
            self.flush(self.shared.stopping());
        }
    }

    /// Passes the name of the process's control group on ahead of the first record that needs it.
    fn add_cgroup(&mut self, SockIo { process, exit, .. }: &SockIo) {
        let Some(name) = self.cgroups.look_up(process, *exit) else { return };
        self.shared.names.add_cgroup(process.cgroup, &name);
        match self.sender.try_send(StoreMessage::Cgroup(process.cgroup, name)) {
            Ok(()) => self.cgroups.set_named(process.cgroup),
            Err(_) => self.cgroups.set_failed(process, *exit),
        }
    }

    fn flush(&mut self, wait: bool) {
        if self.batch.is_empty() {
            return;
        }
        let message = StoreMessage::SocketRecords(std::mem::take(&mut self.batch));
        if wait {
            self.sender.send(message);
        } else if let Err(StoreMessage::SocketRecords(lost)) = self.sender.try_send(message) {
            self.report.dropped_by_queue += lost.len() as u64;
            self.shared.metrics.add_channel_drops(lost.len() as u64);
        }
    }
}
