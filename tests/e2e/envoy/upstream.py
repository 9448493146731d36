"""The services behind Envoy: HTTP with a WebSocket echo, and gRPC. They record what they got."""

import asyncio
import base64
import concurrent.futures
import hashlib
import threading

import grpc

CASE = "x-case"
GRPC_SERVICE = "postern.e2e.Echo"


class Seen:
    """What one request looked like to the upstream. Header names are in lower case."""

    def __init__(self, method: str, path: str, headers: list, body: bytes):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def values(self, name: str) -> list:
        return [value for key, value in self.headers if key == name]


class Recorder:
    """Requests by the case they belong to; a case may be asked only once."""

    def __init__(self):
        self.lock, self.seen, self.count = threading.Lock(), {}, 0

    def add(self, seen: Seen) -> None:
        with self.lock:
            self.count += 1
            for case in seen.values(CASE):
                self.seen.setdefault(case, []).append(seen)

    def of(self, case: str) -> list:
        with self.lock:
            return list(self.seen.get(case, []))


class Http(asyncio.Protocol):
    """HTTP/1.1 with keep-alive. Envoy frames what it forwards, so this need not be lenient."""

    ANSWER = b'{"upstream": "http"}'

    def __init__(self, recorder):
        self.recorder, self.buffer, self.websocket = recorder, b"", False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while not self.websocket and (request := self.request()):
            self.answer(*request)
        if self.websocket:
            self.echo()

    def request(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head, length, chunked = self.buffer[:end].decode("latin-1").split("\r\n"), 0, False
        headers = []
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
            if headers[-1][0] == "content-length":
                length = int(value)
            chunked |= headers[-1] == ("transfer-encoding", "chunked")
        body, rest = self.body(self.buffer[end + 4 :], length, chunked)
        if body is None:
            return None
        self.buffer = rest
        return head[0], headers, body

    @staticmethod
    def body(data: bytes, length: int, chunked: bool):
        if not chunked:
            return (None, b"") if len(data) < length else (data[:length], data[length:])
        body = b""
        while True:
            line, found, rest = data.partition(b"\r\n")
            if not found or len(rest) < int(line, 16) + 2:
                return None, b""
            size = int(line, 16)
            body, data = body + rest[:size], rest[size + 2 :]
            if size == 0:
                return body, data

    def answer(self, line: str, headers: list, body: bytes):
        method, path, _version = line.split(" ")
        self.recorder.add(Seen(method, path, headers, body))
        named = dict(headers)
        if named.get("upgrade", "").lower() == "websocket":
            digest = hashlib.sha1(
                named["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            ).digest()
            self.websocket = True
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                b"sec-websocket-accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
            return
        content = b"" if method == "HEAD" else self.ANSWER
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (len(self.ANSWER), content)
        )

    def echo(self):
        """Short masked frames in, the same unmasked out."""
        while len(self.buffer) >= 6:
            length = self.buffer[1] & 0x7F
            if len(self.buffer) < 6 + length:
                return
            mask, text = self.buffer[2:6], self.buffer[6 : 6 + length]
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
            self.transport.write(bytes([self.buffer[0], length]) + text)
            self.buffer = self.buffer[6 + length :]


class Upstream:
    """Both services on ports of the system's choosing, until `stop`."""

    def __init__(self):
        self.recorder = Recorder()
        self.loop, started = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self.thread.start()
        if not started.wait(10):
            raise RuntimeError("the HTTP upstream did not start")
        self.grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self.grpc.add_generic_rpc_handlers([self])
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")
        self.grpc.start()

    def _serve(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            self.loop.create_server(lambda: Http(self.recorder), "127.0.0.1", 0)
        )
        self.http_port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()
        server.close()

    def stop(self):
        self.grpc.stop(None).wait(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    # grpc.GenericRpcHandler: any unary method of the service echoes its bytes
    def service(self, details):
        if not details.method.startswith(f"/{GRPC_SERVICE}/"):
            return None
        headers = [
            (key, value if isinstance(value, str) else base64.b64encode(value).decode())
            for key, value in details.invocation_metadata
        ]

        def echo(request, _context):
            self.recorder.add(Seen("POST", details.method, headers, request))
            return request

        return grpc.unary_unary_rpc_method_handler(echo)


class Fast(asyncio.Protocol):
    """For load: every request is a head without a body, and gets the same answer."""

    ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    def connection_made(self, transport):
        self.transport, self.tail = transport, b""

    def data_received(self, data):
        data = self.tail + data
        self.tail = data[data.rfind(b"\r\n\r\n") + 4 :] if b"\r\n\r\n" in data else data
        if count := data.count(b"\r\n\r\n"):
            self.transport.write(self.ANSWER * count)


async def _fast():
    server = await asyncio.get_running_loop().create_server(Fast, "127.0.0.1", 0, backlog=512)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_fast())
