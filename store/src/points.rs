//! The points of a call's path and the steps between them.

use crate::model::{Call, Hop};

/// What a point of a path is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The process that asks.
    Client,
    /// A tap.
    Hop(&'a Hop),
    /// The process that answers.
    Server,
}

/// One point of a call's path. Times are nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// What it is.
    pub place: Place<'a>,
    /// First byte of the request.
    pub request_ns: Option<u64>,
    /// First byte of the response.
    pub first_ns: Option<u64>,
    /// Last byte of the response.
    pub last_ns: Option<u64>,
    /// The request's way from the point before.
    pub request_step_ns: Option<u64>,
    /// The response's way from its point before, which is the next one of the list.
    pub response_step_ns: Option<u64>,
}

/// The points of a call in the order of the request's path: client's process, taps, server's
/// process. A process that is not known is none.
pub fn points(call: &Call) -> Vec<Point<'_>> {
    let mut points = Vec::with_capacity(call.hops.len() + 2);
    let (client, server) = (&call.client, &call.server);
    let point = |place, request_ns, first_ns, last_ns| Point {
        place,
        request_ns,
        first_ns,
        last_ns,
        request_step_ns: None,
        response_step_ns: None,
    };
    if client.process.is_some() {
        let received = (client.first_received_ns, client.received_ns);
        points.push(point(Place::Client, client.sent_ns, received.0, received.1));
    }
    points.extend(call.hops.iter().map(|hop| {
        let last = hop.response.map(|response| response.last_ns);
        point(Place::Hop(hop), hop.request_ns, hop.response_ns, last)
    }));
    if server.process.is_some() {
        points.push(point(
            Place::Server,
            server.received_ns,
            server.sent_ns,
            server.sent_ns.and(server.finished_ns),
        ));
    }
    let mut before: Option<Point<'_>> = None;
    for point in &mut points {
        point.request_step_ns = before.and_then(|before| step(before.request_ns, point.request_ns));
        before = Some(*point);
    }
    before = None;
    for point in points.iter_mut().rev() {
        point.response_step_ns = before.and_then(|before| step(before.first_ns, point.first_ns));
        before = Some(*point);
    }
    points
}

/// Time between two points; none where one is unknown. Clocks of system calls and packets differ a
/// little, so a step that would be negative is 0.
fn step(from: Option<u64>, to: Option<u64>) -> Option<u64> {
    Some(to?.saturating_sub(from?))
}
