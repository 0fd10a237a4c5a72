//! Names of pods and containers from the CNI cache.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use serde_json::Value;

use crate::Error;

/// Largest file of the cache that is looked at, in bytes; real ones have a few thousand.
const LARGEST: u64 = 1 << 20;

/// One interface of a container, from a file of the CNI cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CniPod {
    /// The runtime's id of the container (or pod sandbox).
    pub container: String,
    /// Pod name from `K8S_POD_NAME`, where an orchestrator passed it.
    pub pod: Option<String>,
    /// Namespace of the pod, from `K8S_POD_NAMESPACE`.
    pub pod_namespace: Option<String>,
    /// UID of the pod, from `K8S_POD_UID`: control groups carry it too.
    pub pod_uid: Option<String>,
    /// Name of the CNI network.
    pub network: String,
    /// Name of the interface inside of the container.
    pub interface: String,
    /// Interfaces on the node's side: the container's veth end, and the bridge that it is a port
    /// of.
    pub host_interfaces: Vec<String>,
    /// The container's network namespace, as a path.
    pub netns: Option<String>,
    /// Addresses of the interface inside of the container.
    pub addresses: Vec<IpAddr>,
}

/// Reads the results that CNI's library keeps (`/var/lib/cni/results`, or what `folder` is). Files
/// that are not such results are passed over; a folder that is not there is an empty one.
///
/// # Errors
/// [`Error::File`] when the folder cannot be read.
pub fn read_cni_cache(folder: &Path) -> Result<Vec<CniPod>, Error> {
    let fail = |source| Error::File { path: folder.display().to_string(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(fail(e)),
    };
    let mut pods = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        let small = fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= LARGEST);
        if !small {
            continue;
        }
        // A file may go or be half written while it is read: the next look sees it whole.
        let read = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        pods.extend(read.as_ref().and_then(pod));
    }
    pods.sort_by(|a, b| (&a.container, &a.interface).cmp(&(&b.container, &b.interface)));
    Ok(pods)
}

fn pod(cached: &Value) -> Option<CniPod> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let argument = |name: &str| {
        let pair = cached
            .get("cniArgs")?
            .as_array()?
            .iter()
            .find(|pair| pair.get(0) == Some(&name.into()))?;
        text(pair.get(1)?)
    };
    let list = |name: &str| {
        cached
            .get("result")
            .and_then(|result| result.get(name)?.as_array())
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let interfaces = list("interfaces");
    let sandbox = |interface: &Value| {
        interface.get("sandbox").and_then(Value::as_str).unwrap_or("").to_owned()
    };
    Some(CniPod {
        container: text(cached.get("containerId")?)?,
        pod: argument("K8S_POD_NAME"),
        pod_namespace: argument("K8S_POD_NAMESPACE"),
        pod_uid: argument("K8S_POD_UID"),
        network: cached.get("networkName").and_then(text).unwrap_or_default(),
        interface: text(cached.get("ifName")?)?,
        host_interfaces: interfaces
            .iter()
            .filter(|i| sandbox(i).is_empty())
            .filter_map(|i| text(i.get("name")?))
            .collect(),
        netns: interfaces.iter().map(sandbox).find(|s| !s.is_empty()),
        addresses: list("ips")
            .iter()
            .filter_map(|ip| ip.get("address")?.as_str()?.split('/').next()?.parse().ok())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_names_container_and_host_side() {
        let folder = tempfile::tempdir().unwrap();
        let result = r#"{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"pods",
            "cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAME","web-0"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_UID","1f-2e"]],
            "result":{"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"aa"},{"name":"veth12ab","mac":"bb"},
            {"name":"eth0","mac":"cc","sandbox":"/run/netns/c1"}],"ips":[{"address":"10.1.2.3/24"},{"address":"fd00::3/64"}]}}"#;
        fs::write(folder.path().join("pods-c1-eth0"), result).unwrap();
        fs::write(folder.path().join("half"), &result[..80]).unwrap();
        fs::write(folder.path().join("other"), "[1]").unwrap();
        let pods = read_cni_cache(folder.path()).unwrap();
        let [pod] = pods.as_slice() else { panic!("{pods:?}") };
        assert_eq!(pod.host_interfaces, ["cni0", "veth12ab"]);
        assert_eq!(
            pod.addresses,
            ["10.1.2.3".parse::<IpAddr>().unwrap(), "fd00::3".parse().unwrap()]
        );
        assert_eq!(pod.pod.as_deref(), Some("web-0"));
        assert_eq!(pod.pod_namespace.as_deref(), Some("shop"));
        assert_eq!(pod.pod_uid.as_deref(), Some("1f-2e"));
        assert_eq!((pod.container.as_str(), pod.netns.as_deref()), ("c1", Some("/run/netns/c1")));
        assert_eq!(read_cni_cache(&folder.path().join("none")).unwrap(), []);
    }
}
