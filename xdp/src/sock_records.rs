//! Records of what processes do to TCP sockets.

use std::time::Duration;

use aya::Ebpf;
use aya::maps::{Array, MapData};
use wire::SockIo;

use crate::clock::Clock;
use crate::error::{Error, Missing};
use crate::identities::Identities;
use crate::record::{self, Record};
use crate::ring::{self, Ring};
use crate::sock_config::SocketRecordsConfig;
use crate::sock_programs;

/// Length of `enum sock_io_counter`.
const COUNTERS: usize = 3;
/// Records taken from the ring at once at most.
const BATCH: usize = 16_384;

/// The kernel programs that record sends, receives, connects, accepts and closes of TCP sockets,
/// and the buffer from which their records are read. Dropping it takes the programs out of the
/// kernel.
///
/// Sends and receives are seen at their end in the socket layer (socket tracepoints), whatever
/// asked for them: system calls, `io_uring`, transfers of pages, on sockets of TCP and on those of
/// MPTCP with one connection. Where the kernel has no such tracepoints they are seen as system
/// calls, without `io_uring`, MPTCP, and 32-bit programs on a 64-bit kernel. Not seen either way:
/// sockets of the kernel itself, received pages mapped into memory, accepts and closes by
/// `io_uring`.
pub struct SocketRecords {
    ring: Ring,
    clock: Clock,
    latency: Duration,
    missing: Vec<Missing>,
    identities: Identities,
    epochs: Epochs,
    /// Records that were not understood, or whose thread or socket is not known.
    unusable: u64,
    // Owns the programs and their links.
    _ebpf: Ebpf,
}

/// The generation of identities, which the kernel programs compare with the one they told.
struct Epochs {
    map: Array<MapData, u32>,
    current: u32,
}

impl Epochs {
    fn start_next(&mut self) {
        self.current = self.current.wrapping_add(1);
        // Where that fails, what is forgotten stays so, and its records are counted as lost.
        let _unchanged = self.map.set(0, self.current, 0);
    }
}

impl SocketRecords {
    /// Loads and attaches the programs. What this kernel lacks is listed by
    /// [`missing`](Self::missing).
    ///
    /// # Errors
    /// When nothing can be recorded: the kernel has no BTF, refuses the maps, or every single
    /// program.
    pub fn load(config: &SocketRecordsConfig) -> Result<Self, Error> {
        let (mut ebpf, missing) = sock_programs::load(config)?;
        Ok(Self {
            ring: Ring::take(&mut ebpf, COUNTERS)?,
            clock: Clock::new(),
            latency: config.latency.max(Duration::from_millis(1)),
            missing,
            identities: Identities::new(config.identities),
            epochs: Epochs { map: ring::map(&mut ebpf, "epoch")?, current: 0 },
            unusable: 0,
            _ebpf: ebpf,
        })
    }

    /// What this kernel does not offer, and what is lost for it.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Hands the records that are ready to `each`, waiting at most `wait` for the first, and
    /// returns their number: 0 when none came. A call hands over a bounded number; call again for
    /// more. Records of one thread come in order.
    ///
    /// # Errors
    /// When the buffer cannot be waited for.
    pub fn read(&mut self, wait: Duration, each: &mut dyn FnMut(SockIo)) -> Result<usize, Error> {
        let mut left = wait;
        loop {
            self.clock.refresh();
            let mut count = 0;
            let taken = self.take(&mut |io| {
                count += 1;
                each(io);
            });
            if count > 0 || (taken == 0 && left.is_zero()) {
                return Ok(count);
            }
            if taken > 0 {
                continue;
            }
            // Below the wake-up mark nobody wakes us, so look again after the latency.
            let slice = left.min(self.latency);
            self.ring.wait(slice).map_err(|source| Error::Io {
                what: "waiting for socket records".to_owned(),
                source,
            })?;
            left = left.saturating_sub(slice);
        }
    }

    /// Takes what is in the ring, and returns how many records it was, those of threads and sockets
    /// included.
    fn take(&mut self, each: &mut dyn FnMut(SockIo)) -> usize {
        let Self { ring, clock, identities, epochs, unusable, .. } = self;
        ring.drain(BATCH, &mut |bytes| {
            let next_generation = match record::read(bytes, clock) {
                Some(Record::Thread(process)) => identities.set_thread(process),
                Some(Record::Socket { cookie, ends }) => identities.set_socket(cookie, ends),
                Some(Record::Whole(io)) => {
                    each(io);
                    false
                }
                Some(Record::Bytes(moved)) => {
                    match identities.complete(&moved, clock) {
                        Some(io) => each(io),
                        None => *unusable += 1,
                    }
                    false
                }
                None => {
                    *unusable += 1;
                    false
                }
            };
            if next_generation {
                epochs.start_next();
            }
        })
    }

    /// Records lost since the last call: no room in the ring buffer, no memory for the state of a
    /// thread or a socket, no place in TCP's stream (MPTCP over several connections), a thread or
    /// a socket that was forgotten, or not understood.
    pub fn drops(&mut self) -> u64 {
        let lost: u64 = self.ring.growth().unwrap_or_default().iter().sum();
        lost + std::mem::take(&mut self.unusable)
    }
}
