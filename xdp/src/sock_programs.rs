//! Loads and attaches the programs that record what processes do to TCP sockets.

use std::io::Read;

use aya::programs::{BtfTracePoint, Iter, ProgramError, TracePoint};
use aya::{Btf, Ebpf, EbpfLoader};
use aya_obj::btf::BtfKind;

use crate::error::{Error, Missing, causes};
use crate::object;
use crate::program::program;
use crate::sock_config::SocketRecordsConfig;
use crate::tracefs;

/// Length of `ignored_pids` in the kernel program.
const IGNORED: usize = 8;

/// Programs at the end of every send and of every receive, and their tracepoints.
const SOCKET_TRACEPOINTS: [(&str, &str); 2] =
    [("bytes_sent", "sock_send_length"), ("bytes_received", "sock_recv_length")];

/// Which socket tracepoints make the pair of a system call needless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Covered {
    /// None: they do not see what it does.
    Never,
    /// Those of every kernel that has them.
    Always,
    /// Those of kernels that send files and pipes like all else (Linux 6.5).
    WithPages,
}

/// System calls that are followed, and what is lost without the pair of tracepoints.
const CALLS: [(&str, Covered, &str); 16] = [
    ("read", Covered::Always, "bytes that processes read"),
    ("readv", Covered::Always, "bytes that processes read"),
    ("recvfrom", Covered::Always, "bytes that processes read with recv"),
    ("recvmsg", Covered::Always, "bytes that processes read with recvmsg"),
    ("recvmmsg", Covered::Always, "bytes that processes read with recvmmsg"),
    ("write", Covered::Always, "bytes that processes write"),
    ("writev", Covered::Always, "bytes that processes write"),
    ("sendto", Covered::Always, "bytes that processes write with send"),
    ("sendmsg", Covered::Always, "bytes that processes write with sendmsg"),
    ("sendmmsg", Covered::Always, "bytes that processes write with sendmmsg"),
    ("sendfile64", Covered::WithPages, "bytes that processes send from files"),
    ("splice", Covered::Never, "bytes that processes splice"),
    ("connect", Covered::Never, "which thread opened a connection"),
    ("accept", Covered::Never, "which thread accepted a connection"),
    ("accept4", Covered::Never, "which thread accepted a connection"),
    ("close", Covered::Never, "when a process closed a connection"),
];

/// Loads and attaches the programs; also returns what this kernel lacks.
pub(crate) fn load(config: &SocketRecordsConfig) -> Result<(Ebpf, Vec<Missing>), Error> {
    let btf = Btf::from_sys_fs().map_err(Error::NoBtf)?;
    let pages = btf.id_by_type_name_kind("splice_to_socket", BtfKind::Func).is_ok();
    let mut by_sockets = config.socket_tracepoints;
    let (mut ebpf, mut missing) = prepare(config, &btf, by_sockets, pages)?;
    if by_sockets && let Err(error) = trace_sockets(&mut ebpf, &btf) {
        by_sockets = false;
        (ebpf, missing) = prepare(config, &btf, by_sockets, pages)?;
        missing.push(Missing {
            what: format!("socket tracepoints: {}", causes(&error)),
            consequence:
                "sends and receives are recorded by system call: io_uring and MPTCP are not seen, \
                          and a record costs more"
                    .to_owned(),
            remedy: "a kernel of 6.3 or newer".to_owned(),
        });
    }
    if !tracefs::is_mounted() {
        missing.push(Missing {
            what: "tracefs is not mounted".to_owned(),
            consequence: "system calls cannot be recorded".to_owned(),
            remedy: format!("mount -t tracefs tracefs {}", tracefs::TRACEFS),
        });
    }
    let mut attached = by_sockets;
    for (call, covered, consequence) in CALLS {
        let needless = match covered {
            Covered::Never => false,
            Covered::Always => by_sockets,
            Covered::WithPages => by_sockets && pages,
        };
        if needless {
            continue;
        }
        match follow(&mut ebpf, call) {
            Ok(()) => attached = true,
            Err(error) => missing.push(Missing {
                what: format!("tracepoints of the system call {call}: {}", causes(&error)),
                consequence: format!("not recorded: {consequence}"),
                remedy:
                    "a kernel with CONFIG_FTRACE_SYSCALLS and tracefs mounted, CAP_BPF and CAP_PERFMON"
                        .to_owned(),
            }),
        }
    }
    if attached { Ok((ebpf, missing)) } else { Err(Error::NothingAttached(missing)) }
}

/// Loads the object, and gives every socket its cookie.
fn prepare(
    config: &SocketRecordsConfig,
    btf: &Btf,
    by_sockets: bool,
    pages: bool,
) -> Result<(Ebpf, Vec<Missing>), Error> {
    let mut ignored = [0; IGNORED];
    let own = std::iter::once(std::process::id());
    for (slot, pid) in
        ignored.iter_mut().zip(own.chain(config.ignore.iter().copied().filter(|&pid| pid != 0)))
    {
        *slot = pid;
    }
    let wakeup = u64::from(config.ring_bytes) * u64::from(config.wake_percent.min(100)) / 100;
    let mut ebpf = EbpfLoader::new()
        .btf(Some(btf))
        .allow_unsupported_maps()
        .map_max_entries("records", config.ring_bytes)
        .override_global("ignored_pids", &ignored, true)
        .override_global("wakeup_bytes", &wakeup, true)
        .override_global("socket_tracepoints", &u8::from(by_sockets), true)
        .override_global("pages_by_sendmsg", &u8::from(pages), true)
        .load(object::SOCK_IO)
        .map_err(|source| Error::Load { what: "socket records", source })?;
    let mut missing = Vec::new();
    if let Err(error) = cookies_of_new_sockets(&mut ebpf, btf) {
        missing.push(no_cookies("new", &error));
    }
    if let Err(error) = cookies_of_old_sockets(&mut ebpf, btf) {
        missing.push(no_cookies("existing", error.as_ref()));
    }
    Ok((ebpf, missing))
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

fn trace_sockets(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), ProgramError> {
    // Both are loaded before one of them records.
    for (name, tracepoint) in SOCKET_TRACEPOINTS {
        program::<BtfTracePoint>(ebpf, name)?.load(tracepoint, btf)?;
    }
    for (name, _) in SOCKET_TRACEPOINTS {
        program::<BtfTracePoint>(ebpf, name)?.attach()?;
    }
    Ok(())
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
    let program: &mut BtfTracePoint = program(ebpf, "on_state")?;
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
