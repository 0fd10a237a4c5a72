"""Does known calls, and says on standard output which and how they went, as it saw it."""

import asyncio
import base64
import io
import json
import sys
import time

import aiohttp
import grpc
import sonora.client
from sonora import protocol

URL = f"http://{sys.argv[1]}:8080"
SERVERS_FAULT = {
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS,
}
METADATA = [("authorization", "Bearer wonderland-17"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]


def did(method, code):
    outcome = "ok" if code == grpc.StatusCode.OK else "server_error" if code in SERVERS_FAULT else "client_error"
    print(json.dumps({"protocol": "grpc", "operation": method, "outcome": outcome}))


def does(method, act):
    try:
        act()
        did(method, grpc.StatusCode.OK)
    except grpc.RpcError as error:
        did(method, error.code())
    time.sleep(0.03)


def binary():
    with sonora.client.insecure_web_channel(URL) as channel:
        get = channel.unary_unary("/shop.v1.Cart/Get", bytes, bytes)
        watch = channel.unary_stream("/shop.v1.Cart/Watch", bytes, bytes)
        for request in [b"a", b"b", b"missing", b"internal", b"", b"y" * 20_000, b"large"]:
            does("Get", lambda: get(request, metadata=METADATA))
        for request in [b"1", b"5", b"3", b"8"]:
            does("Watch", lambda: list(watch(request, metadata=METADATA)))


def status(content):
    """Every message is in Base64 by itself, and padded; the last one says how the call ended."""
    content = b"".join(base64.b64decode(content[at:at + 4]) for at in range(0, len(content), 4))
    messages = protocol.unwrap_message_stream(io.BytesIO(content))
    return next(int(dict(protocol.unpack_trailers(message))["grpc-status"]) for is_trailers, _, message in messages if is_trailers)


async def text():
    fields = {"content-type": "application/grpc-web-text", "accept": "application/grpc-web-text", **dict(METADATA)}
    codes = {code.value[0]: code for code in grpc.StatusCode}
    async with aiohttp.ClientSession() as session:
        for method, request in [("Get", b"a"), ("Get", b"missing"), ("Watch", b"4"), ("Get", b"large"), ("Get", b"z")]:
            body = protocol.b64_wrap_message(False, False, request)
            async with session.post(f"{URL}/shop.v1.Cart/{method}", data=body, headers=fields) as response:
                code = codes[status(await response.read())]
            did(method, code)
            await asyncio.sleep(0.03)
        # The server says in HTTP only that it has no such method.
        async with session.post(f"{URL}/shop.v1.Cart/Nothing", data=b"AAAAAAA=", headers=fields) as response:
            did("Nothing", grpc.StatusCode.NOT_FOUND if response.status == 404 else None)


binary()
asyncio.run(text())
