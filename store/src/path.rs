//! The way of a call from tap to tap.

use std::cmp::Reverse;

use wire::{TapId, TapKind, Timestamp};

use crate::calls::Observation;

/// An observation at its place on the way, with the times of its first bytes there.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) seen: Observation,
    pub(crate) request: Option<Timestamp>,
    pub(crate) response: Option<Timestamp>,
}

/// Observations in path order, nearest to the client first: it sees the request first and the
/// response last. Where times are equal the order in which a packet leaves a container decides.
///
/// A bridge that forwards between two of its ports hands the copy for its own device up after it
/// has sent the frame to the port (Linux, `br_handle_frame_finish`), so its time is up to some
/// microseconds late in both directions. Such a bridge is put before the port that the frame left
/// by, and its times are those of its neighbours at the latest; the message keeps the time of the
/// copy.
pub(crate) fn path(mut seen: Vec<Observation>, kind: impl Fn(TapId) -> TapKind) -> Vec<Step> {
    sort(&mut seen, &kind);
    while let Some((from, to)) = late_copy(&seen, &kind) {
        if let Some(part) = seen.get_mut(to..=from) {
            part.rotate_right(1);
        }
    }
    let mut steps: Vec<Step> = seen
        .into_iter()
        .map(|o| Step {
            request: o.request.map(|m| m.first),
            response: o.response.map(|m| m.first),
            seen: o,
        })
        .collect();
    let is_bridge: Vec<bool> =
        steps.iter().map(|step| kind(step.seen.tap) == TapKind::Bridge).collect();
    for (i, _) in is_bridge.iter().enumerate().filter(|(_, bridge)| **bridge) {
        let before = i.checked_sub(1).and_then(|i| steps.get(i)).and_then(|step| step.response);
        let behind = steps.get(i + 1).and_then(|step| step.request);
        if let Some(step) = steps.get_mut(i) {
            step.request = step.request.map(|time| behind.map_or(time, |limit| time.min(limit)));
            step.response = step.response.map(|time| before.map_or(time, |limit| time.min(limit)));
        }
    }
    steps
}

fn sort(seen: &mut [Observation], kind: &impl Fn(TapId) -> TapKind) {
    seen.sort_by_cached_key(|o| {
        let response = o.response.map(|m| m.first);
        (
            o.request.is_none(),
            o.request.map(|m| m.first),
            Reverse(response),
            kind(o.tap),
            o.tap,
            o.flow,
        )
    });
    // Where the request was not seen, the response alone tells the place.
    let with_request = seen.iter().take_while(|o| o.request.is_some()).count();
    for from in with_request..seen.len() {
        let response = seen.get(from).and_then(|o| o.response).map(|m| m.first);
        let place = seen
            .iter()
            .take(from)
            .position(|o| o.response.is_some_and(|m| Some(m.first) < response));
        if let Some(part) = place.and_then(|to| seen.get_mut(to..=from)) {
            part.rotate_right(1);
        }
    }
}

/// A bridge that saw the request and the response later than two taps before it did, and where it
/// belongs instead.
fn late_copy(seen: &[Observation], kind: &impl Fn(TapId) -> TapKind) -> Option<(usize, usize)> {
    (2..seen.len()).find_map(|from| {
        let bridge = seen.get(from).filter(|o| kind(o.tap) == TapKind::Bridge)?;
        let (ingress, egress) = (seen.get(from - 2)?, seen.get(from - 1)?);
        if kind(egress.tap) == TapKind::Bridge {
            return None;
        }
        let late = |a: Option<wire::Timestamp>, b: Option<wire::Timestamp>| {
            a.zip(b).is_some_and(|(a, b)| a >= b)
        };
        let request = |o: &Observation| o.request.map(|m| m.first);
        let response = |o: &Observation| o.response.map(|m| m.first);
        let in_both = late(request(bridge), request(egress))
            && (late(response(bridge), response(ingress)) || bridge.response.is_none());
        in_both.then(|| (from, port(seen, from, kind)))
    })
}

/// The port that a frame left the bridge by: the tap before the copy, or the tunnel device whose
/// outer frame that tap saw.
fn port(seen: &[Observation], copy: usize, kind: &impl Fn(TapId) -> TapKind) -> usize {
    let of = |i: usize| seen.get(i).map(|o| kind(o.tap));
    let last = copy - 1;
    let tunnel = last.checked_sub(1).filter(|&i| i > 0 && of(i) == Some(TapKind::Tunnel));
    match of(last) {
        Some(TapKind::Veth | TapKind::Tun | TapKind::Tunnel) => last,
        _ => tunnel.unwrap_or(last),
    }
}

#[cfg(test)]
mod tests {
    use fact::{FlowId, MessageSpan, Outcome, TcpTrouble};
    use wire::{Endpoint, SeqNum, SeqRange};

    use super::*;

    /// Taps by number with the times of request and response, and what they are.
    fn order(taps: &[(TapKind, u64, u64)]) -> Vec<(usize, u64, u64)> {
        let message = |at| MessageSpan {
            seq: SeqRange::new(SeqNum(1), 1),
            bytes: 1,
            first: Timestamp::from_nanos(at),
            last: Timestamp::from_nanos(at),
            whole: true,
        };
        let end = Endpoint::new(std::net::Ipv4Addr::LOCALHOST.into(), 1);
        let seen = taps.iter().enumerate().map(|(i, (_, request, response))| Observation {
            tap: TapId(i as u32),
            flow: FlowId(i as u64),
            client: end,
            server: end,
            outcome: Outcome::Ok,
            request: Some(message(*request)),
            response: Some(message(*response)),
            connect_ns: None,
            connected: None,
            waited_until: None,
            tcp: TcpTrouble::default(),
        });
        let nanos = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_nanos);
        path(seen.collect(), |tap| taps[tap.0 as usize].0)
            .iter()
            .map(|step| (step.seen.tap.0 as usize, nanos(step.request), nanos(step.response)))
            .collect()
    }

    use TapKind::{Bridge, Physical, Tunnel, Veth};

    #[test]
    fn a_forwarding_bridge_stands_between_its_ports() {
        let taps = [(Veth, 10, 96), (Veth, 12, 91), (Bridge, 14, 98)];
        assert_eq!(order(&taps), [(0, 10, 96), (2, 12, 96), (1, 12, 91)]);
    }

    #[test]
    fn a_bridge_that_the_host_sends_or_receives_by_stays_where_its_times_put_it() {
        assert_eq!(order(&[(Bridge, 10, 99), (Veth, 12, 95)]), [(0, 10, 99), (1, 12, 95)]);
        let inward = [(Physical, 1, 99), (Tunnel, 2, 98), (Bridge, 3, 97), (Veth, 4, 96)];
        assert_eq!(order(&inward).iter().map(|step| step.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let to_host = [(Physical, 1, 99), (Tunnel, 2, 98), (Bridge, 3, 97)];
        assert_eq!(order(&to_host).iter().map(|step| step.0).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn the_outer_frame_of_a_bridged_tunnel_comes_behind_the_tunnel() {
        let taps = [(Veth, 1, 97), (Tunnel, 2, 95), (Physical, 3, 94), (Bridge, 4, 99)];
        assert_eq!(order(&taps).iter().map(|step| step.0).collect::<Vec<_>>(), [0, 3, 1, 2]);
    }

    #[test]
    fn equal_times_are_ordered_by_the_way_out_of_a_container() {
        assert_eq!(
            order(&[(Bridge, 5, 9), (Veth, 5, 9)]).iter().map(|s| s.0).collect::<Vec<_>>(),
            [1, 0]
        );
    }
}
