//! Tunnel headers: each file takes one encapsulation off.

mod erspan;
mod geneve;
mod gre;
mod gtpu;
mod mpls;
mod over_udp;
mod pppoe;
mod vxlan;
mod wireguard;

pub(super) use gre::gre;
pub(super) use mpls::mpls;
pub(super) use over_udp::{OverUdp, over_udp};
pub(super) use pppoe::pppoe;
