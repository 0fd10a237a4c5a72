# shellcheck shell=bash
# The chain web (nginx) -> shop (gunicorn, threads) -> stock (nginx), each in a pod, and a pod for clients.
# A pod called cache is a Redis that the shop asks first.
# Needs common.sh, cni.sh and node.sh.

TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# fill TEMPLATE: the service's configuration with this node's folder and addresses, into the state folder.
fill() {
    sed -e "s|@STATE@|$NODE_STATE|g" -e "s|@SHOP@|${POD_ADDRESS[shop]:-}|g" \
        "$TESTBED/services/$1.conf.in" >"$NODE_STATE/$1.conf"
}

# chain_up [POD...]: the three services and the named further pods.
chain_up() {
    local pod cache=
    need_commands nginx gunicorn python3 nsenter ip ss
    [ -x "$CNI_PLUGINS/bridge" ] || die "no CNI plugins in $CNI_PLUGINS (scripts/setup test installs them)"
    node_up
    for pod in web shop stock "$@"; do pod_up "$pod"; done

    fill stock
    pod_start stock nginx -c "$NODE_STATE/stock.conf"
    cp "$TESTBED/services/shop.py" "$NODE_STATE/"
    if [ -n "${POD_ADDRESS[cache]:-}" ]; then
        need_commands redis-server
        cache=${POD_ADDRESS[cache]}:6379
        pod_start cache redis-server --port 6379 --protected-mode no --save '' --appendonly no
        wait_for 20 pod_listens cache 6379 || die "nothing listens on cache:6379: $(cat "$NODE_STATE/cache.log")"
    fi
    STOCK_ADDRESS="${POD_ADDRESS[stock]}:80" CACHE_ADDRESS=$cache pod_start shop gunicorn --worker-class gthread --workers 1 \
        --threads 16 --keep-alive 60 --bind 0.0.0.0:8000 --chdir "$NODE_STATE" --worker-tmp-dir "$NODE_STATE" \
        shop:application
    fill web
    pod_start web nginx -c "$NODE_STATE/web.conf"
    for pod in stock:80 shop:8000 web:80; do
        wait_for 20 pod_listens "${pod%:*}" "${pod#*:}" || die "nothing listens on $pod: $(cat "$NODE_STATE/${pod%:*}.log")"
    done
}
