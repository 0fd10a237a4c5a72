//! What labels and records call things: kinds of taps, and the programs behind addresses.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use capture::interfaces::CniPod;
use dashmap::DashMap;
use metrics::{JoinResult, Metrics, Names, TracedCall};
use store::{Peer, Trace};
use wire::{Endpoint, SockIo, TapId, TapKind};

use crate::taps::Taps;

/// Names from the registry of taps, from the CNI cache and from system calls on sockets. The name
/// of a pod goes before that of the process in it: the dashboards of a cluster show pods.
#[derive(Debug)]
pub(crate) struct NameRegistry {
    taps: Arc<Taps>,
    /// Pods of this node by address.
    pods: DashMap<IpAddr, Arc<str>>,
    /// Something stands in one of the two maps, or did.
    any: AtomicBool,
    /// System calls are recorded, so that names may come a little later than packets.
    may_learn: bool,
    workloads: DashMap<Endpoint, Arc<str>>,
    /// Endpoints in the order in which they became known; the oldest goes when there are too many.
    order: Mutex<VecDeque<Endpoint>>,
}

impl NameRegistry {
    /// Endpoints remembered.
    const LIMIT: usize = 65_536;

    pub(crate) fn new(taps: Arc<Taps>, may_learn: bool) -> Self {
        Self {
            taps,
            pods: DashMap::new(),
            any: AtomicBool::new(false),
            may_learn,
            workloads: DashMap::new(),
            order: Mutex::default(),
        }
    }

    /// Takes the pods that are on the node now.
    pub(crate) fn set_pods(&self, pods: &[CniPod]) {
        let named = pods.iter().filter_map(|pod| Some((pod, pod.pod.as_deref()?)));
        let now: HashMap<IpAddr, &str> = named
            .flat_map(|(pod, name)| pod.addresses.iter().map(move |address| (*address, name)))
            .collect();
        self.pods.retain(|address, _| now.contains_key(address));
        self.any.fetch_or(!now.is_empty(), Ordering::Relaxed);
        for (address, name) in now {
            self.pods.insert(address, name.into());
        }
    }

    /// Notes which program has the local end of a socket. A later program takes the endpoint over.
    pub(crate) fn add_process(&self, record: &SockIo) {
        let command = record.process.command();
        if self.workloads.get(&record.local).is_some_and(|known| **known == *command) {
            return;
        }
        self.any.store(true, Ordering::Relaxed);
        if self.workloads.insert(record.local, command.into()).is_some() {
            return;
        }
        let mut order = self.order.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        order.push_back(record.local);
        if order.len() > Self::LIMIT
            && let Some(oldest) = order.pop_front()
        {
            self.workloads.remove(&oldest);
        }
    }

    /// The name that the labels of a peer's requests have.
    fn of(&self, peer: &Peer) -> Option<Arc<str>> {
        let process = || peer.process.as_ref().map(|process| process.command.as_str().into());
        self.workload(peer.endpoint()).or_else(process)
    }
}

impl Names for NameRegistry {
    fn tap_kind(&self, tap: TapId) -> TapKind {
        self.taps.kind(tap)
    }

    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>> {
        if let Some(pod) = self.pods.get(&endpoint.address) {
            return Some(pod.value().clone());
        }
        self.workloads.get(&endpoint).map(|name| name.value().clone())
    }

    fn has_workloads(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    fn may_gain_workloads(&self) -> bool {
        self.may_learn
    }
}

/// Adds to the metrics what the store joined since `before`.
pub(crate) fn count_joins(metrics: &Metrics, now: &store::Counters, before: &store::Counters) {
    metrics.add_join_results(JoinResult::Joined, now.joined.saturating_sub(before.joined));
    metrics.add_join_results(JoinResult::Unmatched, now.unmatched.saturating_sub(before.unmatched));
    metrics.add_join_results(JoinResult::Ambiguous, now.ambiguous.saturating_sub(before.ambiguous));
}

/// Makes the calls of a complete trace the exemplars of their buckets in the histogram of request
/// durations.
pub(crate) fn set_exemplars(metrics: &Metrics, names: &NameRegistry, trace: &Trace) {
    let id = trace.trace_id.to_string();
    let routes = metrics.has_routes();
    trace.visit(|call| {
        let path = routes.then(|| call.attributes.text("url.path")).flatten();
        let (client, server) = (names.of(&call.client), names.of(&call.server));
        for hop in &call.hops {
            let (Some(request), Some(response)) = (hop.request, hop.response) else { continue };
            metrics.set_exemplar(&TracedCall {
                trace_id: &id,
                tap_kind: hop.kind,
                protocol: call.protocol,
                client: client.as_deref(),
                server: server.as_deref(),
                operation: &call.operation,
                path,
                duration_ns: response.last_ns.saturating_sub(request.first_ns),
                end_unix_ns: response.last_ns,
            });
        }
    });
}
