//! What labels, records and traces call things: kinds of taps, and the workloads behind addresses.

mod cgroup;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capture::interfaces::CniPod;
use dashmap::DashMap;
use metrics::{JoinResult, Metrics, Names, TracedCall};
use store::{Trace, Workloads};
use wire::{Endpoint, Process, SockIo, TapId, TapKind};

use self::cgroup::CgroupWorkload;
use crate::taps::Taps;

/// Names from the registry of taps, from the CNI cache, from control groups and from system calls
/// on sockets. A workload is called by its pod, as `namespace/pod`; else by its container or
/// systemd unit; else by its process. The name is made here and nowhere else, so that metrics,
/// traces and the API call the same thing by the same name.
#[derive(Debug)]
pub(crate) struct NameRegistry {
    taps: Arc<Taps>,
    /// Pods of this node by address, and the last of those that are gone.
    pods: DashMap<IpAddr, Arc<str>>,
    /// Addresses of pods that are gone, the first to go in front. What they did last is still to
    /// be named.
    gone: Mutex<VecDeque<IpAddr>>,
    /// Pods of this node by their UID.
    pods_by_uid: DashMap<String, Arc<str>>,
    /// What is known of control groups by their ids.
    cgroups: DashMap<u64, CgroupName>,
    /// Something stands in one of the maps, or did.
    any: AtomicBool,
    /// System calls are recorded, so that names may come a little later than packets.
    may_learn: bool,
    /// Workloads by the local end of a socket.
    workloads: DashMap<Endpoint, Arc<str>>,
    /// Endpoints in the order in which they became known; the oldest goes when there are too many.
    order: Mutex<VecDeque<Endpoint>>,
}

/// What is known of a control group.
#[derive(Debug)]
struct CgroupName {
    pod_uid: Option<String>,
    /// Container or systemd unit.
    name: Option<Arc<str>>,
}

impl NameRegistry {
    /// Endpoints remembered, and as many control groups.
    const LIMIT: usize = 65_536;
    /// Addresses of gone pods that are remembered: four nodes full of pods.
    const MAX_GONE: usize = 1024;

    pub(crate) fn new(taps: Arc<Taps>, may_learn: bool) -> Self {
        Self {
            taps,
            pods: DashMap::new(),
            gone: Mutex::default(),
            pods_by_uid: DashMap::new(),
            cgroups: DashMap::new(),
            any: AtomicBool::new(false),
            may_learn,
            workloads: DashMap::new(),
            order: Mutex::default(),
        }
    }

    /// Takes the pods that are on the node now. The address of one that is gone keeps its name
    /// until another has it.
    pub(crate) fn set_pods(&self, pods: &[CniPod]) {
        let mut addresses = HashMap::new();
        let mut uids = HashMap::new();
        for pod in pods {
            let name = pod_name(pod);
            uids.extend(pod.pod_uid.clone().map(|uid| (uid, name.clone())));
            addresses.extend(pod.addresses.iter().map(|address| (*address, name.clone())));
        }
        self.any.fetch_or(!addresses.is_empty(), Ordering::Relaxed);
        let mut gone = lock(&self.gone);
        gone.retain(|address| !addresses.contains_key(address));
        for pod in &self.pods {
            if !addresses.contains_key(pod.key()) && !gone.contains(pod.key()) {
                gone.push_back(*pod.key());
            }
        }
        while gone.len() > Self::MAX_GONE {
            gone.pop_front().map(|oldest| self.pods.remove(&oldest));
        }
        for (address, name) in addresses {
            self.pods.insert(address, name);
        }
        self.pods_by_uid.retain(|uid, _| uids.contains_key(uid));
        for (uid, name) in uids {
            self.pods_by_uid.insert(uid, name);
        }
    }

    /// Takes the path of a control group, which names the workload of the processes in it.
    pub(crate) fn add_cgroup(&self, id: u64, path: &str) {
        if self.cgroups.len() < Self::LIMIT {
            let CgroupWorkload { pod_uid, name } = CgroupWorkload::of(path);
            self.cgroups.insert(id, CgroupName { pod_uid, name: name.map(Into::into) });
        }
    }

