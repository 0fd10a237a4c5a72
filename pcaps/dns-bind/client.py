"""Asks with dig, and says what dig saw."""

import json
import re
import subprocess
import sys

server = sys.argv[1]
OUTCOMES = {"NOERROR": "ok", "NXDOMAIN": "client_error", "BADVERS": "client_error", "REFUSED": "server_error", "NOTIMP": "server_error"}


def ask(*words, operation=None, times=1):
    done = subprocess.run(["dig", "+time=2", "+tries=1", f"@{server}", *words], capture_output=True, text=True, check=False).stdout
    statuses = re.findall(r"status: (\w+)", done)
    if "XFR size" in done:
        statuses = ["NOERROR"]
    assert len(statuses) == times, done
    for status, name in zip(statuses, operation or [words[-1]]):
        print(json.dumps({"protocol": "dns", "operation": name, "outcome": OUTCOMES[status]}))


for kind in ["SOA", "NS", "MX", "CAA", "TXT", "HTTPS", "DNSKEY", "ANY"]:
    ask("example.test", kind)
ask("shop.example.test", "A")
ask("shop.example.test", "AAAA")
ask("_ldap._tcp.example.test", "SRV")
ask("_443._tcp.web.example.test", "TLSA")
ask("7.example.test", "PTR")
ask("x.old.example.test", "A")
ask("sub.example.test", "DS")
ask("naptr.example.test", "NAPTR")
ask("web.example.test", "TYPE4711")
ask("version.bind", "CH", "TXT")
ask("+nocookie", "+dnssec", "+subnet=192.0.2.0/24", "+bufsize=1400", "web.example.test", "A")
ask("+padding=128", "+tcp", "web.example.test", "A")
ask("+noedns", "+norecurse", "+cdflag", "web.example.test", "A")
ask("+edns=9", "+noednsnegotiation", "web.example.test", "A")
ask("nothing.example.test", "A")
ask("example.org", "A")
ask("+opcode=status", "example.test", "SOA", operation=["STATUS"])
ask("+tcp", "+keepopen", "web.example.test", "A", "mail.example.test", "A", "nothing.example.test", "A", operation=["A"] * 3, times=3)
ask("example.test", "AXFR")
ask("+tcp", "example.test", "IXFR=2024010101", operation=["IXFR"])
ask("+tcp", "example.test", "IXFR=2023010101", operation=["IXFR"])
