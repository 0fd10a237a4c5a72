"""Does known calls, and says on standard output which and how they went, as it saw it."""

import json
import sys
import time

import grpc

TARGET = f"{sys.argv[1]}:50051"
SERVERS_FAULT = {
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS,
}
METADATA = [("authorization", "Bearer wonderland-17"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
done = []


def outcome(error):
    if error is None:
        return "ok"
    if error.code() == grpc.StatusCode.CANCELLED:
        return "reset"
    return "server_error" if error.code() in SERVERS_FAULT else "client_error"


def does(method, act):
    try:
        act()
        error = None
    except grpc.RpcError as raised:
        error = raised
    done.append({"protocol": "grpc", "operation": method, "outcome": outcome(error)})
    time.sleep(0.03)


def channel():
    return grpc.insecure_channel(TARGET, options=[("grpc.use_local_subchannel_pool", 1)])


def unary(channel, request, method="Get", timeout=10):
    does(method, lambda: channel.unary_unary(f"/shop.v1.Cart/{method}")(request, metadata=METADATA, timeout=timeout))


def raise_for(call):
    try:
        call.result()
    except grpc.FutureCancelledError:
        raise Cancelled from None


class Cancelled(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.CANCELLED


def cancelled(channel):
    call = channel.unary_unary("/shop.v1.Cart/Get").future(b"slow")
    time.sleep(0.2)
    call.cancel()
    raise_for(call)


# Each channel is a connection: what of a connection's calls cannot be known when its beginning is missing ends with it.
for requests in [[b"a", b"b", b"c"], [b"missing", b"forbidden", b"missing"], [b"internal", b"raise", b"late"], [b"x" * 20_000, b"y" * 300]]:
    with channel() as one:
        for request in requests:
            unary(one, request)
with channel() as one:
    unary(one, b"", method="Nothing")
    does("Add", lambda: one.stream_unary("/shop.v1.Cart/Add")(iter([b"1", b"22", b"333"] * 5)))
with channel() as one:
    does("Watch", lambda: list(one.unary_stream("/shop.v1.Cart/Watch")(b"5")))
    does("Watch", lambda: list(one.unary_stream("/shop.v1.Cart/Watch")(b"3")))
with channel() as one:
    does("Chat", lambda: list(one.stream_stream("/shop.v1.Cart/Chat")(iter([b"a", b"bc", b"def"]))))
    unary(one, b"after")
with channel() as one:
    does("Get", lambda: cancelled(one))
    # Only the server has a clock for this one: with a client's own, either may be the first to give up.
    does("Get", lambda: one.unary_unary("/shop.v1.Cart/Get")(b"slow", metadata=[("grpc-timeout", "200m")]))
    unary(one, b"still there")
with channel() as one:
    calls = [one.unary_unary("/shop.v1.Cart/Get").future(str(n).encode()) for n in range(20)]
    for call in calls:
        call.result()
        done.append({"protocol": "grpc", "operation": "Get", "outcome": "ok"})
    time.sleep(0.05)
for n in range(10):
    with channel() as one:
        unary(one, b"z")
print(json.dumps({"joined": {"missing": 20}}))
for operation in done:
    print(json.dumps(operation))