    /// Notes which workload has the local end of a socket. A later one takes the endpoint over.
    pub(crate) fn add_process(&self, record: &SockIo) {
        let by_cgroup = self.of_cgroup(record.process.cgroup);
        let command = record.process.command();
        let name = by_cgroup.as_deref().unwrap_or(command);
        if self.workloads.get(&record.local).is_some_and(|known| **known == *name) {
            return;
        }
        self.any.store(true, Ordering::Relaxed);
        let name = by_cgroup.unwrap_or_else(|| command.into());
        if self.workloads.insert(record.local, name).is_some() {
            return;
        }
        let mut order = lock(&self.order);
        order.push_back(record.local);
        if order.len() > Self::LIMIT
            && let Some(oldest) = order.pop_front()
        {
            self.workloads.remove(&oldest);
        }
    }

    /// The pod that a control group belongs to, else its container or unit.
    fn of_cgroup(&self, id: u64) -> Option<Arc<str>> {
        let group = self.cgroups.get(&id)?;
        let pod = group.pod_uid.as_ref().and_then(|uid| self.pods_by_uid.get(uid));
        pod.map(|name| name.value().clone()).or_else(|| group.name.clone())
    }
}

impl Workloads for NameRegistry {
    /// The address of a pod is the pod's own, and known even where the process is not.
    fn workload(&self, endpoint: Endpoint, process: Option<&Process>) -> Option<Arc<str>> {
        if let Some(pod) = self.pods.get(&endpoint.address) {
            return Some(pod.value().clone());
        }
        match process {
            Some(process) => {
                Some(self.of_cgroup(process.cgroup).unwrap_or_else(|| process.command().into()))
            }
            None => self.workloads.get(&endpoint).map(|name| name.value().clone()),
        }
    }
}

impl Names for NameRegistry {
    fn tap_kind(&self, tap: TapId) -> TapKind {
        self.taps.kind(tap)
    }

    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>> {
        Workloads::workload(self, endpoint, None)
    }

    fn has_workloads(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    fn may_gain_workloads(&self) -> bool {
        self.may_learn
    }
}

/// `namespace/pod`, or as much of it as the runtime told; else the container's id.
pub(crate) fn pod_name(pod: &CniPod) -> Arc<str> {
    match (&pod.pod_namespace, &pod.pod) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}").into(),
        (None, Some(name)) => name.as_str().into(),
        (_, None) => cgroup::short(&pod.container).into(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds to the metrics what the store joined since `before`.
pub(crate) fn count_joins(metrics: &Metrics, now: &store::Counters, before: &store::Counters) {
    metrics.add_join_results(JoinResult::Joined, now.joined.saturating_sub(before.joined));
    metrics.add_join_results(JoinResult::Unmatched, now.unmatched.saturating_sub(before.unmatched));
    metrics.add_join_results(JoinResult::Ambiguous, now.ambiguous.saturating_sub(before.ambiguous));
    metrics.add_join_results(JoinResult::Undecided, now.undecided.saturating_sub(before.undecided));
    metrics
        .add_join_results(JoinResult::Late, now.late_records.saturating_sub(before.late_records));
}

/// Counts what the network had of the calls of a complete trace, and makes them the exemplars of
/// their buckets in the histogram of request durations.
pub(crate) fn count_calls(metrics: &Metrics, trace: &Trace) {
    let id = trace.trace_id.to_string();
    let routes = metrics.has_routes();
    trace.visit(|call| {
        let path = routes.then(|| call.attributes.text("url.path")).flatten();
        let mut network_ns = call.network_ns;
        for hop in &call.hops {
            let (Some(request), Some(response)) = (hop.request, hop.response) else { continue };
            let seen = TracedCall {
                trace_id: &id,
                tap_kind: hop.kind,
                protocol: call.protocol,
                ends: (hop.client, hop.server),
                client: call.client.workload.as_deref(),
                server: call.server.workload.as_deref(),
                operation: &call.operation,
                path,
                duration_ns: response.last_ns.saturating_sub(request.first_ns),
                end_unix_ns: response.last_ns,
            };
            metrics.set_exemplar(&seen);
            // A call is counted once, on the edge of its first tap.
            if let Some(network_ns) = network_ns.take() {
                metrics.add_call_network(&seen, network_ns);
            }
        }
    });
}

#[cfg(test)]
mod tests;
