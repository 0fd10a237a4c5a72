//! Connections whose packets come in several virtual networks, and connections that only their
//! networks tell apart.

mod packets;

use analyzer::{Analyzer, Config};
use fact::{CloseReason, FlowRecord, FlowState, Outcome, Table};
use fact::{Fact, Sink};
use packets::{datagram, frame};
use wire::{LinkType, RawFrame, TapId, Timestamp};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;
const RST: u8 = 0x04;
const UP: (u16, u16) = (40_000, 80);
const DOWN: (u16, u16) = (80, 40_000);

#[derive(Default)]
struct Facts {
    closed: Vec<FlowRecord>,
    outcomes: Vec<Outcome>,
    evicted: [u64; Table::ALL.len()],
}

impl Sink for Facts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowClosed(record) => self.closed.push(record.clone()),
            Fact::Exchange(exchange) => self.outcomes.push(exchange.outcome),
            Fact::Evicted { table, entries } => self.evicted[table as usize] += entries,
            _ => {}
        }
    }
}

/// Analyses frames a millisecond apart.
fn analyse(frames: &[Vec<u8>]) -> Facts {
    let (mut analyzer, mut facts) = (Analyzer::new(Config::default()), Facts::default());
    for (number, bytes) in (1..).zip(frames) {
        let frame = RawFrame {
            time: Timestamp::from_nanos(1_700_000_000_000_000_000 + number * 1_000_000),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        analyzer.frame(number, &frame, &mut facts);
    }
    analyzer.finish(&mut facts);
    facts
}

/// The frame with a VLAN tag.
fn tagged(id: u16, mut frame: Vec<u8>) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    frame.splice(12..12, [0x81, 0, high, low]);
    frame
}

/// The frame inside VXLAN (8 header bytes) or GENEVE, from one node to the other.
fn tunnelled(port: u16, vni: u8, up: bool, frame: &[u8]) -> Vec<u8> {
    let header: &[u8] =
        if port == 4789 { &[8, 0, 0, 0, 0, 0, vni, 0] } else { &[0, 0, 0x65, 0x58, 0, 0, vni, 0] };
    // The builder takes the addresses from the order of the ports, both of which may be sources.
    let ports = if up { (50_000, port) } else { (1024, port) };
    datagram(ports, &[header, frame].concat())
}

/// A connection with a request of HTTP and its response: up to the server `true`.
fn connection(client: u32, server: u32) -> Vec<(bool, Vec<u8>)> {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (asked, answered) = (client + 1 + request.len() as u32, server + 1 + response.len() as u32);
    vec![
        (true, frame(UP, client, 0, SYN, &[])),
        (false, frame(DOWN, server, client + 1, SYN_ACK, &[])),
        (true, frame(UP, client + 1, server + 1, ACK, &[])),
        (true, frame(UP, client + 1, server + 1, PSH_ACK, request)),
        (false, frame(DOWN, server + 1, asked, PSH_ACK, response)),
        (true, frame(UP, asked, answered, FIN_ACK, &[])),
        (false, frame(DOWN, answered, asked + 1, FIN_ACK, &[])),
        (true, frame(UP, asked + 1, answered + 1, ACK, &[])),
    ]
}

/// Wraps each direction in a network of its own.
fn wrapped(packets: Vec<(bool, Vec<u8>)>, wrap: impl Fn(bool, Vec<u8>) -> Vec<u8>) -> Vec<Vec<u8>> {
    packets.into_iter().map(|(up, frame)| wrap(up, frame)).collect()
}

/// Frames of several inputs in turn.
fn in_turn(inputs: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    let longest = inputs.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|at| inputs.iter().filter_map(move |i| i.get(at).cloned())).collect()
}

fn assert_whole(record: &FlowRecord) {
    assert_eq!((record.state, record.close_reason), (FlowState::Closed, Some(CloseReason::Fin)));
    assert!(record.handshake.is_some_and(|h| h.complete));
    let (up, down) = (&record.directions.to_server, &record.directions.to_client);
    assert_eq!((up.packets, down.packets), (5, 3));
    assert_eq!((up.missing_bytes, down.missing_bytes), (0, 0));
}

#[test]
fn each_direction_may_have_a_vlan_of_its_own() {
    for (up_id, down_id, told) in [(10, 20, &[10, 20][..]), (10, 0, &[10]), (0, 20, &[20])] {
        let frames =
            wrapped(connection(1000, 5000), |up, frame| match if up { up_id } else { down_id } {
                0 => frame,
                id => tagged(id, frame),
            });
        let facts = analyse(&frames);
        assert_eq!((facts.closed.len(), &facts.outcomes[..]), (1, &[Outcome::Ok][..]));
        assert_whole(&facts.closed[0]);
        assert_eq!(facts.closed[0].vlans, told);
    }
}

#[test]
fn each_direction_may_have_an_overlay_id_of_its_own() {
    for (port, kind) in [(4789, "vxlan"), (6081, "geneve")] {
        let facts = analyse(&wrapped(connection(1000, 5000), |up, frame| {
            tunnelled(port, if up { 19 } else { 18 }, up, &frame)
        }));
        assert_eq!((facts.closed.len(), &facts.outcomes[..]), (1, &[Outcome::Ok][..]));
        assert_whole(&facts.closed[0]);
        let told: Vec<_> = facts.closed[0].tunnels.iter().map(|t| (t.kind, t.id)).collect();
        assert_eq!(told, [(kind, Some(19)), (kind, Some(18))]);
    }
}

