//! Configuration of packet rings.

use std::time::Duration;

use crate::Error;

/// Which interfaces a ring makes promiscuous, so that they show frames that are not for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promiscuous {
    /// None.
    Off,
    /// Bridges, which show what they forward between their ports only then.
    #[default]
    Bridges,
    /// Every tapped interface.
    All,
}

/// Geometry and options of packet rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingConfig {
    /// Bytes of one block, a power of two from 256 KiB to 16 MiB: a block must hold the largest
    /// frame (with segmentation offload some 64 KiB) and, for throughput, many. 1 MiB by default.
    pub block_size: u32,
    /// Blocks of one shard's ring, 2 to 4096; 32 by default. The ring takes `block_size` × `blocks`
    /// bytes of kernel memory per shard.
    pub blocks: u32,
    /// After what time the kernel hands over a block that is not full, 1 ms to 10 s: the longest
    /// that a frame waits. 20 ms by default.
    pub block_timeout: Duration,
    /// Bytes of a frame to keep, 64 and more; 262,144 by default, which is all of it.
    pub snap_len: u32,
    /// tcpdump expression; everything without.
    pub filter: Option<String>,
    /// What to make promiscuous.
    pub promiscuous: Promiscuous,
    /// Lets the kernel put IPv4 fragments together before frames are spread over shards
    /// (`PACKET_FANOUT_FLAG_DEFRAG`). Off by default: the kernel keeps one queue per namespace, not
    /// per interface, so that a datagram that passes several tapped interfaces is damaged by its
    /// own copies. Without it, fragments go where their addresses hash to, all of a datagram
    /// together.
    pub defragment: bool,
}

impl Default for RingConfig {
    fn default() -> Self {
        Self {
            block_size: 1 << 20,
            blocks: 32,
            block_timeout: Duration::from_millis(20),
            snap_len: 262_144,
            filter: None,
            promiscuous: Promiscuous::default(),
            defragment: false,
        }
    }
}

impl RingConfig {
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |key, value, expected| Err(Error::Config { key, value, expected });
        if !self.block_size.is_power_of_two()
            || !((256 << 10)..=(16 << 20)).contains(&self.block_size)
        {
            return wrong(
                "block_size",
                self.block_size.into(),
                "a power of two from 262144 to 16777216 expected",
            );
        }
        if !(2..=4096).contains(&self.blocks) {
            return wrong("blocks", self.blocks.into(), "2 to 4096 expected");
        }
        if !(1..=10_000).contains(&self.timeout_millis()) {
            return wrong(
                "block_timeout",
                self.timeout_millis().into(),
                "1 to 10000 milliseconds expected",
            );
        }
        if self.snap_len < 64 {
            return wrong("snap_len", self.snap_len.into(), "64 or more expected");
        }
        Ok(())
    }

    pub(super) fn timeout_millis(&self) -> u32 {
        u32::try_from(self.block_timeout.as_millis()).unwrap_or(u32::MAX)
    }
}
