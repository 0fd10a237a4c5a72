//! Makes the record of a flow.

use wire::{PerDirection, Side, Timestamp};

use super::Flow;
use fact::{CloseReason, DirectionRecord, FlowRecord, FlowState, TunnelRecord};

/// Everything measured on `flow` as of `now`, in the given state.
pub(crate) fn record(
    flow: &Flow,
    now: Timestamp,
    state: FlowState,
    reason: Option<CloseReason>,
) -> FlowRecord {
    let client = flow.client();
    let connection = flow.connection.as_ref();
    FlowRecord {
        id: flow.id,
        tap: flow.key.tap,
        transport: flow.key.transport,
        client: flow.key.endpoint(client),
        server: flow.key.endpoint(client.other()),
        client_by: flow.client_by,
        vlans: flow.networks.vlans().to_vec(),
        tunnels: flow.networks.tunnels().iter().map(tunnel).collect(),
        start: flow.start,
        end: flow.last,
        state,
        close_reason: reason,
        trouble: match connection {
            Some(connection) => connection.trouble(state, reason),
            None => None,
        },
        notes: connection.map(|c| c.lifecycle.notes()).unwrap_or_default(),
        directions: PerDirection {
            to_server: direction(flow, client, now),
            to_client: direction(flow, client.other(), now),
        },
        handshake: connection.and_then(|c| c.lifecycle.handshake()),
        l7: flow.conversation.as_ref().and_then(|c| c.summary()),
    }
}

fn tunnel(tunnel: &wire::decode::Tunnel) -> TunnelRecord {
    TunnelRecord {
        kind: tunnel.kind.as_str(),
        id: tunnel.id,
        outer_source: tunnel.outer_source,
        outer_destination: tunnel.outer_destination,
    }
}

fn direction(flow: &Flow, side: Side, now: Timestamp) -> DirectionRecord {
    let traffic = flow.traffic.get(side);
    let mut record = DirectionRecord {
        packets: traffic.packets,
        data_packets: traffic.data_packets,
        payload_bytes: traffic.payload_bytes,
        ip_bytes: traffic.ip_bytes,
        wire_bytes: traffic.wire_bytes,
        ..DirectionRecord::default()
    };
    match &flow.connection {
        Some(connection) => connection.fill(side, now, &mut record),
        None => {
            record.goodput_bytes = traffic.payload_bytes;
            record.copies = flow.extra.as_ref().map_or(0, |extra| extra.datagrams.copies(side));
        }
    }
    record
}
