# shellcheck shell=bash
# The part of a container runtime that gives a pod its network: it calls the real CNI plugins as libcni does
# (CNI specification 1.0.0, section 2: parameters in the environment, configuration on stdin, result on stdout)
# and leaves libcni's cache file, in which a pod's interface, addresses and name can be found.

CNI_PLUGINS=${CNI_PLUGINS:-/usr/lib/cni}
CNI_CACHE=${CNI_CACHE:-/var/lib/cni/results}

# cni_bridge_config NETWORK BRIDGE SUBNET GATEWAY DATA_DIR
# As in most clusters the bridge device is not promiscuous: it shows what passes between the node and its pods, and
# what goes from pod to pod is seen at their two veths. CNI_PROMISCUOUS=true shows it at the bridge too.
cni_bridge_config() {
    cat <<JSON
{"cniVersion":"1.0.0","name":"$1","type":"bridge","bridge":"$2","isGateway":true,"ipMasq":false,"promiscMode":${CNI_PROMISCUOUS:-false},
 "ipam":{"type":"host-local","dataDir":"$5","ranges":[[{"subnet":"$3","gateway":"$4"}]],"routes":[{"dst":"0.0.0.0/0"}]}}
JSON
}

# cni_ptp_config NETWORK SUBNET DATA_DIR
cni_ptp_config() {
    cat <<JSON
{"cniVersion":"1.0.0","name":"$1","type":"ptp","ipMasq":false,
 "ipam":{"type":"host-local","dataDir":"$3","subnet":"$2","routes":[{"dst":"0.0.0.0/0"}]}}
JSON
}

# cni_call ADD|DEL NODE_NETNS CONTAINER_ID POD_NETNS INTERFACE CNI_ARGS CONFIG
# The plugin runs in the node's network namespace; nsenter keeps the mounts, which `ip netns exec` would hide.
cni_call() {
    local type
    type=$(printf '%s' "$7" | sed -n 's/.*"type":"\([a-z-]*\)","\(bridge\|ipMasq\)".*/\1/p' | head -n 1)
    printf '%s' "$7" | env -i PATH="$PATH" CNI_COMMAND="$1" CNI_CONTAINERID="$3" CNI_NETNS="/run/netns/$4" \
        CNI_IFNAME="$5" CNI_ARGS="$6" CNI_PATH="$CNI_PLUGINS" \
        nsenter --net="/run/netns/$2" "$CNI_PLUGINS/${type:-loopback}"
}

# cni_cache NETWORK CONTAINER_ID POD_NETNS INTERFACE CNI_ARGS CONFIG RESULT: what libcni keeps of an ADD.
cni_cache() {
    mkdir -p "$CNI_CACHE"
    python3 - "$@" >"$CNI_CACHE/$1-$2-$4" <<'PY'
import base64, json, sys
network, container, netns, interface, args, config, result = sys.argv[1:]
json.dump({
    "kind": "cniCacheV1",
    "containerId": container,
    "config": base64.b64encode(config.encode()).decode(),
    "ifName": interface,
    "networkName": network,
    "netns": "/run/netns/" + netns,
    "cniArgs": [pair.split("=", 1) for pair in args.split(";")],
    "result": json.loads(result),
}, sys.stdout)
PY
}

# cni_result_field RESULT host_veth|address
cni_result_field() {
    python3 - "$1" "$2" <<'PY'
import json, sys
result = json.loads(sys.argv[1])
if sys.argv[2] == "address":
    print(result["ips"][0]["address"].split("/")[0])
else:
    print(next(i["name"] for i in result["interfaces"] if not i.get("sandbox") and i["name"].startswith("veth")))
PY
}
