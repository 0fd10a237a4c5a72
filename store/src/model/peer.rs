//! One side of a call: its address, and the process that a system call names.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wire::Endpoint;

/// One side of a call. Times are those of system calls, none where they were not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Network address as this side's own socket or the tap nearest to it knows it.
    pub address: IpAddr,
    /// Transport port.
    pub port: u16,
    /// What people call it: its pod, container, unit or process. None where that is not known, and
    /// in traces that were kept before workloads had names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Arc<str>>,
    /// Who it was.
    pub process: Option<ProcessInfo>,
    /// When it began to send: client, the request; server, the response (entry of the system call,
    /// or the first packet where that is earlier than what the record says).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ns: Option<u64>,
    /// When it had received: client, the last byte of the response; server, the first of the
    /// request (return of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_ns: Option<u64>,
    /// Client: when it had received the first byte of the response (return of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_received_ns: Option<u64>,
    /// Server: when it had received the last byte of the request (return of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_received_ns: Option<u64>,
    /// When the last byte of the message that it sent had been handed to the kernel (return of the
    /// system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ns: Option<u64>,
}

impl Peer {
    /// Address and port.
    pub const fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.address, port: self.port }
    }

    /// The name of the workload; where it has none, that of the process.
    pub fn name(&self) -> Option<&str> {
        let process = || self.process.as_ref().map(|process| process.command.as_str());
        self.workload.as_deref().or_else(process)
    }
}

/// A thread of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// Process id in the initial namespace.
    pub pid: u32,
    /// Thread id in the initial namespace.
    pub tid: u32,
    /// Command name.
    pub command: String,
    /// Name of its control group where that is known, else its id.
    pub cgroup: Arc<str>,
}
