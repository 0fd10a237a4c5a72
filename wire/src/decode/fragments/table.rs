//! The datagrams that wait for fragments, and their limits.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use super::datagram::{Datagram, Misfit};
use crate::decode::FragmentUsage;
use crate::{TapId, Timestamp, invariant};

/// Which datagram a fragment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::decode) struct FragmentKey {
    pub(in crate::decode) tap: TapId,
    pub(in crate::decode) network: u64,
    pub(in crate::decode) source: IpAddr,
    pub(in crate::decode) destination: IpAddr,
    pub(in crate::decode) id: u32,
    /// IPv4 protocol; 0 in IPv6, where the identification alone tells datagrams apart.
    pub(in crate::decode) protocol: u8,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub(in crate::decode) struct Part<'r> {
    pub(in crate::decode) time: Timestamp,
    /// Offset in the datagram, in bytes.
    pub(in crate::decode) offset: u32,
    /// Length on the wire, in bytes.
    pub(in crate::decode) len: u32,
    pub(in crate::decode) more: bool,
    pub(in crate::decode) captured: &'r [u8],
    /// Length of its frame on the wire, in bytes.
    pub(in crate::decode) wire_len: u32,
    pub(in crate::decode) ecn: u8,
    /// Next header (in IPv6 the first fragment's counts).
    pub(in crate::decode) protocol: u8,
}

/// A datagram whose fragments have all come.
#[derive(Debug)]
pub(in crate::decode) struct Whole {
    /// Captured bytes up to the first that is missing.
    pub(in crate::decode) bytes: Vec<u8>,
    /// Length on the wire, in bytes.
    pub(in crate::decode) len: u32,
    /// Sum over the fragments' frames.
    pub(in crate::decode) wire_len: u32,
    /// Congestion Experienced if any fragment had it (RFC 3168, section 5.3).
    pub(in crate::decode) ecn: u8,
    pub(in crate::decode) protocol: u8,
}

/// What became of a fragment.
#[derive(Debug)]
pub(in crate::decode) enum Outcome {
    Pending,
    Refused,
    Whole(Whole),
}

#[derive(Debug)]
struct Waiting {
    /// None once a fragment contradicted another: the rest is refused until it times out.
    datagram: Option<Datagram>,
    serial: u64,
    first: Timestamp,
    wire_len: u32,
    ecn: u8,
    protocol: u8,
}

impl Waiting {
    fn size(&self) -> usize {
        self.datagram.as_ref().map_or(0, Datagram::size)
    }
}

/// Datagrams that wait for fragments, the oldest given up first.
#[derive(Debug)]
pub(in crate::decode) struct Table {
    waiting: HashMap<FragmentKey, Waiting>,
    by_age: BTreeMap<u64, FragmentKey>,
    serial: u64,
    max_datagrams: usize,
    max_bytes: usize,
    timeout: Duration,
    usage: FragmentUsage,
}

impl Table {
    pub(in crate::decode) fn new(
        max_datagrams: usize,
        max_bytes: usize,
        timeout: Duration,
    ) -> Self {
        Self {
            waiting: HashMap::new(),
            by_age: BTreeMap::new(),
            serial: 0,
            max_datagrams,
            max_bytes,
            timeout,
            usage: FragmentUsage::default(),
        }
    }

    pub(in crate::decode) fn usage(&self) -> FragmentUsage {
        self.usage
    }

    pub(in crate::decode) fn add(&mut self, key: FragmentKey, part: Part<'_>) -> Outcome {
        self.expire(part.time);
        if self.max_datagrams == 0 {
            self.usage.refused += 1;
            return Outcome::Refused;
        }
        if !self.waiting.contains_key(&key) {
            self.open(key, &part);
        }
        let outcome = self.put(&key, part);
        while self.usage.bytes > self.max_bytes {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.close(&oldest);
            self.usage.evicted += 1;
        }
        outcome
    }

    fn open(&mut self, key: FragmentKey, part: &Part<'_>) {
        while self.waiting.len() >= self.max_datagrams {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.close(&oldest);
            self.usage.evicted += 1;
        }
        self.serial += 1;
        self.by_age.insert(self.serial, key);
        let waiting = Waiting {
            datagram: Some(Datagram::default()),
            serial: self.serial,
            first: part.time,
            wire_len: 0,
            ecn: 0,
            protocol: part.protocol,
        };
        self.waiting.insert(key, waiting);
        self.usage.datagrams = self.waiting.len();
    }

    fn put(&mut self, key: &FragmentKey, part: Part<'_>) -> Outcome {
        let Some(entry) = self.waiting.get_mut(key) else {
            invariant!("a fragment is put where its datagram was opened");
            return Outcome::Refused;
        };
        let Some(datagram) = entry.datagram.as_mut() else {
            self.usage.refused += 1;
            return Outcome::Refused;
        };
        let before = datagram.size();
        let added = datagram.add(part.offset, part.len, part.more, part.captured);
        let (after, complete) = (datagram.size(), datagram.complete());
        self.usage.bytes = self.usage.bytes + after - before;
        match added {
            Ok(()) => {}
            Err(Misfit::Duplicate) => {
                self.usage.refused += 1;
                return Outcome::Refused;
            }
            Err(Misfit::Conflict) => {
                entry.datagram = None;
                self.usage.bytes -= after;
                self.usage.refused += 1;
                return Outcome::Refused;
            }
        }
        entry.wire_len = entry.wire_len.saturating_add(part.wire_len);
        entry.ecn = entry.ecn.max(part.ecn);
        if part.offset == 0 {
            entry.protocol = part.protocol;
        }
        let Some(len) = complete else { return Outcome::Pending };
        let serial = entry.serial;
        self.by_age.remove(&serial);
        let Some(mut entry) = self.close(key) else {
            invariant!("a datagram is in the table until it is complete");
            return Outcome::Refused;
        };
        self.usage.reassembled += 1;
        Outcome::Whole(Whole {
            bytes: entry.datagram.take().map(Datagram::into_bytes).unwrap_or_default(),
            len,
            wire_len: entry.wire_len,
            ecn: entry.ecn,
            protocol: entry.protocol,
        })
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some((&serial, &oldest)) = self.by_age.first_key_value() {
            let expired = self.waiting.get(&oldest).is_none_or(|w| now - w.first > self.timeout);
            if !expired {
                return;
            }
            self.by_age.remove(&serial);
            self.close(&oldest);
            self.usage.timed_out += 1;
        }
    }

    /// Forgets a datagram; its place in `by_age` is the caller's.
    fn close(&mut self, key: &FragmentKey) -> Option<Waiting> {
        let entry = self.waiting.remove(key)?;
        self.usage.bytes -= entry.size();
        self.usage.datagrams = self.waiting.len();
        Some(entry)
    }
}
