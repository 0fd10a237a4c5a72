"""A gRPC-Web service whose messages are plain bytes."""

import grpc
from sonora.wsgi import grpcWSGI


def get(request, context):
    if request == b"missing":
        context.set_details("no such item: 100%")
        context.set_code(grpc.StatusCode.NOT_FOUND)
        raise grpc.RpcError
    if request == b"internal":
        context.set_code(grpc.StatusCode.INTERNAL)
        raise grpc.RpcError
    if request == b"large":
        return b"x" * 200_000
    return b"item " + request


def watch(request, context):
    for number in range(int(request)):
        yield b"x" * (number * 1000)
    if request == b"3":
        context.set_code(grpc.StatusCode.ABORTED)
        raise grpc.RpcError


application = grpcWSGI(None)
application.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.v1.Cart", {
    "Get": grpc.unary_unary_rpc_method_handler(get, bytes, bytes),
    "Watch": grpc.unary_stream_rpc_method_handler(watch, bytes, bytes),
})])
