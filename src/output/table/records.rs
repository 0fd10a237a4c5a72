//! Flows and exchanges as rows.

use fact::{
    Attributes, CloseReason, DirectionRecord, Exchange, FlowRecord, FlowState, Outcome, TcpCounter,
    Trouble, Value,
};

use super::{Cell, Column};
use crate::output::{bytes, count, nanos, words};

/// Columns of exchanges.
pub(crate) const SPAN_COLUMNS: &[Column] = &[
    Column::time("TIME").gives_way(3),
    Column::left("TAP").unless_same().gives_way(2),
    Column::address("CLIENT"),
    Column::address("SERVER"),
    Column::left("PROTOCOL").gives_way(4),
    Column::left("RESULT"),
    Column::right("DURATION").gives_way(1),
    Column::right("WAIT").gives_way(6),
    Column::right("RETR").gives_way(5),
    Column::left("REQUEST"),
];

/// Columns of flows.
pub(crate) const FLOW_COLUMNS: &[Column] = &[
    Column::time("TIME").gives_way(1),
    Column::left("TAP").unless_same().gives_way(2),
    Column::left("PROTOCOL").gives_way(9),
    Column::address("CLIENT"),
    Column::address("SERVER"),
    Column::left("END"),
    Column::right("DURATION").gives_way(4),
    Column::right("SENT").gives_way(8),
    Column::right("RECEIVED").gives_way(7),
    Column::right("RTT").gives_way(6),
    Column::right("RETR").gives_way(3),
    Column::left("TROUBLE").unless_empty().keeps(32),
    Column::left("APPLICATION").gives_way(5).keeps(28),
];

/// The row of an exchange.
pub(crate) fn span_row(exchange: &Exchange, tap: &str) -> Vec<Cell> {
    let trouble = exchange.tcp.retransmissions;
    vec![
        Cell::time(exchange.start().as_nanos()),
        tap.into(),
        exchange.client.to_string().into(),
        exchange.server.to_string().into(),
        exchange.protocol.as_str().into(),
        Cell::bad_if(result(exchange), exchange.outcome != Outcome::Ok),
        nanos(exchange.end().nanos_since(exchange.start())).into(),
        exchange.phases().wait_ns.map_or_else(|| "-".to_owned(), nanos).into(),
        Cell::bad_if(if trouble > 0 { trouble.to_string() } else { "-".into() }, trouble > 0),
        request(&exchange.operation, &exchange.attributes).into(),
    ]
}

/// The row of a flow.
pub(crate) fn flow_row(flow: &FlowRecord, tap: &str) -> Vec<Cell> {
    let (up, down) = (&flow.directions.to_server, &flow.directions.to_client);
    let rtt = flow.handshake.and_then(|h| h.rtt_ns()).or_else(|| {
        (up.rtt.count.min(down.rtt.count) > 0).then_some(up.rtt.mean_ns + down.rtt.mean_ns)
    });
    let rtt = rtt.and_then(|ns| u64::try_from(ns).ok());
    let wrong = trouble(flow);
    let bad = flow.trouble.is_some() && !wrong.is_empty();
    let retransmissions = counted(flow, TcpCounter::Retransmission);
    let application = match flow.l7 {
        Some(l7) if l7.errors > 0 => {
            let (requests, errors) = (count(l7.requests, "request"), count(l7.errors, "error"));
            format!("{} {requests}, {errors}", l7.protocol.as_str())
        }
        Some(l7) => format!("{} {}", l7.protocol.as_str(), count(l7.requests, "request")),
        None => String::new(),
    };
    vec![
        Cell::time(flow.start.as_nanos()),
        tap.into(),
        flow.transport.as_str().into(),
        flow.client.to_string().into(),
        flow.server.to_string().into(),
        Cell::bad_if(
            flow.close_reason.map_or(flow.state.as_str(), CloseReason::as_str),
            matches!(
                flow.state,
                FlowState::Reset | FlowState::HandshakeFailed | FlowState::TimedOut
            ),
        ),
        nanos(flow.end.nanos_since(flow.start)).into(),
        bytes(up.payload_bytes).into(),
        bytes(down.payload_bytes).into(),
        rtt.map_or_else(|| "-".to_owned(), nanos).into(),
        Cell::bad_if(
            if retransmissions > 0 { retransmissions.to_string() } else { "-".into() },
            retransmissions > 0,
        ),
        Cell::bad_if(wrong, bad),
        application.into(),
    ]
}

/// Count of both directions.
fn counted(flow: &FlowRecord, counter: TcpCounter) -> u64 {
    [&flow.directions.to_server, &flow.directions.to_client]
        .map(|d| u64::from(d.tcp[counter]))
        .iter()
        .sum()
}

/// What went wrong with a flow or was uncommon, in a few words; what the column `END` says is not
/// said again.
fn trouble(flow: &FlowRecord) -> String {
    let both = |of: fn(&DirectionRecord) -> u64| {
        let (up, down) = (&flow.directions.to_server, &flow.directions.to_client);
        of(up) + of(down)
    };
    // The state, the time and the end say these already.
    let name = match flow.trouble {
        Some(Trouble::Refused | Trouble::WindowShut) | None => None,
        Some(trouble) => Some(trouble.as_str())
            .filter(|&name| flow.close_reason.is_none_or(|r| r.as_str() != name)),
    };
    let mut words: Vec<String> = name.map(|name| name.replace('_', " ")).into_iter().collect();
    let timeouts = counted(flow, TcpCounter::TimeoutRetransmission);
    if timeouts > 0 {
        words.push(count(timeouts, "timeout"));
    }
    let shut = both(|d| d.zero_window_ns);
    if shut > 0 {
        words.push(format!("window shut {}", nanos(shut)));
    }
    let congested = counted(flow, TcpCounter::EcnCe);
    if congested > 0 {
        words.push(format!("{congested} CE"));
    }
    let missing = both(|d| d.missing_bytes);
    if missing > 0 {
        words.push(format!("{} not captured", bytes(missing)));
    }
    words.extend(
        flow.notes.names().filter(|&note| note != "ack_storm").map(|note| note.replace('_', " ")),
    );
    words.join(", ")
}

/// The status that the protocol gave, or how else the exchange ended.
fn result(exchange: &Exchange) -> String {
    let status = words::status(exchange.outcome != Outcome::Ok, |key| {
        exchange.attributes.get(key).map(text)
    });
    match (exchange.outcome, status) {
        (Outcome::Ok | Outcome::ClientError | Outcome::ServerError, Some(status)) => status,
        (outcome, _) => outcome.as_str().to_owned(),
    }
}

/// What was asked, in the words of the protocol.
pub(crate) fn request(operation: &str, attributes: &Attributes) -> String {
    match words::subject(|key| attributes.get(key)) {
        Some(subject) => words::request(operation, &text(subject)),
        None => operation.to_owned(),
    }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
    }
}
