//! Records of what processes do to TCP sockets.

use std::io::Read;
use std::time::Duration;

use aya::programs::{BtfTracePoint, Iter, ProgramError, TracePoint};
use aya::{Btf, Ebpf, EbpfLoader};
use wire::SockIo;

use crate::clock::Clock;
use crate::error::{Error, Missing, causes};
use crate::object;
use crate::program::program;
use crate::record;
use crate::ring::Ring;
use crate::tracefs;

/// Length of `ignored_pids` in the kernel program.
const IGNORED: usize = 8;
/// Length of `enum sock_io_counter`.
const COUNTERS: usize = 2;
/// Records handed over by one call of [`SocketRecords::read`] at most.
const BATCH: usize = 16_384;

/// System calls that are followed, and what is lost without the pair of tracepoints.
const CALLS: [(&str, &str); 16] = [
    ("read", "bytes that processes read"),
    ("readv", "bytes that processes read"),
    ("recvfrom", "bytes that processes read with recv"),
    ("recvmsg", "bytes that processes read with recvmsg"),
    ("recvmmsg", "bytes that processes read with recvmmsg"),
    ("write", "bytes that processes write"),
    ("writev", "bytes that processes write"),
    ("sendto", "bytes that processes write with send"),
    ("sendmsg", "bytes that processes write with sendmsg"),
    ("sendmmsg", "bytes that processes write with sendmmsg"),
    ("sendfile64", "bytes that processes send from files"),
    ("splice", "bytes that processes splice"),
    ("connect", "which thread opened a connection"),
    ("accept", "which thread accepted a connection"),
    ("accept4", "which thread accepted a connection"),
    ("close", "when a process closed a connection"),
];

/// How the records are made and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketRecordsConfig {
    /// Size of the ring buffer in bytes; made a power of two and a multiple of the page size. A
    /// record takes 112 bytes.
    pub ring_bytes: u32,
    /// Processes, by their ids in the initial pid namespace, whose calls are not recorded, besides
    /// this one; 7 at most, the rest is not heeded.
    pub ignore: Vec<u32>,
    /// A waiting reader is woken when this part of the ring is filled, in percent; 0 wakes it for
    /// every record.
    pub wake_percent: u8,
    /// Longest time that a record waits for the reader when the ring is filled less than that.
    pub latency: Duration,
}

impl Default for SocketRecordsConfig {
    /// 8 MiB (some 75,000 records), a reader that looks every 20 ms, woken earlier when the ring is
    /// filled by a quarter.
    fn default() -> Self {
        Self {
            ring_bytes: 8 << 20,
            ignore: Vec::new(),
            wake_percent: 25,
            latency: Duration::from_millis(20),
        }
    }
}

/// The kernel programs that record system calls on TCP sockets, and the buffer from which their
/// records are read. Dropping it takes the programs out of the kernel.
///
/// Not seen: bytes that move without one of the system calls above, as with `io_uring` and kernel
/// sockets; calls of 32-bit programs on a 64-bit kernel; sockets that are not TCP (MPTCP included).
pub struct SocketRecords {
    ring: Ring,
    clock: Clock,
    latency: Duration,
    missing: Vec<Missing>,
    malformed: u64,
    // Owns the programs and their links.
    _ebpf: Ebpf,
}

