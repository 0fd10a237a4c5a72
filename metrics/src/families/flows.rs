//! Families of flows of every transport.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use wire::Direction;

use super::edge_family::EdgeFamily;
use super::info::table;
use crate::edge::Edge;
use crate::tally::FlowTally;

table! {
    /// Flows of every transport.
    pub(crate) struct Flows {
        bytes: EdgeFamily<Counter>, "flow_bytes", ["direction"],
            "Bytes of the innermost IP packets, headers included";
        packets: EdgeFamily<Counter>, "flow_packets", ["direction"],
            "Packets";
        opened: EdgeFamily<Counter>, "flows_opened", [],
            "Flows opened, counted a second after the first packet or when they end";
        closed: EdgeFamily<Counter>, "flows_closed", ["reason"],
            "Flows that ended, by reason";
        active: EdgeFamily<Gauge>, "flows_active", [],
            "Flows that are open; those shorter than a second may never show";
    }
}

impl Flows {
    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &FlowTally) {
        if tally.opened > 0 {
            self.opened.get_or_create(edge, []).inc_by(tally.opened);
        }
        for &(reason, count) in &tally.closed {
            self.closed.get_or_create(edge, [reason.as_str().into()]).inc_by(count);
        }
        if let Some(change) = tally.active {
            self.active.get_or_create(edge, []).inc_by(change);
        }
        for direction in Direction::BOTH {
            let traffic = &tally.traffic[direction];
            if traffic.packets > 0 {
                let direction = || [direction.as_str().into()];
                self.packets.get_or_create(edge, direction()).inc_by(traffic.packets);
                self.bytes.get_or_create(edge, direction()).inc_by(traffic.ip_bytes);
            }
        }
    }
}
