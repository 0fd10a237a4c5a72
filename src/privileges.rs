//! Capabilities: which a command needs to set itself up, and which it keeps afterwards.

use caps::{CapSet, Capability, CapsHashSet};

use crate::failure::Failure;

/// What a run is about to do, as far as rights go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Frames come from XDP and TCX programs instead of packet sockets.
    pub(crate) xdp: bool,
    /// System calls are recorded.
    pub(crate) records: bool,
}

impl Plan {
    /// Capabilities without which frames cannot be captured.
    fn for_frames(self) -> &'static [Capability] {
        if self.xdp {
            &[Capability::CAP_NET_ADMIN, Capability::CAP_BPF, Capability::CAP_PERFMON]
        } else {
            &[Capability::CAP_NET_RAW]
        }
    }

    /// Capabilities that are still needed once everything is open.
    ///
    /// Packet rings need none: new interfaces are found through an open netlink socket, and
    /// selected by a filter on sockets that are open. XDP and TCX programs are put on interfaces
    /// that appear later, which takes `CAP_NET_ADMIN`; and before Linux 5.19 with
    /// `kernel.unprivileged_bpf_disabled` even reading the counters of a map that is open takes
    /// `CAP_BPF`.
    fn kept(self) -> CapsHashSet {
        let mut kept = CapsHashSet::new();
        if self.xdp {
            kept.extend([Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON]);
        }
        if self.xdp || self.records {
            kept.insert(Capability::CAP_BPF);
        }
        kept
    }

    /// Checks that frames can be captured.
    ///
    /// # Errors
    /// A failure that names what is missing and how to get it.
    pub(crate) fn check(self) -> Result<(), Failure> {
        let missing = missing(self.for_frames());
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::runtime(format!(
            "no rights to capture: {} {} missing; run as root, or allow it once with: setcap {} $(command -v wirespan)",
            missing.join(", "),
            if missing.len() == 1 { "is" } else { "are" },
            "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon=ep",
        )))
    }

    /// What is missing for recording system calls.
    pub(crate) fn missing_for_records() -> Vec<String> {
        missing(&[Capability::CAP_BPF, Capability::CAP_PERFMON])
    }

    /// Gives up for good everything that is not needed any more. To be called before threads are
    /// started: capabilities belong to threads, and new ones inherit them.
    pub(crate) fn drop_rest(self) -> Result<(), caps::errors::CapsError> {
        let kept = self.kept();
        for capability in caps::read(None, CapSet::Bounding)?.difference(&kept) {
            // Without CAP_SETPCAP the bounding set stays; it matters only to programs that would be
            // started, and none is.
            if caps::drop(None, CapSet::Bounding, *capability).is_err() {
                break;
            }
        }
        let _ = caps::clear(None, CapSet::Ambient);
        caps::clear(None, CapSet::Inheritable)?;
        let permitted: CapsHashSet =
            caps::read(None, CapSet::Permitted)?.intersection(&kept).copied().collect();
        caps::set(None, CapSet::Effective, &permitted)?;
        caps::set(None, CapSet::Permitted, &permitted)
    }
}

fn missing(needed: &[Capability]) -> Vec<String> {
    let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
    needed
        .iter()
        .filter(|capability| !effective.contains(capability))
        .map(ToString::to_string)
        .collect()
}
