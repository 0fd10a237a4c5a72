//! Where the frame programs run: hooks of one interface.

use aya::Ebpf;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{NlOptions, SchedClassifierLink, TcAttachOptions, qdisc_add_clsact};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, SchedClassifier, TcAttachType, Xdp, XdpMode};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use crate::error::{Error, causes};
use crate::program::program;

/// How the frames that come in are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ingress {
    /// The first that the interface takes of the other three, in their order.
    #[default]
    Best,
    /// XDP in the driver. On a veth it turns off the peer's segmentation offload, so that bulk
    /// transfers out of a container cost some ten times as many packets, and VLAN tags that the
    /// sender left to the device are not seen.
    Native,
    /// XDP in the stack, for every driver. Frames that the kernel received as one (GRO) appear as
    /// one.
    Generic,
    /// TCX, or clsact before Linux 6.6: after XDP programs of others, with VLAN tags that the
    /// kernel holds beside the frame.
    Tcx,
}

/// The programs on one interface; dropping it takes them off.
pub(crate) struct Hooks {
    used: Ingress,
    _xdp: Option<XdpLink>,
    _ingress: Option<SchedClassifierLink>,
    _egress: SchedClassifierLink,
}

impl Hooks {
    /// What [`Ingress::Best`] came to.
    pub(crate) const fn used(&self) -> Ingress {
        self.used
    }

    pub(crate) fn attach(ebpf: &mut Ebpf, ifindex: u32, ingress: Ingress) -> Result<Self, Error> {
        let name = name(ifindex)?;
        let failed = |hook: &str, error: ProgramError| Error::Program {
            what: format!("attaching to {name} ({hook}): {}", causes(&error)),
            source: Box::new(error),
        };
        let egress = tc(ebpf, "tc_egress", &name, TcAttachType::Egress)
            .map_err(|e| failed("tcx egress", e))?;
        let order: &[Ingress] = match &ingress {
            Ingress::Best => &[Ingress::Native, Ingress::Generic, Ingress::Tcx],
            one => std::slice::from_ref(one),
        };
        let mut last = None;
        for &used in order {
            let tried = match used {
                Ingress::Native => {
                    xdp(ebpf, ifindex, XdpMode::Driver).map(|link| (Some(link), None))
                }
                Ingress::Generic => xdp(ebpf, ifindex, XdpMode::Skb).map(|link| (Some(link), None)),
                Ingress::Tcx | Ingress::Best => {
                    tc(ebpf, "tc_ingress", &name, TcAttachType::Ingress)
                        .map(|link| (None, Some(link)))
                }
            };
            match tried {
                Ok((xdp, ingress)) => {
                    return Ok(Self { used, _xdp: xdp, _ingress: ingress, _egress: egress });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(failed("ingress", last.unwrap_or(ProgramError::NotLoaded)))
    }
}

/// The interface's name in the network namespace of this thread.
fn name(ifindex: u32) -> Result<String, Error> {
    socket(AddressFamily::INET, SocketType::DGRAM, None)
        .and_then(|any| netdevice::index_to_name(any, ifindex))
        .map_err(|errno| Error::Io { what: format!("interface {ifindex}"), source: errno.into() })
}

fn xdp(ebpf: &mut Ebpf, ifindex: u32, mode: XdpMode) -> Result<XdpLink, ProgramError> {
    let xdp: &mut Xdp = program(ebpf, "xdp_ingress")?;
    let link = xdp.attach_to_if_index(ifindex, mode)?;
    xdp.take_link(link)
}

/// Incoming frames are seen before other programs can take them, outgoing ones after.
fn tc(
    ebpf: &mut Ebpf,
    name: &str,
    interface: &str,
    attach_type: TcAttachType,
) -> Result<SchedClassifierLink, ProgramError> {
    let classifier: &mut SchedClassifier = program(ebpf, name)?;
    let order =
        if attach_type == TcAttachType::Ingress { LinkOrder::first() } else { LinkOrder::last() };
    let link = match classifier.attach_with_options(
        interface,
        attach_type,
        TcAttachOptions::TcxOrder(order),
    ) {
        Ok(link) => link,
        Err(refused) => {
            // Before Linux 6.6 there is no TCX. The queueing discipline may exist already; what
            // matters is the attachment.
            let _exists = qdisc_add_clsact(interface);
            classifier
                .attach_with_options(
                    interface,
                    attach_type,
                    TcAttachOptions::Netlink(NlOptions::default()),
                )
                .map_err(|_| refused)?
        }
    };
    classifier.take_link(link)
}
