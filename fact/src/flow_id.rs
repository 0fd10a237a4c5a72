//! Numbers of flows.

/// Number of a flow: the number of its first frame in the input, so the same for any number of
/// threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);
