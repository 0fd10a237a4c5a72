//! The hops of a call.

use store::{Call, Peer, ProcessInfo};

/// One point of a call's path: the client's process, a tap, or the server's process.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) is_process: bool,
    /// When the request passed, in nanoseconds since the epoch.
    pub(super) request: Option<u64>,
    /// When the response passed.
    pub(super) response: Option<u64>,
    /// Time since the point before on the request's way.
    pub(super) request_step: Option<u64>,
    /// Time since the point before on the response's way, which is the next one of the list.
    pub(super) response_step: Option<u64>,
    pub(super) retransmissions: u64,
    pub(super) missing_bytes: u64,
}

/// The points of a call in the order of the request's path.
pub(super) fn points(call: &Call) -> Vec<Point> {
    let several_nodes = call.hops.windows(2).any(|pair| pair[0].node != pair[1].node);
    let mut points = Vec::with_capacity(call.hops.len() + 2);
    points.extend(process(&call.client, "client", call.client.sent_ns, call.client.received_ns));
    points.extend(call.hops.iter().map(|hop| Point {
        name: if several_nodes { format!("{}@{}", hop.tap, hop.node) } else { hop.tap.to_string() },
        kind: hop.kind.as_str(),
        is_process: false,
        request: hop.request_ns,
        response: hop.response_ns,
        request_step: None,
        response_step: None,
        retransmissions: hop.retransmissions,
        missing_bytes: hop.tcp.missing_bytes,
    }));
    points.extend(process(&call.server, "server", call.server.received_ns, call.server.sent_ns));
    for i in 1..points.len() {
        points[i].request_step = step(points[i - 1].request, points[i].request);
        points[i - 1].response_step = step(points[i].response, points[i - 1].response);
    }
    points
}

fn process(
    peer: &Peer,
    kind: &'static str,
    request: Option<u64>,
    response: Option<u64>,
) -> Option<Point> {
    let process = peer.process.as_ref()?;
    Some(Point {
        name: command(process),
        kind,
        is_process: true,
        request,
        response,
        request_step: None,
        response_step: None,
        retransmissions: 0,
        missing_bytes: 0,
    })
}

/// Workload and process of a side; what is known of them, else its address and port.
pub(super) fn who(peer: &Peer) -> String {
    match (peer.workload.as_deref(), &peer.process) {
        (Some(workload), Some(process)) if *workload != *process.command => {
            format!("{workload} {}", command(process))
        }
        (_, Some(process)) => command(process),
        (Some(workload), None) => workload.to_owned(),
        (None, None) => address(peer),
    }
}

/// Command and process id.
fn command(process: &ProcessInfo) -> String {
    format!("{}[{}]", process.command, process.pid)
}

/// Whether more is known of a side than its address and port.
pub(super) const fn is_named(peer: &Peer) -> bool {
    peer.workload.is_some() || peer.process.is_some()
}

/// Address and port of a side.
pub(super) fn address(peer: &Peer) -> String {
    peer.endpoint().to_string()
}

/// Time between two points; none where one is unknown. Clocks of system calls and packets differ a
/// little, so a step that would be negative is 0.
fn step(from: Option<u64>, to: Option<u64>) -> Option<u64> {
    Some(to?.saturating_sub(from?))
}
