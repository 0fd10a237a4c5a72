//! Loading the programs that record calls on sockets, in each of their two ways, and reading all
//! that they recorded.

use std::time::Duration;

use wire::SockIo;
use xdp::{SocketRecords, SocketRecordsConfig, ensure_tracefs};

use crate::common::is_root;

/// Runs `test` with sends and receives recorded by system call and by socket tracepoints; says so
/// where it cannot.
pub(crate) fn each_way(name: &str, test: impl Fn(SocketRecordsConfig)) {
    if !is_root(name) {
        return;
    }
    for socket_tracepoints in [false, true] {
        eprintln!("{name}: socket tracepoints: {socket_tracepoints}");
        test(SocketRecordsConfig { socket_tracepoints, ..SocketRecordsConfig::default() });
    }
}

pub(crate) fn load(config: &SocketRecordsConfig) -> SocketRecords {
    ensure_tracefs().unwrap();
    let records = SocketRecords::load(config).unwrap();
    assert_eq!(records.missing(), []);
    records
}

pub(crate) fn everything(records: &mut SocketRecords) -> Vec<SockIo> {
    let mut all = Vec::new();
    while records.read(Duration::from_millis(100), &mut |io| all.push(io)).unwrap() > 0 {}
    all
}
