use std::net::IpAddr;

use super::layer::Step;
use super::mix::mix;
use super::step::step;
use super::{direct, link};
use crate::RawFrame;

/// Headers that are looked through.
const MAX_STEPS: usize = 64;
/// As in the default configuration of a decoder.
const VXLAN_PORTS: [u16; 2] = [4789, 8472];

/// Hash of a frame's innermost pair of addresses, for spreading one input over threads: the same for both directions and
/// for all fragments of a datagram, and the same in every run. 0 where there is no address.
///
/// A datagram that is fragmented outside of its tunnel is hashed by the addresses of its fragments, since only the first
/// of them shows what is inside.
///
/// Where decoders are given other VXLAN ports than the default ones, use [`shard_hash_with`].
pub fn shard_hash(frame: &RawFrame<'_>) -> u64 {
    shard_hash_with(frame, &VXLAN_PORTS)
}

/// [`shard_hash`] for decoders that look for VXLAN on these UDP ports.
pub fn shard_hash_with(frame: &RawFrame<'_>, vxlan_ports: &[u16]) -> u64 {
    match direct::addresses(frame) {
        Some((source, destination)) => hash_pair(source, destination),
        None => walk(frame, vxlan_ports),
    }
}

/// The hash by way of all layers.
pub(super) fn walk(frame: &RawFrame<'_>, vxlan_ports: &[u16]) -> u64 {
    let Ok(mut layer) = link::first(frame) else { return 0 };
    let mut pair = None;
    for _ in 0..MAX_STEPS {
        layer = match step(layer, vxlan_ports) {
            Ok(Step::Next(next) | Step::Vlan(_, next)) => next,
            Ok(Step::Tunnel(entered, outer)) => {
                pair = outer.or(pair);
                entered.inner
            }
            Ok(Step::Fragment(datagram, _) | Step::Tcp(datagram, ..) | Step::Udp(datagram, ..)) => {
                pair = Some((datagram.source, datagram.destination));
                break;
            }
            Err(_) => break,
        };
    }
    pair.map_or(0, |(a, b)| hash_pair(a, b))
}

fn hash_pair(a: IpAddr, b: IpAddr) -> u64 {
    let (a, b) = (bits(a), bits(b));
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    [low, high].iter().fold(1, |hash, v| mix(mix(hash, (v >> 64) as u64), *v as u64))
}

fn bits(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
