//! The hash of a flow that is the same in both directions.

use std::net::IpAddr;

use crate::{Endpoint, FlowKey};

/// One end's part of a hash that is the same for both directions of a flow, on every machine and in
/// every run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread(u64);

impl Spread {
    #[inline]
    pub(crate) fn of(end: Endpoint) -> Self {
        match end.address {
            IpAddr::V4(v4) => Self::v4(v4.to_bits(), end.port),
            IpAddr::V6(v6) => Self::v6(v6.to_bits(), end.port),
        }
    }

    #[inline]
    pub(crate) const fn v4(address: u32, port: u16) -> Self {
        Self((address as u64) << 16 | port as u64)
    }

    #[inline]
    pub(crate) const fn v6(address: u128, port: u16) -> Self {
        Self(fold((address >> 64) as u64 ^ port as u64, address as u64))
    }

    /// The hash of the flow between this end and another.
    #[inline]
    pub(crate) const fn with(self, other: Self) -> u64 {
        let (low, high) = if self.0 <= other.0 { (self.0, other.0) } else { (other.0, self.0) };
        fold(low, high)
    }
}

/// Both halves of a product depend on all bits of both factors; the constants (digits of pi) keep
/// zeros from hiding the other one.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a ^ 0x243f_6a88_85a3_08d3) as u128 * (b ^ 0x1319_8a2e_0370_7344) as u128;
    (product >> 64) as u64 ^ product as u64
}

impl FlowKey {
    /// Hash of its endpoints, to spread flows over several analyzers: the same in every run.
    #[inline]
    pub fn spread(&self) -> u64 {
        Spread::of(self.low).with(Spread::of(self.high))
    }
}
