# shellcheck shell=bash
# shellcheck disable=SC2034
# A "node" and its pods: network namespaces with unique names, real CNI networking, one cgroup a pod.
# Needs common.sh and cni.sh. Everything made here is removed by the clean-up of common.sh.

NODE_BRIDGE=cni0

declare -A POD_NETNS POD_ADDRESS POD_VETH POD_CONTAINER

# node_up: sets NODE_ID, NODE (its namespace), NODE_STATE (a folder), NODE_GATEWAY.
# The subnet is unique too: kernel records of two test beds side by side must not share addresses.
node_up() {
    while :; do
        NODE_ID=$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
        NODE="ws-$NODE_ID-node"
        ip netns add "$NODE" 2>/dev/null && break
    done
    at_exit "node_down"
    NODE_STATE=$(mktemp -d "/run/wirespan-testbed-$NODE_ID.XXXX")
    chmod 755 "$NODE_STATE"
    NODE_SUBNET="10.$((16#${NODE_ID:0:2} % 200 + 20)).$((16#${NODE_ID:2:2}))"
    NODE_GATEWAY="$NODE_SUBNET.1"
    NODE_NETWORK="wirespan-$NODE_ID"
    NODE_CONFIG=$(cni_bridge_config "$NODE_NETWORK" "$NODE_BRIDGE" "$NODE_SUBNET.0/24" "$NODE_GATEWAY" "$NODE_STATE/ipam")
    NODE_CGROUP=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    if [ -n "$NODE_CGROUP" ] && mkdir "$NODE_CGROUP/wirespan-$NODE_ID" 2>/dev/null; then
        NODE_CGROUP+=/wirespan-$NODE_ID
    else
        NODE_CGROUP=
    fi
    ip -n "$NODE" link set lo up
}

# in_netns NETNS COMMAND...: keeps the mount namespace, so that tracefs and bpffs stay visible.
in_netns() {
    local netns=$1
    shift
    nsenter --net="/run/netns/$netns" -- "$@"
}

# pod_up NAME: a namespace with lo and eth0 by CNI; fills the POD_* tables.
pod_up() {
    local name=$1 netns="ws-$NODE_ID-$1" container result args
    container=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
    args="IgnoreUnknown=1;K8S_POD_NAMESPACE=wirespan;K8S_POD_NAME=$name;K8S_POD_INFRA_CONTAINER_ID=$container"
    ip netns add "$netns"
    POD_NETNS[$name]=$netns
    POD_CONTAINER[$name]=$container
    cni_call ADD "$NODE" "$container" "$netns" lo "$args" '{"cniVersion":"1.0.0","name":"lo","type":"loopback"}' >/dev/null
    result=$(cni_call ADD "$NODE" "$container" "$netns" eth0 "$args" "$NODE_CONFIG") || die "CNI ADD for $name: $result"
    cni_cache "$NODE_NETWORK" "$container" "$netns" eth0 "$args" "$NODE_CONFIG" "$result"
    POD_ADDRESS[$name]=$(cni_result_field "$result" address)
    POD_VETH[$name]=$(cni_result_field "$result" host_veth)
    [ -z "$NODE_CGROUP" ] || mkdir "$NODE_CGROUP/pod-$name"
}

# pod_exec NAME COMMAND...: in the pod's network namespace and cgroup.
pod_exec() {
    local name=$1
    shift
    (
        [ -z "$NODE_CGROUP" ] || echo "$BASHPID" >"$NODE_CGROUP/pod-$name/cgroup.procs"
        exec nsenter --net="/run/netns/${POD_NETNS[$name]}" -- "$@"
    )
}

# pod_start NAME COMMAND...: the same in the background, output into the state folder.
pod_start() {
    local name=$1
    pod_exec "$@" </dev/null >>"$NODE_STATE/$name.log" 2>&1 &
}

# Whether something listens on this port of a pod.
pod_listens() {
    pod_exec "$1" ss -Hltn "sport = :$2" | grep -q .
}

node_down() {
    local name pids
    trap '' INT TERM HUP
    for name in "${!POD_NETNS[@]}"; do
        pids=$(ip netns pids "${POD_NETNS[$name]}" 2>/dev/null)
        # shellcheck disable=SC2086
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
    done
    for name in "${!POD_NETNS[@]}"; do
        cni_call DEL "$NODE" "${POD_CONTAINER[$name]}" "${POD_NETNS[$name]}" eth0 "K8S_POD_NAME=$name" "$NODE_CONFIG" >/dev/null 2>&1
        rm -f "$CNI_CACHE/$NODE_NETWORK-${POD_CONTAINER[$name]}-eth0"
        ip netns del "${POD_NETNS[$name]}" 2>/dev/null
    done
    pids=$(ip netns pids "$NODE" 2>/dev/null)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
    ip netns del "$NODE" 2>/dev/null
    if [ -n "$NODE_CGROUP" ]; then
        wait_for 2 node_cgroups_removed
    fi
    rmdir "$CNI_CACHE" "$(dirname "$CNI_CACHE")" 2>/dev/null
    rm -rf "$NODE_STATE"
}

node_cgroups_removed() {
    find "$NODE_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
    [ ! -d "$NODE_CGROUP" ]
}
