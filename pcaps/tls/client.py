"""Shakes hands with the server in every way it has, and says how each handshake ended for this side."""

import json
import socket
import ssl
import sys
import warnings

warnings.simplefilter("ignore")
server, folder = sys.argv[1:]
NAME = "www.example.test"
CLIENT_HELLO = 1


def context(least, most, verify=True):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version, made.maximum_version = least, most
    if verify:
        made.load_verify_locations(f"{folder}/server.pem")
    return made


def shake(made, port=443, name=NAME, session=None):
    """A line for each ClientHello that was sent; gives the session."""
    sent = []

    def note(_conn, direction, _version, content, kind, _data):
        if direction == "write" and content == ssl._TLSContentType.HANDSHAKE and kind == CLIENT_HELLO:
            sent.append(kind)

    made._msg_callback = note
    result, outcome = None, "ok"
    with socket.create_connection((server, port), timeout=5) as plain:
        try:
            with made.wrap_socket(plain, server_hostname=name, session=session) as secure:
                secure.sendall(b"GET / HTTP/1.0\r\nHost: " + NAME.encode() + b"\r\n\r\n")
                secure.recv(1000)
                result = secure.session
                if session is not None:
                    assert secure.session_reused, (port, secure.version())
        except ssl.SSLCertVerificationError:
            outcome = "client_error"
        except ssl.SSLError:
            outcome = "server_error"
    for number in range(len(sent)):
        ended = outcome if number + 1 == len(sent) else "ok"
        print(json.dumps({"protocol": "tls", "operation": "handshake", "outcome": ended}))
    return result


V = ssl.TLSVersion
new = context(V.TLSv1_2, V.TLSv1_3)
new.set_alpn_protocols(["http/1.1"])
shake(new, session=shake(new))
only12 = context(V.TLSv1_2, V.TLSv1_2)
only12.set_alpn_protocols(["http/1.1"])
shake(only12, session=shake(only12))
without_tickets = context(V.TLSv1_2, V.TLSv1_2)
without_tickets.options |= ssl.OP_NO_TICKET
shake(without_tickets, session=shake(without_tickets))
for cipher in ["DHE-RSA-AES256-SHA256", "AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305"]:
    one = context(V.TLSv1_2, V.TLSv1_2)
    one.set_ciphers(cipher + ":@SECLEVEL=0")
    shake(one)
shake(context(V.TLSv1, V.TLSv1))
# Another curve is asked for: a second ClientHello.
shake(new, port=4433)
# A client certificate, and what becomes of none.
known = context(V.TLSv1_2, V.TLSv1_2)
known.load_cert_chain(f"{folder}/client.pem", f"{folder}/client.key")
shake(known, port=8443)
shake(context(V.TLSv1_2, V.TLSv1_2), port=8443)
# Refused by the server: no such name, no such version, no such application protocol.
shake(new, name="nobody.example.test")
shake(only12, name="nobody.example.test")
shake(context(V.TLSv1, V.TLSv1_1), port=8443)
shake(only12, port=9443)
other = context(V.TLSv1_2, V.TLSv1_3)
other.set_alpn_protocols(["imap"])
shake(other)
# Refused by the client: it does not know who signed.
for version in [V.TLSv1_2, V.TLSv1_3]:
    shake(context(version, version, verify=False))