#[test]
fn a_path_that_changes_stays_one_connection() {
    let ids = std::cell::Cell::new(0);
    let facts = analyse(&wrapped(connection(1000, 5000), |_, frame| {
        ids.set(ids.get() + 1);
        tagged(ids.get(), frame)
    }));
    assert_eq!(facts.closed.len(), 1);
    assert_whole(&facts.closed[0]);
    assert_eq!(facts.closed[0].vlans, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(facts.evicted, [0; Table::ALL.len()]);
}

/// Two tenants use the same addresses and ports at the same time, and each direction has an id.
#[test]
fn tenants_with_other_numbers_are_other_connections() {
    for ids in
        [[(10, 10), (20, 20)], [(10, 11), (20, 21)], [(10, 20), (20, 10)], [(0, 0), (20, 20)]]
    {
        let numbers = [(1000, 5000), (2_000_000_000, 3_000_000_000)];
        let inputs: Vec<_> = ids
            .into_iter()
            .zip(numbers)
            .map(|((up_id, down_id), (client, server))| {
                wrapped(connection(client, server), |up, frame| {
                    match if up { up_id } else { down_id } {
                        0 => frame,
                        id => tagged(id, frame),
                    }
                })
            })
            .collect();
        let facts = analyse(&in_turn(&inputs));
        assert_eq!(facts.closed.len(), 2, "{ids:?}");
        facts.closed.iter().for_each(assert_whole);
        assert_eq!(facts.outcomes, [Outcome::Ok; 2]);
    }
}

#[test]
fn tenants_joined_in_the_middle_are_told_apart() {
    let numbers = [(1000, 5000), (2_000_000_000, 3_000_000_000)];
    let inputs: Vec<_> = [(10, 11), (20, 21)]
        .into_iter()
        .zip(numbers)
        .map(|((up_id, down_id), (client, server))| {
            let packets = connection(client, server).split_off(3);
            wrapped(packets, |up, frame| tagged(if up { up_id } else { down_id }, frame))
        })
        .collect();
    let facts = analyse(&in_turn(&inputs));
    assert_eq!((facts.closed.len(), &facts.outcomes[..]), (2, &[Outcome::Ok; 2][..]));
    assert_eq!(facts.closed[0].vlans, [10, 11]);
    assert_eq!(facts.closed[1].vlans, [20, 21]);
}

/// A RST of another connection in another network does not end this one.
#[test]
fn a_reset_of_another_tenant_is_not_of_this_connection() {
    let mut frames = wrapped(connection(1000, 5000), |_, frame| tagged(10, frame));
    frames.insert(4, tagged(20, frame(UP, 3_000_000_000, 0, RST, &[])));
    let facts = analyse(&frames);
    assert_eq!(facts.closed.len(), 2);
    assert_whole(&facts.closed[0]);
}

#[test]
fn a_new_connection_in_a_known_network_is_a_reuse_of_the_port() {
    let first = wrapped(connection(1000, 5000), |_, frame| tagged(10, frame));
    let second = wrapped(connection(900_000, 5_000_000), |_, frame| tagged(10, frame));
    let facts = analyse(&[first, second].concat());
    assert_eq!((facts.closed.len(), facts.outcomes.len()), (2, 2));
    facts.closed.iter().for_each(assert_whole);
}

fn dns(id: u8, answer: bool) -> Vec<u8> {
    let ports = if answer { (53, 6000) } else { (6000, 53) };
    let flags = if answer { 0x80 } else { 0 };
    let mut message = vec![0, id, flags | 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend(b"\x01a\x00\x00\x01\x00\x01");
    datagram(ports, &message)
}

#[test]
fn an_answer_in_a_network_of_its_own_is_of_the_same_udp_flow() {
    let frames = [
        tagged(10, dns(1, false)),
        tagged(20, dns(1, true)),
        tagged(10, dns(2, false)),
        tagged(20, dns(2, true)),
    ];
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), &facts.outcomes[..]), (1, &[Outcome::Ok; 2][..]));
    assert_eq!(facts.closed[0].vlans, [10, 20]);
}

#[test]
fn udp_tenants_with_both_directions_in_each_network_are_two_flows() {
    let [one, two] = [10, 20].map(|id| {
        [1, 2, 3].map(|n| [tagged(id, dns(n, false)), tagged(id, dns(n, true))]).concat()
    });
    let facts = analyse(&in_turn(&[one.clone(), two.clone()]));
    assert_eq!((facts.closed.len(), &facts.outcomes[..]), (2, &[Outcome::Ok; 6][..]));
    // The second one is joined at an answer, which is taken for one to the first until there is
    // another in the network of the question, or another question in that of the answer.
    for frames in
        [in_turn(&[one.clone(), two[1..].to_vec()]), [&one[..1], &two[1..], &one[1..]].concat()]
    {
        let facts = analyse(&frames);
        let packets = |record: &FlowRecord| {
            let d = &record.directions;
            (d.to_server.packets, d.to_client.packets)
        };
        assert_eq!(facts.closed.iter().map(packets).collect::<Vec<_>>(), [(3, 4), (2, 2)]);
    }
}

#[test]
fn flows_with_one_key_are_bounded() {
    let frames: Vec<_> =
        (1..=200).map(|id| tagged(id, frame(UP, u32::from(id) << 24, 0, SYN, &[]))).collect();
    let facts = analyse(&frames);
    assert_eq!(facts.closed.len(), 200);
    assert_eq!(facts.evicted[Table::Flows as usize], 200 - 64);
}