impl SocketRecords {
    /// Loads and attaches the programs. What this kernel lacks is listed by
    /// [`missing`](Self::missing).
    ///
    /// # Errors
    /// When nothing can be recorded: the kernel has no BTF, refuses the maps, or every single
    /// program.
    pub fn load(config: &SocketRecordsConfig) -> Result<Self, Error> {
        let btf = Btf::from_sys_fs().map_err(Error::NoBtf)?;
        let mut ignored = [0; IGNORED];
        let own = std::iter::once(std::process::id());
        for (slot, pid) in
            ignored.iter_mut().zip(own.chain(config.ignore.iter().copied().filter(|&pid| pid != 0)))
        {
            *slot = pid;
        }
        let wakeup = u64::from(config.ring_bytes) * u64::from(config.wake_percent.min(100)) / 100;
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .allow_unsupported_maps()
            .map_max_entries("records", config.ring_bytes)
            .override_global("ignored_pids", &ignored, true)
            .override_global("wakeup_bytes", &wakeup, true)
            .load(object::SOCK_IO)
            .map_err(|source| Error::Load { what: "socket records", source })?;

        let mut missing = Vec::new();
        if !tracefs::is_mounted() {
            missing.push(Missing {
                what: "tracefs is not mounted".to_owned(),
                consequence: "system calls cannot be recorded".to_owned(),
                remedy: format!("mount -t tracefs tracefs {}", tracefs::TRACEFS),
            });
        }
        if let Err(error) = cookies_of_new_sockets(&mut ebpf, &btf) {
            missing.push(no_cookies("new", &error));
        }
        if let Err(error) = cookies_of_old_sockets(&mut ebpf, &btf) {
            missing.push(no_cookies("existing", error.as_ref()));
        }
        let mut attached = 0;
        for (call, consequence) in CALLS {
            match follow(&mut ebpf, call) {
                Ok(()) => attached += 1,
                Err(error) => missing.push(Missing {
                    what: format!("tracepoints of the system call {call}: {}", causes(&error)),
                    consequence: format!("not recorded: {consequence}"),
                    remedy:
                        "a kernel with CONFIG_FTRACE_SYSCALLS and tracefs mounted, CAP_BPF and CAP_PERFMON"
                            .to_owned(),
                }),
            }
        }
        if attached == 0 {
            return Err(Error::NothingAttached(missing));
        }
        let ring = Ring::take(&mut ebpf, COUNTERS)?;
        let latency = config.latency.max(Duration::from_millis(1));
        Ok(Self { ring, clock: Clock::new(), latency, missing, malformed: 0, _ebpf: ebpf })
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
            let Self { ring, clock, malformed, .. } = self;
            let count = ring.drain(BATCH, &mut |bytes| match record::sock_io(bytes, clock) {
                Some(io) => each(io),
                None => *malformed += 1,
            });
            if count > 0 || left.is_zero() {
                return Ok(count);
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

    /// Records lost since the last call: no room in the ring buffer, no memory for a thread's
    /// state, or not understood.
    pub fn drops(&mut self) -> u64 {
        let lost: u64 = self.ring.growth().unwrap_or_default().iter().sum();
        lost + std::mem::take(&mut self.malformed)
    }
}

fn no_cookies(which: &str, error: &dyn std::error::Error) -> Missing {
    Missing {
        what: format!("cookies for {which} sockets: {}", causes(error)),
        consequence: format!(
            "{which} sockets are told apart by their address in the kernel, which is used again after they are gone"
        ),
        remedy: "a kernel of 5.12 or newer that lets programs of type tracing be loaded".to_owned(),
    }
}

fn follow(ebpf: &mut Ebpf, call: &str) -> Result<(), ProgramError> {
    // The exit first: an entry whose exit is not seen would be taken for one still under way.
    for side in ["exit", "enter"] {
        let program: &mut TracePoint = program(ebpf, &format!("{side}_{call}"))?;
        program.load()?;
        program.attach("syscalls", &format!("sys_{side}_{call}"))?;
    }
    Ok(())
}

fn cookies_of_new_sockets(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut BtfTracePoint = program(ebpf, "cookie_on_state")?;
    program.load("inet_sock_set_state", btf)?;
    program.attach()?;
    Ok(())
}

fn cookies_of_old_sockets(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), Box<dyn std::error::Error>> {
    let program: &mut Iter = program(ebpf, "cookie_of_file")?;
    program.load("task_file", btf)?;
    let link = program.attach()?;
    let mut run = program.take_link(link)?.into_file()?;
    // The program prints nothing; reading to the end is what runs it.
    run.read_to_end(&mut Vec::new())?;
    Ok(())
}
