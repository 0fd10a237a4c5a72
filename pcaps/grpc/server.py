"""A gRPC service whose messages are plain bytes."""

import time
from concurrent import futures

import grpc


def get(request, context):
    if request == b"missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such item: 100%")
    if request == b"forbidden":
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "not yours")
    if request == b"internal":
        context.abort(grpc.StatusCode.INTERNAL, "broken")
    if request == b"late":
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "behind it is too late")
    if request == b"raise":
        raise RuntimeError("on purpose")
    if request == b"slow":
        time.sleep(2)
    return b"item " + request


def add(requests, _context):
    return str(sum(len(request) for request in requests)).encode()


def watch(request, context):
    for number in range(int(request)):
        yield b"x" * (number * 1000)
    if request == b"3":
        context.abort(grpc.StatusCode.ABORTED, "in the middle")


def chat(requests, _context):
    for request in requests:
        yield request
        yield request.upper()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.v1.Cart", {
    "Get": grpc.unary_unary_rpc_method_handler(get),
    "Add": grpc.stream_unary_rpc_method_handler(add),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
})])
server.add_insecure_port("0.0.0.0:50051")
server.start()
server.wait_for_termination()
