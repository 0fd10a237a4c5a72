"""Prints the service edges of a metrics page on standard input: requests, their mean duration, and the network's RTT.

Usage: edges.py TAP_KIND. Each connection passes several taps; the figures are those of one kind.
"""

import re
import sys
from collections import defaultdict

SAMPLE = re.compile(r'(\w+)\{(.*?)\} (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
WANTED = (
    "wirespan_tcp_rtt_seconds_sum",
    "wirespan_tcp_rtt_seconds_count",
    "wirespan_request_duration_seconds_sum",
    "wirespan_request_duration_seconds_count",
    "wirespan_tcp_retransmissions_total",
)


def micros(total, count):
    return f"{total / count * 1e6:,.0f} µs" if count else "-"


def main():
    edges = defaultdict(lambda: defaultdict(float))
    for line in sys.stdin:
        match = SAMPLE.match(line)
        if not match or match.group(1) not in WANTED:
            continue
        labels = dict(LABEL.findall(match.group(2)))
        if labels.get("tap_kind") == sys.argv[1]:
            name = match.group(1) + ("/" + labels["side"] if "side" in labels else "")
            edges[labels.get("client", "?"), labels.get("server", "?")][name] += float(match.group(3))
    print(f"  {'client → server':<36}{'requests':>10}{'duration':>12}{'RTT client':>13}{'RTT server':>13}{'sent again':>12}")
    for (client, server), figures in sorted(edges.items()):
        def mean(family, side=""):
            return micros(figures[f"{family}_sum{side}"], figures[f"{family}_count{side}"])

        requests = figures["wirespan_request_duration_seconds_count"]
        print(
            f"  {client + ' → ' + server:<36}{requests:>10,.0f}{mean('wirespan_request_duration_seconds'):>12}"
            f"{mean('wirespan_tcp_rtt_seconds', '/client'):>13}{mean('wirespan_tcp_rtt_seconds', '/server'):>13}"
            f"{figures['wirespan_tcp_retransmissions_total']:>12,.0f}"
        )


main()
