//! The names of the points of a call's path.

use store::{Call, Peer, Place, Point, ProcessInfo};

use crate::output::printable::printable;

/// The name of a point, safe for a terminal.
pub(super) fn name(call: &Call, point: &Point<'_>) -> String {
    let name = match point.place {
        Place::Client => process(&call.client),
        Place::Server => process(&call.server),
        Place::Hop(hop) => {
            let several_nodes = call.hops.iter().any(|other| other.node != hop.node);
            match several_nodes {
                true => format!("{}@{}", hop.tap, hop.node),
                false => hop.tap.to_string(),
            }
        }
    };
    printable(&name)
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

/// Command and process id of a side, else its address and port.
fn process(peer: &Peer) -> String {
    peer.process.as_ref().map_or_else(|| address(peer), command)
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
