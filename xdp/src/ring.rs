//! A ring buffer map and the counters beside it.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use aya::Ebpf;
use aya::maps::{MapData, MapError, PerCpuArray, RingBuf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::Error;

pub(crate) struct Ring {
    records: RingBuf<MapData>,
    counters: PerCpuArray<MapData, u64>,
    seen: Vec<u64>,
}

impl Ring {
    /// Takes the maps `records` and `counters` (with `kinds` counters) of `ebpf`.
    pub(crate) fn take(ebpf: &mut Ebpf, kinds: usize) -> Result<Self, Error> {
        Ok(Self {
            records: map(ebpf, "records")?,
            counters: map(ebpf, "counters")?,
            seen: vec![0; kinds],
        })
    }

    /// Hands at most `limit` waiting records to `each`, and returns their number.
    pub(crate) fn drain(&mut self, limit: usize, each: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < limit
            && let Some(record) = self.records.next()
        {
            each(&record);
            count += 1;
        }
        count
    }

    /// Waits until there is something to read; a signal ends the wait early.
    pub(crate) fn wait(&self, wait: Duration) -> io::Result<()> {
        let time_out = Timespec::try_from(wait)
            .unwrap_or(Timespec { tv_sec: i64::from(i32::MAX), tv_nsec: 0 });
        let mut fds = [PollFd::from_borrowed_fd(self.records.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&time_out)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// How much each counter grew since the last call.
    pub(crate) fn growth(&mut self) -> Result<Vec<u64>, MapError> {
        let mut grown = Vec::with_capacity(self.seen.len());
        for (index, seen) in (0u32..).zip(&mut self.seen) {
            let now: u64 = self.counters.get(&index, 0)?.iter().sum();
            grown.push(now.saturating_sub(*seen));
            *seen = now;
        }
        Ok(grown)
    }
}

/// Takes the map `name` of `ebpf`.
pub(crate) fn map<M: TryFrom<aya::maps::Map, Error = MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, Error> {
    ebpf.take_map(name)
        .ok_or_else(|| MapError::InvalidName { name: name.to_owned() })
        .and_then(M::try_from)
        .map_err(|source| Error::Map { what: name, source })
}
