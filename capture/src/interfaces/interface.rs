//! A network interface as rtnetlink(7) describes it.

use wire::{LinkType, TapKind};

/// A network interface, as rtnetlink(7) describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Interface index, unique in the network namespace while it lives.
    pub index: u32,
    /// Name, such as `eth0`. It may change.
    pub name: String,
    /// Kind of device.
    pub kind: TapKind,
    /// The kernel's own word for the kind (`IFLA_INFO_KIND`), such as `veth`; empty for devices of
    /// drivers.
    pub driver_kind: String,
    /// Index of the other end of a veth pair, or of the device below a VLAN, macvlan or tunnel, in
    /// the namespace that `peer_namespace` names.
    pub peer: Option<u32>,
    /// Id, in this namespace, of the network namespace that `peer` is in; none if it is this one.
    pub peer_namespace: Option<i32>,
    /// Index of the bridge or bond that it is a port of.
    pub master: Option<u32>,
    /// Whether it is administratively up.
    pub up: bool,
    /// Largest network-layer packet in bytes.
    pub mtu: u32,
    /// What its frames start with.
    pub link_type: LinkType,
}

/// Kind of device from `IFLA_INFO_KIND` and the ARPHRD type.
pub(super) fn tap_kind(driver_kind: &str, hardware: u16) -> TapKind {
    match driver_kind {
        _ if hardware == libc::ARPHRD_LOOPBACK => TapKind::Loopback,
        "veth" | "netkit" | "vxcan" => TapKind::Veth,
        "tun" => TapKind::Tun,
        "bridge" | "openvswitch" => TapKind::Bridge,
        "macvlan" | "macvtap" | "ipvlan" | "ipvtap" => TapKind::Macvlan,
        "vlan" => TapKind::Vlan,
        "vxlan" | "geneve" | "gre" | "gretap" | "ip6gre" | "ip6gretap" | "erspan" | "ip6erspan"
        | "ipip" | "ip6tnl" | "sit" | "vti" | "vti6" | "wireguard" | "xfrm" | "gtp" | "bareudp" => {
            TapKind::Tunnel
        }
        "bond" | "team" => TapKind::Bond,
        "" if hardware == libc::ARPHRD_ETHER => TapKind::Physical,
        _ => TapKind::Other,
    }
}

/// What frames of a device with this ARPHRD type start with, on a raw packet socket.
pub(super) fn link_type(hardware: u16) -> LinkType {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::Ethernet,
        libc::ARPHRD_NONE
        | ARPHRD_RAWIP
        | libc::ARPHRD_PPP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE
        | ARPHRD_IP6GRE => LinkType::RawIp,
        other => LinkType::Unsupported(other),
    }
}

const ARPHRD_RAWIP: u16 = 519;
const ARPHRD_IP6GRE: u16 = 823;
